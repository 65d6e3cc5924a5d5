package aws

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/svcconn/svcconn/pkg/fault"
)

// written is a folder with files of an archive in it.
func written(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range archive.Files {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sharedOf(t *testing.T, text string) *sharedFiles {
	t.Helper()
	dir := written(t, txtar.Parse([]byte(text)))
	files, err := readShared(filepath.Join(dir, "config"), filepath.Join(dir, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSectionsAreReadAsTheSDKsDo(t *testing.T) {
	t.Parallel()
	got := parseSections("\ufeffregion = lost\n" + `
# comment
[default]
region = eu-central-1 # comment
Output=json
url: http://a=b
quoted = "a b"
half = "
hash = a#b
s3 =
  endpoint_url = http://s3 # belongs to it
  max = 1
text = a
  and more
  aws_access_key_id = late   # promoted
no value
[profile  "with space"] ; comment
region=x
[default]
output = text
[broken
`)
	want := sections{
		"default": {
			values: map[string]string{
				"region": "eu-central-1", "output": "text", "url": "http://a=b", "quoted": "a b", "half": `"`, "hash": "a#b", "s3": "",
				"text": "a\nand more", "aws_access_key_id": "late",
			},
			nested: map[string]map[string]string{"s3": {"endpoint_url": "http://s3 # belongs to it", "max": "1"}},
		},
		"profile with space": {values: map[string]string{"region": "x"}, nested: map[string]map[string]string{}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(section{})); diff != "" {
		t.Error(diff)
	}
}

func TestCredentialsFileWins(t *testing.T) {
	t.Parallel()
	files := sharedOf(t, `
-- config --
[default]
region = eu-central-1
[profile default]
region = eu-west-1
aws_access_key_id = AKIAOLD
aws_secret_access_key = old
aws_session_token = stale
[dev]
region = ignored
-- credentials --
[default]
aws_access_key_id = AKIANEW
aws_secret_access_key = new
[profile dev]
aws_access_key_id = ignored
`)
	p, err := files.find("default")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.values["region"] + p.values["aws_access_key_id"] + p.values["aws_session_token"]; got != "eu-west-1AKIANEW" || filepath.Base(p.saved) != "credentials" {
		t.Errorf("%q, from %s", got, p.saved)
	}
	if len(files.profiles) != 1 {
		t.Errorf("there are %d profiles", len(files.profiles))
	}
}

func TestProfilesThatDoNotWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ config, error, hint string }{
		"there is none":        {"", `there is no profile "dev" in`, "begins with [profile NAME]"},
		"typo":                 {"[profile dve]\n", `there is no profile "dev"`, `did you mean "dve"`},
		"others":               {"[profile production]\n[default]\n", `there is no profile "dev"`, "there are: default, production"},
		"nothing":              {"[profile dev]\nregion=x\n", "has no login", "it needs an access key"},
		"source missing":       {"[profile dev]\nrole_arn=r\nsource_profile=bse\n[profile base]\n", `profile dev: source_profile: there is no profile "bse"`, `did you mean "base"`},
		"source without login": {"[profile dev]\nrole_arn=r\nsource_profile=base\n[profile base]\n", `profile "base" in`, ""},
		"loop":                 {"[profile dev]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=s\nsource_profile=dev\n", `ends where it began: dev → a → dev`, "keys of its own"},
		"loop of one":          {"[profile dev]\nrole_arn=r\nsource_profile=dev\n", `ends where it began: dev → dev`, ""},
		"loop further on":      {"[profile dev]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=s\nsource_profile=b\n[profile b]\nrole_arn=s\nsource_profile=a\n", `dev → a → b → a`, ""},
		"no role":              {"[profile dev]\nsource_profile=a\n", "has no role_arn", ""},
		"no source":            {"[profile dev]\nrole_arn=r\n", "does not say with whose keys", "source_profile"},
		"two sources":          {"[profile dev]\nrole_arn=r\nsource_profile=a\ncredential_source=Environment\n", "both source_profile and credential_source", ""},
		"unknown source":       {"[profile dev]\nrole_arn=r\ncredential_source=Ec2\n", "credential_source that is none", "Ec2InstanceMetadata"},
		"duration":             {"[profile dev]\nrole_arn=r\nsource_profile=a\nduration_seconds=899\n", "not between 900 and 43200", ""},
		"no duration":          {"[profile dev]\nrole_arn=r\nsource_profile=a\nduration_seconds=1h\n", "not between 900 and 43200", ""},
		"token without a role": {"[profile dev]\nweb_identity_token_file=/t\n", "has no role_arn", ""},
		"no such session":      {"[profile dev]\nsso_session=s\n", `the sso_session "s", which is not there`, "[sso-session s]"},
		"half a session":       {"[profile dev]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n[sso-session s]\nsso_region=x\n", "has no sso_start_url", "aws configure sso"},
		"another region":       {"[profile dev]\nsso_session=s\nsso_region=y\n[sso-session s]\nsso_region=x\n", "another sso_region than", ""},
		"half of legacy SSO":   {"[profile dev]\nsso_start_url=u\nsso_region=x\nsso_account_id=1\n", "has no sso_role_name", ""},
		"aws login":            {"[profile dev]\nlogin_session=arn:aws:iam::1:user/a\n", "which the AWS CLI alone can use", "export-credentials --profile dev"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sharedOf(t, "-- config --\n"+test.config).chain("dev")
			if err == nil || !strings.Contains(err.Error(), test.error) || !strings.Contains(fault.HintOf(err), test.hint) {
				t.Errorf("%v (%s)", err, fault.HintOf(err))
			}
		})
	}
}

const chainedProfiles = `
-- config --
[profile keys]
aws_access_key_id = AKIA1
aws_secret_access_key = s
[profile role]
role_arn = top
source_profile = middle
external_id = e
duration_seconds = 3600
[profile middle]
role_arn = mid
source_profile = keys
[profile self]
role_arn = own
source_profile = self
aws_access_key_id = AKIA2
aws_secret_access_key = s
[profile stops]
role_arn = top
source_profile = self
[profile env]
role_arn = e
credential_source = Environment
[profile token]
role_arn = t
web_identity_token_file = /t
[profile behind]
role_arn = b
source_profile = token
[profile process]
credential_process = p
[profile sso]
sso_session = s
sso_account_id = 1
sso_role_name = r
aws_access_key_id = AKIA3
aws_secret_access_key = s
[sso-session s]
sso_start_url = u
sso_region = x
sso_registration_scopes = a, b
`

func TestChains(t *testing.T) {
	t.Parallel()
	files := sharedOf(t, chainedProfiles)
	for name, want := range map[string]struct {
		base   string
		origin origin
		roles  string
	}{
		"keys": {"keys", fromKeys, ""}, "role": {"keys", fromKeys, "mid top"}, "self": {"self", fromKeys, "own"}, "stops": {"self", fromKeys, "top"},
		"env": {"env", fromEnvironment, "e"}, "token": {"token", fromWebIdentity, "t"}, "behind": {"token", fromWebIdentity, "t b"},
		"process": {"process", fromProcess, ""}, "sso": {"sso", fromSSO, ""},
	} {
		c, err := files.chain(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var roles []string
		for _, role := range c.roles {
			roles = append(roles, role.arn)
		}
		if got := strings.Join(roles, " "); c.base.name != want.base || c.origin != want.origin || got != want.roles {
			t.Errorf("%s: %s, %v, %q", name, c.base.name, c.origin, got)
		}
	}
	c, _ := files.chain("sso")
	if diff := cmp.Diff(ssoPlace{"s", "u", "x", "1", "r", []string{"a", "b"}}, c.sso, cmp.AllowUnexported(ssoPlace{})); diff != "" {
		t.Error(diff)
	}
}

func TestKeysOfProfiles(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for text, want := range map[string]struct {
		error   string
		expires time.Time
		endless bool
	}{
		"aws_access_key_id=AKIA1\naws_secret_access_key=s":                       {},
		"aws_access_key_id=AKIA1":                                                {error: "an access key id without its secret"},
		"aws_secret_access_key=" + planted:                                       {error: "a secret access key without its id"},
		"aws_access_key_id=ASIA1\naws_secret_access_key=" + planted:              {error: "without their session token"},
		"aws_access_key_id=ASIA1\naws_secret_access_key=s\naws_security_token=t": {endless: true},
		"aws_access_key_id=ASIA1\naws_secret_access_key=s\naws_session_token=t\nx_security_token_expires=2026-01-02T16:04:05+01:00": {expires: end},
		"aws_access_key_id=ASIA1\naws_secret_access_key=s\naws_session_token=t\naws_expiration=2026-01-02T15:04:05Z":                {expires: end},
		"aws_access_key_id=ASIA1\naws_secret_access_key=s\naws_session_token=t\nexpiration=2026-01-02 15:04:05":                     {expires: end},
		"aws_access_key_id=ASIA1\naws_secret_access_key=s\naws_session_token=t\nexpiration=" + planted:                              {error: "is not a time"},
	} {
		p, err := sharedOf(t, "-- credentials --\n[x]\n"+text+"\n").find("x")
		if err != nil {
			t.Fatal(err)
		}
		k, err := p.keys()
		noCanary(t, text, err)
		if want.error != "" {
			if err == nil || !strings.Contains(err.Error(), want.error) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil || !k.expires.Equal(want.expires) || k.endless() != want.endless {
			t.Errorf("%s: %v, until %v", text, err, k.expires)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := readShared(dir, filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: %v", err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, maxShared+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readShared(filepath.Join(dir, "none"), large); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
	files, err := readShared(filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.find("dev"); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("no files: %v", err)
	}
}

// asTheSDK is what the SDK's own reader makes of a profile; ok is false where it refuses
// or panics.
func asTheSDK(configFile, credentials, name string) (c config.SharedConfig, ok bool) {
	defer func() { ok = recover() == nil && ok }() // it cannot take a value that is one quote
	c, err := config.LoadSharedConfigProfile(context.Background(), name, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{configFile}, []string{credentials}
	})
	return c, err == nil
}

// FuzzSharedConfig: whatever the files are, reading them does not panic, no error has a
// secret in it, and where the SDK reads a profile it is read in the same way.
func FuzzSharedConfig(f *testing.F) {
	f.Add("[default]\nregion = x\nrole_arn = r\nsource_profile = default\n", "[default]\naws_access_key_id = AKIA1\n")
	f.Add("[profile dev]\nsso_session = s\n[sso-session s]\nsso_region = x\n", "[dev]\naws_access_key_id: ASIA1\n  aws_session_token = t\n")
	f.Add("[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n", "")
	f.Add("[default]\ns3 =\n  x = 1\n  y\ncredential_process = a 'b\nduration_seconds=1\n", "[default]\nexpiration = 1\n")
	f.Fuzz(func(t *testing.T, configText, credentialsText string) {
		dir := t.TempDir()
		configFile, credentials := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
		for path, text := range map[string]string{configFile: configText, credentials: credentialsText + "\naws_secret_access_key = " + planted + "\n"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		files, err := readShared(configFile, credentials)
		if err != nil {
			t.Fatal(err)
		}
		_, err = files.find("dev")
		noCanary(t, "find", err)
		for name, p := range files.profiles {
			found, err := files.chain(name)
			noCanary(t, "chain", err)
			if err == nil && found.origin == fromKeys {
				_, err = found.base.keys()
				noCanary(t, "keys", err)
			}
			if sdk, ok := asTheSDK(configFile, credentials, name); ok && !strings.ContainsAny(configText+credentialsText, "\"'\ufeff") {
				alike(t, p, sdk)
			}
		}
	})
}

func alike(t *testing.T, p *profile, sdk config.SharedConfig) {
	t.Helper()
	for key, want := range map[string]string{
		"region": sdk.Region, "role_arn": sdk.RoleARN, "external_id": sdk.ExternalID, "mfa_serial": sdk.MFASerial,
		"sso_session": sdk.SSOSessionName, "ca_bundle": sdk.CustomCABundle, "login_session": sdk.LoginSession,
	} {
		if got := p.values[key]; got != want {
			t.Errorf("profile %q: %s is %q, and %q for the SDK", p.name, key, got, want)
		}
	}
	if sdk.Credentials.HasKeys() && p.values["aws_access_key_id"] != sdk.Credentials.AccessKeyID {
		t.Errorf("profile %q: the key is %q, and %q for the SDK", p.name, p.values["aws_access_key_id"], sdk.Credentials.AccessKeyID)
	}
}
