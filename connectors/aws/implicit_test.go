package aws

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// write writes a file into the home folder.
func (w *world) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.host.Home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// section is a section of a credentials file.
func sectionOf(name string, k awstest.Keys) string {
	text := fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, k.AccessKeyID, k.SecretAccessKey)
	if k.SessionToken != "" {
		text += "aws_session_token = " + k.SessionToken + "\n"
	}
	return text
}

// follow opens a session that follows a profile.
func (w *world) follow(t *testing.T, profile string, more map[string]any) *session {
	t.Helper()
	fields := map[string]any{"region": "eu-central-1", "profile_name": profile}
	for name, value := range more {
		fields[name] = value
	}
	return w.opened(t, methodImplicit, fields)
}

func TestImplicitKeysAndRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.Account(account1)
	inner := a.Role("gate", awstest.Role{})
	outer := w.Account(account2).Role("deployer", awstest.Role{ExternalID: "customer-1", MaxSession: 2 * time.Hour, Trust: []string{inner}})
	w.write(t, ".aws/credentials", sectionOf("base", a.User("jane")))
	w.write(t, ".aws/config", fmt.Sprintf(`
[profile gate]
role_arn = %s
source_profile = base
[profile deployer]
role_arn = %s
source_profile = gate
external_id = customer-1
role_session_name = jane-at-work
[profile long]
role_arn = %[1]s
source_profile = base
duration_seconds = 1800
`, inner, outer))

	k, arn := got(t, w.follow(t, "base", nil), purpose{})
	if !strings.HasSuffix(arn, ":user/jane") || !k.expires.IsZero() {
		t.Errorf("%s until %v", arn, k.expires)
	}
	k, arn = got(t, w.follow(t, "deployer", nil), purpose{scope: awstest.AllowAll})
	if !strings.HasSuffix(arn, "assumed-role/deployer/jane-at-work") || !k.expires.Equal(noon.Add(time.Hour)) || k.account != account2 {
		t.Errorf("%s until %v", arn, k.expires)
	}
	sent := w.sent("AssumeRole")
	if first, last := sent[0], sent[1]; first.Has("Policy") || first.Has("ExternalId") || last.Get("Policy") == "" || last.Get("ExternalId") != "customer-1" {
		t.Errorf("it sent %v", sent)
	}
	if k, _ = got(t, w.follow(t, "long", nil), purpose{}); !k.expires.Equal(noon.Add(30 * time.Minute)) {
		t.Errorf("duration_seconds was not asked for: until %v", k.expires)
	}
	if k, _ = got(t, w.follow(t, "long", nil), purpose{lifetime: time.Hour}); !k.expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("the lifetime was not asked for: until %v", k.expires)
	}
	further := w.follow(t, "base", map[string]any{"role_arn": inner, "account_id": account1})
	if _, arn = got(t, further, purpose{}); !strings.Contains(arn, "assumed-role/gate/svcconn") {
		t.Errorf("it is %s", arn)
	}
}

func TestImplicitRefusesAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := map[string]any{"account_id": account1}
	w.write(t, ".aws/credentials", sectionOf("default", w.Account(account1).User("jane")))
	got(t, w.follow(t, "default", mine), purpose{})
	w.write(t, ".aws/credentials", sectionOf("default", w.Account(account2).User("jane")))
	s := w.follow(t, "default", mine)
	if err := refusal(t, s, purpose{}); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "now for account "+account2) {
		t.Error(err)
	}
	// What the profile says of its account is not the last word, but enough to refuse.
	w.write(t, ".aws/credentials", sectionOf("default", w.Account(account2).User("jane"))+"aws_account_id = "+account2+"\n")
	w.ResetCalls()
	if err := refusal(t, w.follow(t, "default", mine), purpose{}); !fault.Is(err, fault.Denied) || w.Count("sts", "GetCallerIdentity") != 0 {
		t.Errorf("%v, after %v", err, w.Calls())
	}
}

func TestImplicitProfilesThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("deployer", awstest.Role{})
	w.write(t, ".aws/credentials", "[base]\naws_access_key_id = AKIA1\naws_secret_access_key = "+planted+"\n"+
		"[temporary]\naws_access_key_id = ASIA1\naws_secret_access_key = "+planted+"\naws_session_token = "+planted+"\n"+
		"[over]\naws_access_key_id = ASIA1\naws_secret_access_key = "+planted+"\naws_session_token = "+planted+"\naws_expiration = 2020-01-01T00:00:00Z\n")
	w.write(t, ".aws/config", "[profile mfa]\nrole_arn = "+role+"\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/x\n"+
		"[profile env]\nrole_arn = "+role+"\ncredential_source = Environment\n"+
		"[profile here]\ncredential_process = '/my tools/svcconn' credential --connector x --format credential-process\n"+
		"[profile through]\nrole_arn = "+role+"\nsource_profile = here\n"+
		"[profile quote]\ncredential_process = a 'b\n[profile partition]\nrole_arn = arn:aws-cn:iam::"+account1+":role/x\nsource_profile = base\n"+
		"[profile name]\nrole_arn = deployer\nsource_profile = base\n[profile token]\nrole_arn = deployer\nweb_identity_token_file = /token\n"+
		"[profile session]\nrole_arn = "+role+"\nsource_profile = base\nrole_session_name = a b\n")
	for name, test := range map[string]struct {
		want  purpose
		kind  fault.Kind
		error string
	}{
		"none":      {purpose{}, fault.NotFound, `there is no profile "none"`},
		"mfa":       {purpose{}, fault.Invalid, "wants a code of arn:aws:iam::1:mfa/x"},
		"env":       {purpose{}, fault.Invalid, "takes its keys from Environment"},
		"quote":     {purpose{}, fault.Invalid, "profile quote: credential_process: "},
		"here":      {purpose{}, fault.Invalid, `profile "here" has its keys from svcconn`},
		"through":   {purpose{}, fault.Invalid, `profile "here" has its keys from svcconn`},
		"partition": {purpose{}, fault.Invalid, "partition aws-cn"},
		"name":      {purpose{}, fault.Invalid, `profile name: role_arn: "deployer" is not the ARN of a role`},
		"token":     {purpose{}, fault.Invalid, `profile token: role_arn: "deployer" is not the ARN of a role`},
		"session":   {purpose{}, fault.Invalid, "profile session: role_session_name: "},
		"temporary": {purpose{}, fault.Invalid, "does not say until when"},
		"over":      {purpose{}, fault.Denied, "have expired"},
		"base":      {purpose{lifetime: time.Hour}, fault.Invalid, "profile base decides about the lifetime"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := refusal(t, w.follow(t, name, nil), test.want)
			if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.error) {
				t.Error(err)
			}
			noCanary(t, name, err)
		})
	}
}

func TestImplicitProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account1).User("jane")
	w.write(t, ".aws/config", "[default]\ncredential_process = 'my program' get --profile \"a b\"\n")
	answer := func(fields map[string]any) connector.Finished {
		raw, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return connector.Finished{Stdout: raw, Stderr: []byte("no luck with " + planted)}
	}
	keys := map[string]any{"Version": 1, "AccessKeyId": user.AccessKeyID, "SecretAccessKey": user.SecretAccessKey, "AccountId": account1, "Expiration": "2026-01-02T12:30:00Z"}
	changed := func(name string, value any) map[string]any {
		out := map[string]any{name: value}
		for key, value := range keys {
			if _, ok := out[key]; !ok {
				out[key] = value
			}
		}
		return out
	}
	for name, test := range map[string]struct {
		finished connector.Finished
		error    string
	}{
		"keys":                  {answer(keys), ""},
		"failed":                {connector.Finished{Failure: "exit status 3", Stdout: []byte(planted), Stderr: []byte("not logged in\n" + planted)}, "program my program: exit status 3: not logged in"},
		"no JSON":               {connector.Finished{Stdout: []byte("token: " + planted)}, "is not JSON of keys"},
		"version":               {answer(changed("Version", 2)), "of version 2"},
		"no keys":               {answer(changed("SecretAccessKey", "")), "there are no keys"},
		"expiration":            {answer(changed("Expiration", planted)), "is not a time"},
		"temporary without end": {answer(map[string]any{"Version": 1, "AccessKeyId": "ASIA1", "SecretAccessKey": planted, "SessionToken": planted}), "does not say until when"},
		"over":                  {answer(changed("Expiration", "2026-01-02T11:30:00Z")), "have expired"},
	} {
		host := w.host
		var ran connector.Command
		host.Run = func(_ context.Context, c connector.Command) (connector.Finished, error) {
			ran = c
			return test.finished, nil
		}
		s := (&world{Server: w.Server, clock: w.clock, host: host}).follow(t, "default", nil)
		if test.error != "" {
			err := refusal(t, s, purpose{})
			if !strings.Contains(err.Error(), test.error) {
				t.Errorf("%s: %v", name, err)
			}
			noCanary(t, name, err)
			continue
		}
		k, _ := got(t, s, purpose{})
		if !k.expires.Equal(noon.Add(30*time.Minute)) || ran.Program != "my program" || strings.Join(ran.Args, "|") != "get|--profile|a b" {
			t.Errorf("%s: %v, %+v", name, k.expires, ran)
		}
	}
}

