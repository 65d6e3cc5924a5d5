//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// The buckets of the tests; S3's names belong to all accounts of a fake AWS.
const (
	ownBucket   = "zenfiles"
	otherBucket = "zenfiles-other"
	farBucket   = "zenfiles-far"
)

// buckets makes the buckets, one in another region.
func (a *account) buckets() {
	a.Bucket(ownBucket, homeRegion)
	a.Bucket(otherBucket, homeRegion)
	a.Bucket(farBucket, awayRegion)
}

// loginAWS has login write a profile, and returns the file.
func (w *world) loginAWS(profile string, args ...string) string {
	w.t.Helper()
	w.ok(append([]string{"svcconn", "login", "aws", "--connector", "prod", "--profile", profile}, args...)...)
	return w.awsConfig()
}

func (w *world) awsConfig() string { return w.path("home", ".aws", "config") }

// TestAWSCLI is the main job for AWS: register once, then the AWS CLI through the
// profile that login wrote, until logout leaves the file as it was.
func TestAWSCLI(t *testing.T) {
	eachAWSCLI(t, func(t *testing.T, aws string) {
		w, a := registeredAWS(t, "register, login aws, get-caller-identity, s3 ls and cp both ways; logout restores ~/.aws/config byte for byte")
		a.buckets()
		config := w.file(ownAWSConfig, "home", ".aws", "config")
		must(t, os.Chmod(config, 0o640))
		w.loginAWS("all")
		w.ok(aws, "--profile", "all", "sts", "get-caller-identity").says(a.ID(), "assumed-role/dev/")
		w.ok(aws, "--profile", "all", "s3", "ls").says(ownBucket, otherBucket, farBucket)
		w.loginAWS("one", "s3://"+ownBucket)
		w.ok(aws, "--profile", "one", "s3", "cp", w.file("hello", "hello.txt"), "s3://"+ownBucket+"/greetings/hello.txt")
		w.ok(aws, "--profile", "one", "s3", "ls", "s3://"+ownBucket+"/greetings/").says("hello.txt")
		w.ok(aws, "--profile", "one", "s3", "cp", "s3://"+ownBucket+"/greetings/hello.txt", "-").prints("hello")
		w.ok(aws, "configure", "list", "--profile", "mine").says("eu-west-1")
		w.ok("svcconn", "logout", "aws", "one")
		w.ok("svcconn", "logout", "aws", "all")
		if after := w.read(config); after != ownAWSConfig {
			t.Errorf("after logout the file is\n%s\nbefore login it was\n%s", after, ownAWSConfig)
		}
		w.wantMode(config, 0o640)
		w.wantOneAgent()
	})
}

// ownAWSConfig is a file as a person has it, not in the order of any program.
const ownAWSConfig = `# mine
[profile mine]
region=eu-west-1   # near
  s3 =
    max_concurrent_requests = 3

[default]
output   = json
; the end`

// TestAWSScope has keys for one bucket meet another.
func TestAWSScope(t *testing.T) {
	eachAWSCLI(t, func(t *testing.T, aws string) {
		w, a := registeredAWS(t, "a profile for one bucket is refused everything else by its session policy, in AWS's words")
		a.buckets()
		w.loginAWS("one", "s3://"+ownBucket)
		w.ok(aws, "--profile", "one", "s3", "ls", "s3://"+ownBucket)
		note := w.file("hello", "hello.txt")
		for _, forbidden := range [][]string{
			{"s3", "ls", "s3://" + otherBucket}, {"s3", "cp", note, "s3://" + otherBucket + "/hello.txt"},
			{"s3", "ls"}, {"ecr", "get-authorization-token"}, {"eks", "list-clusters"},
		} {
			w.cmd(append([]string{aws, "--profile", "one"}, forbidden...)...).run().fails().says("denied", "no session policy allows")
		}
		w.cmd(aws, "--profile", "one", "s3", "ls", "s3://zenfiles-nowhere").run().fails()
		keys := w.keysFor(a, "s3-bucket", "s3://"+ownBucket, "--access", "read")
		reader := w.cmd(aws, "s3", "cp", note, "s3://"+ownBucket+"/read-only.txt").setenv(keys.env()...)
		reader.run().fails().says("denied", "s3:PutObject")
		w.cmd(aws, "s3", "ls", "s3://"+ownBucket).setenv(keys.env()...).run().exits(0)
	})
}

// awsKeys are keys as `credential --format credential-process` prints them.
type awsKeys struct {
	Version         int
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      *time.Time
	AccountId       string
}

func (k awsKeys) env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + k.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + k.SecretAccessKey, "AWS_SESSION_TOKEN=" + k.SessionToken, "AWS_REGION=" + homeRegion, "AWS_DEFAULT_REGION=" + homeRegion}
}

