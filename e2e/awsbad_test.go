//go:build e2e && linux

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// TestAWSRefused has registrations that cannot work, each in its own way.
func TestAWSRefused(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		login func(a *account) awsLogin
		code  int
		says  []string
		calls bool // AWS is asked at all
	}{
		"unknown key": {func(a *account) awsLogin {
			a.aws.Revoke(a.ada.AccessKeyID)
			return awsLogin{method: "secret-key", fields: keyFields(a.ada)}
		}, 4, []string{"security token", "hint:"}, true},
		"wrong secret": {func(a *account) awsLogin {
			return awsLogin{method: "secret-key", fields: with(keyFields(a.ada), "aws_secret_access_key", a.w.plainSecret())}
		}, 4, []string{"SignatureDoesNotMatch", "secret access key"}, true},
		"expired token": {func(a *account) awsLogin {
			return awsLogin{method: "sts-token", fields: keyFields(a.expiredKeys())}
		}, 4, []string{"expired"}, true},
		"clock 17 minutes behind": {func(a *account) awsLogin {
			a.aws.Skew(17 * time.Minute)
			return a.role("dev", awstest.Role{})
		}, 4, []string{"17m behind", "clock"}, true},
		"clock a day ahead": {func(a *account) awsLogin {
			a.aws.Skew(-24 * time.Hour)
			return a.role("dev", awstest.Role{})
		}, 4, []string{"ahead", "clock"}, true},
		"no region": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["region"] = " "
			return l
		}, 2, []string{"region"}, false},
		"region that is none": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["region"] = "eu-central1"
			return l
		}, 2, []string{"region", "eu-central1"}, false},
		"access denied": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{Trust: []string{"arn:aws:iam::" + a.ID() + ":user/bob"}})
			return l
		}, 4, []string{"sts:AssumeRole", "role/dev", "not authorized to perform"}, true},
		"wrong external id": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{ExternalID: "e2e-42"})
			l.fields["external_id"] = "e2e-43"
			return l
		}, 4, []string{"sts:AssumeRole"}, true},
		"role without the session that was asked for": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{MaxSession: time.Hour})
			l.flags = []string{"--expiration", "2h"}
			return l
		}, 2, []string{"MaxSessionDuration", "--expiration"}, true},
		"role of another account than the connector's": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["account_id"] = strangers
			return l
		}, 2, []string{strangers, "role/dev"}, false},
		"root user who assumes a role": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields = with(keyFields(a.root()), "role_arn", l.fields["role_arn"])
			return l
		}, 4, []string{"root"}, true},
		"policy too large": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["policy"] = `{"Version":"2012-10-17","Statement":[{"Sid":"` + strings.Repeat("x", 2048) + `","Effect":"Allow","Action":"*","Resource":"*"}]}`
			return l
		}, 2, []string{"policy", "2048", "policy_arns"}, false},
		"malformed ARN": {func(a *account) awsLogin {
			return awsLogin{method: "iam-role", fields: with(keyFields(a.ada), "role_arn", "arn:aws:iam::12:role/dev")}
		}, 2, []string{"role_arn", "arn:aws:iam::12:role/dev"}, false},
		"ARN of another partition": {func(a *account) awsLogin {
			return awsLogin{method: "iam-role", fields: with(keyFields(a.ada), "role_arn", "arn:aws-cn:iam::"+a.ID()+":role/dev")}
		}, 2, []string{"aws-cn"}, false},
		"another account than the connector's": {func(a *account) awsLogin {
			return awsLogin{method: "secret-key", fields: with(keyFields(a.ada), "account_id", strangers)}
		}, 4, []string{strangers, "account_id="}, true},
		"federation without a policy": {func(a *account) awsLogin {
			return awsLogin{method: "federation-token", fields: keyFields(a.ada), flags: []string{"--resource-type", "aws-generic"}}
		}, 2, []string{"policy"}, false},
		"lifetime out of bounds": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.flags = []string{"--expiration", "5m"}
			return l
		}, 2, []string{"15m"}, false},
		"endpoint that nobody listens at": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["endpoint_url"] = "http://" + closedPort(a.w.t)
			return l
		}, 5, []string{"refused", "endpoint_url"}, false},
		"proxy that nobody listens at": {func(a *account) awsLogin {
			a.w.setenv("HTTPS_PROXY", "http://"+closedPort(a.w.t))
			return a.role("dev", awstest.Role{})
		}, 5, []string{"proxy"}, false},
		"proxy that refuses the host": {func(a *account) awsLogin {
			l := a.role("dev", awstest.Role{})
			l.fields["endpoint_url"] = "https://vpce.example.com"
			return l
		}, 5, []string{"proxy"}, false},
		"certificate of an unknown authority": {func(a *account) awsLogin {
			a.w.setenv("SSL_CERT_FILE", a.w.file(newAuthority(a.w.t).certPEM(), "other-ca.pem"))
			return a.role("dev", awstest.Role{})
		}, -1, []string{"certificate", "ca_bundle"}, false},
		"throttled for good": {func(a *account) awsLogin {
			a.aws.Throttle("sts", "AssumeRole", 1000)
			return a.role("dev", awstest.Role{})
		}, 5, []string{"Throttling", "role/dev", "after several tries"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register says what is wrong in AWS's words and what to do, and leaves nothing behind, in files or keyring")
			a := w.useAWS()
			l := bad.login(a)
			a.aws.ResetCalls()
			res := l.register(w, "prod").fails().says(bad.says...)
			if bad.code >= 0 {
				res.exits(bad.code)
			}
			if asked := len(a.aws.Calls()); asked > 0 != bad.calls {
				t.Errorf("AWS was called %d times", asked)
			}
			a.aws.Skew(0)
			w.wantConnectors()
			w.wantKeyring(0)
		})
	}
}

