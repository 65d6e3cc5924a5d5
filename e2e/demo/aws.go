package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// The account of the demo and what is in it.
const (
	account = "123456789012"
	region  = "eu-central-1"
	ecrHost = account + ".dkr.ecr." + region + ".amazonaws.com"
	bucket  = "zenfiles"
	cluster = "demo"
)

// cloud is the part with AWS: one that runs inside this program, and that programs reach
// by AWS's own host names, through a proxy.
func cloud(s *stage) error {
	aws, err := awstest.New(awstest.Options{})
	if err != nil {
		return err
	}
	defer aws.Close()
	for _, act := range []func(*stage, *awstest.Server) error{prepareAWS, registerAWS, bucketAWS, pushAWS, tokenAWS, askedAWS} {
		if err := act(s, aws); err != nil {
			return err
		}
	}
	return nil
}

func prepareAWS(s *stage, aws *awstest.Server) error {
	s.title("6. An AWS, inside this program: it checks every signature and every policy")
	a := aws.Account(account)
	keys := a.User("demo", allow("sts:AssumeRole", "*"))
	s.secrets = append(s.secrets, keys.SecretAccessKey)
	role := a.Role("developer", awstest.Role{})
	a.Bucket(bucket, region)
	a.Repository(region, "team/app")
	a.Cluster(region, cluster, awstest.Cluster{CertificateAuthority: aws.CertificateAuthority()})
	aws.Route(ecrHost, aws.Registry(ecrHost))
	ca := filepath.Join(s.dir, "aws-ca.pem")
	s.env = append(s.env, "HTTPS_PROXY="+aws.ProxyURL(), "SSL_CERT_FILE="+ca)
	s.say("Its user demo has long-lived keys, in plain text where the AWS CLI wants them, and may assume")
	s.say("the role developer. What the AWS CLI would use is the profile default:")
	config := fmt.Sprintf("[default]\nregion = %s\nrole_arn = %s\nsource_profile = demo\n", region, role)
	credentials := fmt.Sprintf("[demo]\naws_access_key_id = %s\naws_secret_access_key = %s\n", keys.AccessKeyID, keys.SecretAccessKey)
	for path, text := range map[string]string{ca: aws.CertificateAuthority(), s.dotAWS("config"): config, s.dotAWS("credentials"): credentials} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	if err := s.show("", "svcconn", "agent", "stop"); err != nil { // so that the next one knows the proxy
		return err
	}
	return s.show("", "cat", s.dotAWS("config"))
}

func (s *stage) dotAWS(name string) string { return filepath.Join(s.home, ".aws", name) }

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

func registerAWS(s *stage, _ *awstest.Server) error {
	s.title("7. Register it: svcconn sees that the profile is a role and moves in. The plain-text keys can go")
	if err := s.show("", "svcconn", "register", "aws-auto", "--type", "aws", "--auto-configure"); err != nil {
		return err
	}
	if err := s.show("", "rm", s.dotAWS("credentials"), s.dotAWS("config")); err != nil {
		return err
	}
	return s.show("", "svcconn", "agent", "unlock")
}

func bucketAWS(s *stage, aws *awstest.Server) error {
	s.title("8. A profile for one bucket: AWS's own SDK asks svcconn, and gets keys for that bucket alone")
	if err := s.show("", "svcconn", "login", "aws", "--connector", "aws-auto", "--profile", "demo", "s3://"+bucket); err != nil {
		return err
	}
	if err := s.show("", "cat", s.dotAWS("config")); err != nil {
		return err
	}
	if err := s.buildSDK(); err != nil {
		return err
	}
	if err := s.show("", "awssdk", "-profile", "demo", "-bucket", bucket); err != nil {
		return err
	}
	aws.Account(account).Bucket("payroll", region)
	if err := s.show("", "awssdk", "-profile", "demo", "-bucket", "payroll"); err == nil {
		return errors.New("keys for one bucket were good for another")
	}
	return nil
}

func pushAWS(s *stage, _ *awstest.Server) error {
	s.title("9. crane pushes to ECR, whose registry takes nothing but ECR's own logins")
	if err := s.show("", "svcconn", "login", "docker", ecrHost); err != nil {
		return err
	}
	layer, err := s.layer()
	if err != nil {
		return err
	}
	return s.show("", "crane", "append", "--new_layer", layer, "--new_tag", ecrHost+"/team/app:1")
}

// hidden are the parts of a token that are secret, or lead to one.
var hidden = []string{"X-Amz-Signature", "X-Amz-Security-Token"}

func tokenAWS(s *stage, _ *awstest.Server) error {
	s.title("10. A token for EKS is a signed question to STS; this one, without its signature")
	token, err := s.capture("svcconn", "credential", "--connector", "aws-auto", "-r", "kubernetes-cluster", "-n", cluster, "--format", "token")
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "k8s-aws-v1."))
	if err != nil {
		return err
	}
	question, err := url.Parse(string(raw))
	if err != nil {
		return err
	}
	s.say("GET https://" + question.Host + question.Path)
	query := question.Query()
	for _, key := range slices.Sorted(maps.Keys(query)) {
		value := query.Get(key)
		if slices.Contains(hidden, key) {
			value = "[redacted]"
		}
		s.say(fmt.Sprintf("    %-21s %s", key, value))
	}
	return nil
}

func askedAWS(s *stage, aws *awstest.Server) error {
	s.title("    What svcconn did, as its audit log has it, and what AWS was asked")
	if err := s.audit(); err != nil {
		return err
	}
	for _, call := range aws.Calls() {
		if call.Service != "registry" {
			_, who, _ := strings.Cut(call.Principal, account+":")
			s.say(strings.TrimSpace(fmt.Sprintf("%s  %-10s  %-22s  %s  %s", call.Time.Format(time.TimeOnly), call.Service, call.Action, who, call.Code)))
		}
	}
	return nil
}