// keysFor asks for keys as the AWS SDKs do, and has them looked for.
func (w *world) keysFor(a *account, kind, name string, more ...string) awsKeys {
	w.t.Helper()
	var keys awsKeys
	args := []string{"svcconn", "credential", "--connector", "prod", "--resource-type", kind, "--format", "credential-process"}
	if name != "" {
		args = append(args, "--resource-name", name)
	}
	w.decode(w.cmd(append(args, more...)...).revealing().run().exits(0), &keys)
	w.wantKeys(a, keys)
	return keys
}

// wantKeys requires temporary keys of the account, good for a quarter of an hour.
func (w *world) wantKeys(a *account, keys awsKeys) {
	w.t.Helper()
	w.guardKeys(keys.SecretAccessKey, keys.SessionToken)
	if keys.Version != 1 || !strings.HasPrefix(keys.AccessKeyId, "ASIA") || keys.SecretAccessKey == "" || keys.SessionToken == "" {
		w.t.Fatal("these are no temporary keys in the format of credential_process")
	}
	if keys.AccountId != a.ID() {
		w.t.Errorf("the keys are said to be for account %q, want %s", keys.AccountId, a.ID())
	}
	if keys.Expiration == nil || time.Until(*keys.Expiration) < 15*time.Minute {
		w.t.Errorf("the keys end at %v: botocore asks again for what has less than 15 minutes", keys.Expiration)
	}
}

// TestCredentialProcess counts what a profile costs.
func TestCredentialProcess(t *testing.T) {
	eachAWSCLI(t, func(t *testing.T, aws string) {
		w, a := registeredAWS(t, "every aws command runs credential_process once, and ten of them cost one AssumeRole")
		w.loginAWS("all")
		handed, minted := w.audited("handed-out"), w.audited("minted")
		for range 10 {
			w.ok(aws, "--profile", "all", "sts", "get-caller-identity").says("assumed-role/dev/")
		}
		if n := w.audited("handed-out") - handed; n != 10 {
			t.Errorf("ten commands were handed keys %d times", n)
		}
		if n := w.audited("minted") - minted; n != 1 {
			t.Errorf("ten commands cost %d mints", n)
		}
		if n := a.aws.Count("sts", "AssumeRole"); n != 1 {
			t.Errorf("ten commands cost %d AssumeRole", n)
		}
	})
}

// TestCredentialProcessFails has no keys to give.
func TestCredentialProcessFails(t *testing.T) {
	eachAWSCLI(t, func(t *testing.T, aws string) {
		w, a := registeredAWS(t, "without keys stdout is empty, the reason is on stderr, and the AWS CLI shows it")
		config := w.loginAWS("all")
		a.aws.Revoke(a.ada.AccessKeyID)
		res := w.cmd("svcconn", "credential", "--connector", "prod", "--resource-type", "aws-generic", "--format", "credential-process").run().exits(4).says("security token")
		if res.stdout != "" {
			t.Errorf("something is on stdout: %q", res.stdout)
		}
		w.cmd(aws, "--profile", "all", "sts", "get-caller-identity").run().fails().says("custom-process", "security token")
		w.ok("svcconn", "delete", "prod", "--yes", "--force")
		w.cmd(aws, "--profile", "all", "sts", "get-caller-identity").run().fails().says("prod")
		if !strings.Contains(w.read(config), "credential_process") {
			t.Error("the profile is gone")
		}
	})
}

// TestAWSExport takes keys out of a profile with the AWS CLI's own command.
func TestAWSExport(t *testing.T) {
	t.Parallel()
	need(t, debianAWS) // AWS CLI 1 has no such command
	w, a := registeredAWS(t, "aws configure export-credentials prints the keys of our profile, with their expiry")
	w.loginAWS("all")
	var keys awsKeys
	w.decode(w.cmd(debianAWS, "configure", "export-credentials", "--profile", "all").revealing().run().exits(0), &keys)
	keys.AccountId = or(keys.AccountId, a.ID()) // older ones know of no account
	w.wantKeys(a, keys)
}