// strangers is the number of an account that nobody here is of.
const strangers = "999999999999"

func (a *account) root() awstest.Keys {
	keys := a.Root()
	a.w.guardKeys(keys.SecretAccessKey)
	return keys
}

// TestAWSRoot has keys of the root user, whose sessions AWS ends after an hour.
func TestAWSRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a session of the root user is asked for 12 hours, gets one, and is said to last one")
	a := w.useAWS()
	awsLogin{method: "session-token", fields: keyFields(a.root()), flags: []string{"--expiration", "12h"}}.register(w, "prod").exits(0).says(":root")
	if keys := w.keysFor(a, "aws-generic", ""); time.Until(*keys.Expiration) > time.Hour {
		t.Errorf("the keys are said to be good until %v", keys.Expiration)
	}
}

// expiredKeys are temporary keys whose time is over, as AWS gave them: its clock was
// late when it did, and is early from then on.
func (a *account) expiredKeys() awstest.Keys {
	a.w.t.Helper()
	need(a.w.t, debianAWS)
	a.aws.Skew(-14 * time.Minute)
	defer a.aws.Skew(2 * time.Minute)
	var got struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	}
	args := []string{debianAWS, "--region", homeRegion, "--output", "json", "sts", "get-session-token", "--duration-seconds", "900"}
	env := []string{"AWS_ACCESS_KEY_ID=" + a.ada.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + a.ada.SecretAccessKey}
	a.w.decode(a.w.cmd(args...).setenv(env...).revealing().run().exits(0), &got)
	keys := awstest.Keys{AccessKeyID: got.Credentials.AccessKeyId, SecretAccessKey: got.Credentials.SecretAccessKey, SessionToken: got.Credentials.SessionToken}
	a.w.guardKeys(keys.SecretAccessKey, keys.SessionToken)
	return keys
}

// TestAWSThrottled is slowed down by AWS, and goes on.
func TestAWSThrottled(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a service that says slow down twice is asked a third time, and the person notices nothing")
	a.aws.Throttle("sts", "AssumeRole", 2)
	keys := w.keysFor(a, "aws-generic", "")
	if n := a.aws.Count("sts", "AssumeRole"); n != 3 || keys.AccessKeyId == "" {
		t.Errorf("AssumeRole was called %d times, want 3", n)
	}
}