// cachedLogin writes a login as the AWS CLI does.
func (w *world) cachedLogin(t *testing.T, key, token string, expires time.Time) {
	t.Helper()
	sum := sha1.Sum([]byte(key))
	w.write(t, ".aws/sso/cache/"+hex.EncodeToString(sum[:])+".json",
		fmt.Sprintf(`{"startUrl":%q,"region":"eu-west-1","accessToken":%q,"expiresAt":%q,"refreshToken":"r"}`, startURL1, token, expires.UTC().Format(time.RFC3339)))
}

func TestImplicitUsesTheLoginOfTheCLI(t *testing.T) {
	t.Parallel()
	w, _ := center(t, awstest.SSO{AutoApprove: true, TokenLifetime: 8 * time.Hour})
	login := w.openSSOWith(t, nil, nil)
	got(t, login, purpose{})
	token := w.ssoOf(t, login).token.access.Reveal()
	w.write(t, ".aws/config", "[profile new]\nsso_session = work\nsso_account_id = "+account1+"\nsso_role_name = Developer\n"+
		"[sso-session work]\nsso_start_url = "+startURL1+"\nsso_region = eu-west-1\n"+
		"[profile old]\nsso_start_url = "+startURL1+"\nsso_region = eu-west-1\nsso_account_id = "+account1+"\nsso_role_name = Developer\n")
	for profile, key := range map[string]string{"new": "work", "old": startURL1} {
		err := refusal(t, w.follow(t, profile, nil), purpose{})
		if !fault.Is(err, fault.NeedsPerson) || !strings.Contains(fault.HintOf(err), "aws sso login --profile "+profile) {
			t.Errorf("%s: %v", profile, err)
		}
		w.cachedLogin(t, key, token, w.clock.Now().Add(time.Hour))
		if _, arn := got(t, w.follow(t, profile, map[string]any{"account_id": account1}), purpose{}); !strings.Contains(arn, "Developer") {
			t.Errorf("%s: it is %s", profile, arn)
		}
		w.cachedLogin(t, key, token, w.clock.Now())
		if err := refusal(t, w.follow(t, profile, nil), purpose{}); !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), "is over") {
			t.Errorf("%s: %v", profile, err)
		}
		w.cachedLogin(t, key, planted, w.clock.Now().Add(time.Hour))
		err = refusal(t, w.follow(t, profile, nil), purpose{})
		if !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), "not honoured any more") {
			t.Errorf("%s: %v", profile, err)
		}
		noCanary(t, profile, err)
	}
}