// TestAWSProfile looks at what login writes.
func TestAWSProfile(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "login aws writes one profile with an absolute command; --dry-run writes nothing; AWS_CONFIG_FILE is honoured; another's profile stays")
	a.buckets()
	w.ok("svcconn", "login", "aws", "--connector", "prod", "--profile", "dry", "--dry-run").says("credential_process")
	if _, err := os.Stat(w.awsConfig()); err == nil {
		t.Error("login --dry-run wrote a file")
	}
	config := w.loginAWS("all")
	text := w.read(config)
	for _, part := range []string{"[profile all]", filepath.Join(w.bin, "svcconn"), "credential-process", homeRegion} {
		if !strings.Contains(text, part) {
			t.Errorf("the file has no %q:\n%s", part, text)
		}
	}
	w.wantMode(config, 0o600)
	w.ok("svcconn", "logout", "aws", "all")
	elsewhere := w.file(ownAWSConfig, "elsewhere", "config")
	w.setenv("AWS_CONFIG_FILE", elsewhere)
	w.cmd("svcconn", "login", "aws", "--connector", "prod", "--profile", "mine").run().fails().says("mine", "--profile")
	if w.read(elsewhere) != ownAWSConfig {
		t.Errorf("another's profile was overwritten:\n%s", w.read(elsewhere))
	}
	w.ok("svcconn", "login", "aws", "--connector", "prod", "--profile", "all")
	need(t, debianAWS)
	w.ok(debianAWS, "--profile", "all", "sts", "get-caller-identity").says("assumed-role/dev/")
	w.cmd("svcconn", "login", "aws", "--connector", "nobody").run().exits(3).says("nobody")
}

// TestFarBucket has a bucket in another region than the connector.
func TestFarBucket(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a bucket in another region is found there, and its profile names that region")
	a.buckets()
	w.ok("svcconn", "list-resources", "--resource-type", "s3-bucket").says("s3://"+ownBucket, "s3://"+farBucket)
	w.ok("svcconn", "verify", "prod", "--resource-type", "s3-bucket", "--resource-name", farBucket).says("s3://" + farBucket)
	var keys struct {
		Region          string `json:"region"`
		SecretAccessKey string `json:"secret_access_key"`
	}
	text := w.cmd("svcconn", "credential", "--connector", "prod", "-r", "s3-bucket", "-n", "arn:aws:s3:::"+farBucket, "--format", "json").revealing().run().exits(0).stdout
	if err := json.Unmarshal([]byte(text), &keys); err != nil || keys.Region != awayRegion {
		t.Errorf("the keys for the bucket are said to be for region %q, want %s (%v)", keys.Region, awayRegion, err)
	}
	need(t, debianAWS)
	w.loginAWS("far", "s3://"+farBucket)
	w.ok(debianAWS, "--profile", "far", "s3", "cp", w.file("hello", "hello.txt"), "s3://"+farBucket+"/hello.txt")
	w.ok(debianAWS, "--profile", "far", "s3", "ls", "s3://"+farBucket).says("hello.txt")
}

// TestAWSMethods registers each auth method whose keys a person has, and asks who the
// keys make us.
func TestAWSMethods(t *testing.T) {
	t.Parallel()
	need(t, debianAWS)
	for name, prepare := range map[string]func(a *account) awsLogin{
		"iam-role": func(a *account) awsLogin { return a.role("dev", awstest.Role{}) },
		"role-chain": func(a *account) awsLogin {
			first := a.Role("first", awstest.Role{})
			l := a.role("last", awstest.Role{ExternalID: "e2e-42"})
			return awsLogin{l.method, with(l.fields, "role_chain", first, "external_id", "e2e-42"), nil, l.whoami}
		},
		"session-token": func(a *account) awsLogin { return awsLogin{"session-token", keyFields(a.ada), nil, "user/ada-"} },
		"secret-key":    func(a *account) awsLogin { return awsLogin{"secret-key", keyFields(a.ada), nil, "user/ada-"} },
		"federation-token": func(a *account) awsLogin {
			return awsLogin{"federation-token", with(keyFields(a.ada), "policy", awstest.AllowAll), nil, "federated-user/"}
		},
		"web-identity": func(a *account) awsLogin {
			arn := a.Role("web", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{Subject: "ci"}})
			token := a.aws.WebIdentity("ci", "sts.amazonaws.com")
			a.w.guard(token)
			path := filepath.Join(a.w.t.TempDir(), "token")
			must(a.w.t, os.WriteFile(path, []byte(token), 0o600))
			return awsLogin{"web-identity", map[string]string{"role_arn": arn, "web_identity_token_file": path}, nil, "assumed-role/web/"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register and verify tell who STS says we are; the AWS CLI gets keys that make it the same")
			a := w.useAWS()
			l := prepare(a)
			l.register(w, "prod").exits(0)
			w.ok("svcconn", "verify", "prod").says(l.whoami)
			w.loginAWS("all")
			w.ok(debianAWS, "--profile", "all", "sts", "get-caller-identity").says(l.whoami)
			w.ok("svcconn", "describe", "prod", "-o", "json").says(a.ID())
		})
	}
}