// TestAWSNames gives commands names that are none, or of something else.
func TestAWSNames(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a malformed name, an ARN of another partition, region or account is an error that says which, before AWS is asked")
	for _, bad := range []struct{ kind, name, says string }{
		{"s3-bucket", "s3://UPPER_case", "UPPER_case"},
		{"s3-bucket", "arn:aws-cn:s3:::zenfiles", "aws-cn"},
		{"s3-bucket", "arn:aws:s3:" + homeRegion + ":x:zenfiles", "arn:aws:s3"},
		{"s3-bucket", "https://zenfiles.s3.amazonaws.com", "s3"},
		{"kubernetes-cluster", "-bad", "-bad"},
		{"kubernetes-cluster", "arn:aws:eks:" + homeRegion + ":999999999999:cluster/prod", "999999999999"},
		{"kubernetes-cluster", "arn:aws-us-gov:eks:us-gov-west-1:" + a.ID() + ":cluster/prod", "aws-us-gov"},
		{"docker-registry", "999999999999.dkr.ecr." + homeRegion + ".amazonaws.com", "999999999999"},
		{"docker-registry", a.ecrHost(homeRegion) + ".evil.example.com", "evil.example.com"},
		{"docker-registry", a.ID() + ".dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"aws-generic", "us-east-1", "us-east-1"},
	} {
		res := w.cmd("svcconn", "credential", "--connector", "prod", "-r", bad.kind, "-n", bad.name, "--format", "json").run().fails().says(bad.says)
		if res.code != 2 && res.code != 3 {
			t.Errorf("%s %s: exit code %d, want 2 or 3\n%s", bad.kind, bad.name, res.code, res.output())
		}
	}
	a.wantCalls("malformed names")
}

// TestAWSPermissions has a role that may do a part of what is asked of it.
func TestAWSPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "what is denied is said with action and resource as AWS says it; what is allowed is listed all the same")
	a := w.useAWS()
	a.buckets()
	a.Repository(homeRegion, "team/app")
	a.role("dev", awstest.Role{Policies: []string{`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","s3:ListAllMyBuckets"],"Resource":"*"}]}`}}).register(w, "prod").exits(0)
	w.cmd("svcconn", "list-resources").run().says("s3://"+ownBucket, a.ecrHost(homeRegion), "eks:ListClusters")
	w.cmd("svcconn", "credential", "--connector", "prod", "-r", "kubernetes-cluster", "-n", "prod", "--format", "token").run().exits(4).
		says("eks:DescribeCluster", "arn:aws:eks:"+homeRegion+":"+a.ID()+":cluster/prod", "not authorized to perform")
}

// TestAWSDisabledRegion has a region that the account has not enabled.
func TestAWSDisabledRegion(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a further region that is not enabled is named, and the other regions are listed all the same")
	a.DisableRegion("ap-east-1")
	a.Cluster(homeRegion, "prod", awstest.Cluster{})
	w.ok("svcconn", "update", "prod", "--set", "regions=ap-east-1", "--no-verify")
	w.cmd("svcconn", "list-resources", "--resource-type", "kubernetes-cluster").run().says("prod", "ap-east-1")
}

// TestAWSUnknownProfile auto-configures from a profile that is not there.
func TestAWSUnknownProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "an unknown profile is named beside those that there are; a profile without region too; no login at all says how to get one")
	w.useAWS()
	auto := func(more ...string) result {
		return w.cmd(append([]string{"svcconn", "register", "prod", "--type", "aws", "--auto-configure"}, more...)...).run().fails()
	}
	auto().says("no login to AWS was found", "aws configure")
	w.file("[profile dev]\nregion = "+homeRegion+"\n[profile half]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = "+w.plainSecret()+"\n", "home", ".aws", "config")
	auto("--set", "profile_name=production").exits(3).says("production", "dev")
	auto("--set", "profile_name=half").exits(2).says("region")
	w.wantConnectors()
	w.wantKeyring(0)
	must(w.t, os.Remove(w.awsConfig()))
}
