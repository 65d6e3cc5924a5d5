package awstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// whoIs is the ARN that STS knows the bearer of keys by.
func whoIs(t *testing.T, s *awstest.Server, k aws.Credentials) string {
	t.Helper()
	keys := awstest.Keys{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
	return aws.ToString(must(sts.NewFromConfig(config(s, keys, region)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t).Arn)
}

func TestInstance(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	endpoint := must(s.Instance(s.Account(ours).Role("worker", awstest.Role{})))(t)
	provider := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: endpoint, EnableFallback: aws.FalseTernary})
	})
	keys := must(provider.Retrieve(t.Context()))(t)
	if arn := whoIs(t, s, keys); arn != "arn:aws:sts::"+ours+":assumed-role/worker/i-0a1b2c3d4e5f60718" {
		t.Errorf("we are %s", arn)
	}
	if again := must(provider.Retrieve(t.Context()))(t); again.AccessKeyID != keys.AccessKeyID {
		t.Error("the keys change before their end")
	}
	s.Skew(5*time.Hour + 50*time.Minute)
	if later := must(provider.Retrieve(t.Context()))(t); later.AccessKeyID == keys.AccessKeyID {
		t.Error("the keys do not change before their end")
	}
	if s.Count("imds", "Token") == 0 {
		t.Error("the journal has no token")
	}
}

func TestInstanceMetadataVersion2Alone(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	endpoint := must(s.Instance(s.Account(ours).Role("worker", awstest.Role{})))(t)
	const ttl, given = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "X-Aws-Ec2-Metadata-Token"
	for what, test := range map[string]struct {
		method, path string
		header       http.Header
		status       int
	}{
		"keys without a token":          {"GET", "/latest/meta-data/iam/security-credentials/", http.Header{}, 401},
		"keys with a wrong token":       {"GET", "/latest/meta-data/iam/security-credentials/", http.Header{given: {"wrong"}}, 401},
		"a token":                       {"PUT", "/latest/api/token", http.Header{ttl: {"21600"}}, 200},
		"a token without a lifetime":    {"PUT", "/latest/api/token", http.Header{}, 400},
		"a token with a long lifetime":  {"PUT", "/latest/api/token", http.Header{ttl: {"21601"}}, 400},
		"a token with no lifetime":      {"PUT", "/latest/api/token", http.Header{ttl: {"0"}}, 400},
		"a token behind a proxy":        {"PUT", "/latest/api/token", http.Header{ttl: {"60"}, "X-Forwarded-For": {"192.0.2.1"}}, 403},
		"a token by another method":     {"GET", "/latest/api/token", http.Header{ttl: {"60"}}, 401},
		"what the instance has not got": {"GET", "/latest/meta-data/ami-id", http.Header{given: {"wrong"}}, 401},
	} {
		if status, _ := get(t, test.method, strings.TrimSuffix(endpoint, "/")+test.path, test.header); status != test.status {
			t.Errorf("%s: %d, want %d", what, status, test.status)
		}
	}
	gone := must(s.Instance("arn:aws:iam::" + ours + ":role/gone"))(t)
	_, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: gone, EnableFallback: aws.FalseTernary})
	}).Retrieve(t.Context())
	if err == nil {
		t.Error("there are keys of a role that is none")
	}
}

func TestContainer(t *testing.T) {
	t.Parallel()
	s := awstest.Start(t, awstest.Options{})
	arn := s.Account(ours).Role("task", awstest.Role{})
	uri, authorization, err := s.Container(arn)
	if err != nil {
		t.Fatal(err)
	}
	keys := must(endpointcreds.New(uri, func(o *endpointcreds.Options) { o.AuthorizationToken = authorization }).Retrieve(t.Context()))(t)
	if who := whoIs(t, s, keys); who != "arn:aws:sts::"+ours+":assumed-role/task/container" {
		t.Errorf("we are %s", who)
	}
	for what, header := range map[string]http.Header{"no token": {}, "a wrong token": {"Authorization": {"wrong"}}} {
		if status, _ := get(t, http.MethodGet, uri, header); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, status)
		}
	}
	if s.Count("container", "") != 3 {
		t.Errorf("%d calls", s.Count("container", ""))
	}
}