// Whose the keys are is said by more files than the two of profiles.
func TestImplicitReadsTheFilesThatSayWho(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.write(t, ".aws/config", "[profile pod]\nrole_arn = arn:aws:iam::"+account1+":role/x\nweb_identity_token_file = /run/token\n"+
		"[profile further]\nrole_arn = arn:aws:iam::"+account1+":role/y\nsource_profile = pod\n"+
		"[profile new]\nsso_session = work\nsso_account_id = "+account1+"\nsso_role_name = Developer\n"+
		"[sso-session work]\nsso_start_url = "+startURL1+"\nsso_region = eu-west-1\n"+
		"[profile old]\nsso_start_url = "+startURL1+"\nsso_region = eu-west-1\nsso_account_id = "+account1+"\nsso_role_name = Developer\n"+
		"[profile broken]\nrole_arn = x\n")
	both := []string{config, filepath.Join(w.host.Home, ".aws", "credentials")}
	login := func(key string) string {
		sum := sha1.Sum([]byte(key))
		return filepath.Join(w.host.Home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
	}
	for profile, want := range map[string][]string{
		"pod": append(both, "/run/token"), "further": append(both, "/run/token"),
		"new": append(both, login("work")), "old": append(both, login(startURL1)), "broken": both, "none": both,
	} {
		method, err := Type().Method(methodImplicit)
		if err != nil {
			t.Fatal(err)
		}
		if got := method.Reads(w.host, w.follow(t, profile, nil).values); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", profile, got, want)
		}
	}
	container := w.opened(t, methodImplicit, map[string]any{
		"region": "eu-central-1", "credential_source": sourceContainer, "container_credentials_uri": "http://169.254.170.23/v1/credentials",
		"container_authorization_token_file": "/run/token",
	})
	if got := filesOfOthers(w.host, container.values); !slices.Equal(got, []string{"/run/token"}) {
		t.Errorf("a container: %v", got)
	}
}

func TestImplicitWebIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.Account(account1)
	role := a.Role("pod", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{Subject: "system:serviceaccount:ci:deployer"}})
	further := a.Role("deployer", awstest.Role{})
	token := w.write(t, "token", w.WebIdentity("system:serviceaccount:ci:deployer", "sts.amazonaws.com"))
	w.write(t, ".aws/config", "[profile pod]\nrole_arn = "+role+"\nweb_identity_token_file = "+token+"\n"+
		"[profile further]\nrole_arn = "+further+"\nsource_profile = pod\n")
	for name, s := range map[string]*session{
		"pod/":      w.follow(t, "pod", nil),
		"deployer/": w.follow(t, "further", nil),
		"pod/svcconn": w.opened(t, methodImplicit, map[string]any{
			"region": "eu-central-1", "credential_source": sourceWebIdentity, "web_identity_token_file": token, "role_arn": role,
		}),
	} {
		if _, arn := got(t, s, purpose{}); !strings.Contains(arn, "assumed-role/"+name) {
			t.Errorf("%s: it is %s", name, arn)
		}
	}
}

func TestImplicitIsRefusedBeforehand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		fields     map[string]any
		expiration time.Duration
		error      string
	}{
		"field of another source": {map[string]any{"credential_source": "instance", "profile_name": "dev"}, 0, "field profile_name is about another source"},
		"container without":       {map[string]any{"credential_source": "container"}, 0, `needs the field "container_credentials_uri"`},
		"token without":           {map[string]any{"credential_source": "web-identity", "role_arn": "arn:aws:iam::" + account1 + ":role/x"}, 0, `needs the field "web_identity_token_file"`},
		"role without":            {map[string]any{"credential_source": "web-identity", "web_identity_token_file": filepath.Join(w.host.Home, "t")}, 0, `needs the field "role_arn"`},
		"plain http":              {map[string]any{"credential_source": "container", "container_credentials_uri": "http://example.com/"}, 0, "plain http is for"},
		"no address":              {map[string]any{"credential_source": "container", "container_credentials_uri": "example"}, 0, "not the address of a metadata service"},
		"expiration":              {map[string]any{"credential_source": "instance"}, time.Hour, "the instance decides"},
		"relative":                {map[string]any{"config_file": "config"}, 0, "config_file"},
		"policy without a role":   {map[string]any{"policy": awstest.AllowAll}, 0, "no role is named"},
	} {
		test.fields["region"] = "eu-central-1"
		spec := w.spec(t, methodImplicit, test.fields)
		spec.Expiration = test.expiration
		settings, err := connector.Types{Type()}.Check(spec)
		if err == nil {
			_, err = open(w.host, settings)
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.error) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for address, ok := range map[string]bool{
		"http://169.254.170.2/v2/x": true, "http://169.254.170.23/v1/credentials": true, "http://[fd00:ec2::23]/v1": true, "http://localhost:1/x": true,
		"https://example.com/x": true, "http://169.254.169.254/x": false, "http://169.254.170.2.example.com/": false, "ftp://localhost/": false, "https://u:p@example.com/": false,
	} {
		if _, err := checkContainerURI(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
