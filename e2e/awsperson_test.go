//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// TestAWSAutoConfigure is the seeds' main example: what the AWS CLI has on this machine
// becomes a connector, and the keys go to the keyring.
func TestAWSAutoConfigure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files  func(a *account) (config, credentials string)
		flags  []string
		method string
		whoami string
	}{
		"keys of the default profile": {func(a *account) (string, string) {
			return "[default]\nregion = " + homeRegion + "\n", keysSection("default", a.ada)
		}, nil, "session-token", ":user/ada-"},
		"role with source profile": {func(a *account) (string, string) {
			arn := a.Role("dev", awstest.Role{ExternalID: "e2e-42"})
			return fmt.Sprintf("[profile dev]\nregion = %s\nrole_arn = %s\nexternal_id = e2e-42\nsource_profile = base\n", homeRegion, arn), keysSection("base", a.ada)
		}, []string{"--set", "profile_name=dev"}, "iam-role", "assumed-role/dev/"},
		"chain of roles": {func(a *account) (string, string) {
			first, last := a.Role("first", awstest.Role{}), a.Role("last", awstest.Role{})
			return fmt.Sprintf("[profile last]\nregion = %s\nrole_arn = %s\nsource_profile = first\n[profile first]\nrole_arn = %s\nsource_profile = base\n", homeRegion, last, first), keysSection("base", a.ada)
		}, []string{"--set", "profile_name=last"}, "iam-role", "assumed-role/last/"},
		"keys handed to iam-role": {func(a *account) (string, string) {
			a.Role("dev", awstest.Role{})
			return "[default]\nregion = " + homeRegion + "\n", keysSection("default", a.ada)
		}, []string{"--auth-method", "secret-key"}, "secret-key", ":user/ada-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register --auto-configure recognises the login for what it is; the connector works without the files")
			a := w.useAWS()
			config, credentials := c.files(a)
			configFile, credentialsFile := w.file(config, "home", ".aws", "config"), w.file(credentials, "home", ".aws", "credentials")
			w.ok(append([]string{"svcconn", "register", "aws-auto", "--type", "aws", "--auto-configure"}, c.flags...)...).says("aws-auto")
			must(t, os.Remove(configFile))
			must(t, os.Remove(credentialsFile))
			w.ok("svcconn", "verify", "aws-auto").says(c.whoami)
			w.ok("svcconn", "describe", "aws-auto", "-o", "json").says(`"auth_method": "`+c.method+`"`, a.ID())
		})
	}
}

func keysSection(name string, keys awstest.Keys) string {
	return fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, keys.AccessKeyID, keys.SecretAccessKey)
}

// TestAWSImplicit borrows the identity of a profile, which has to be allowed.
func TestAWSImplicit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "auth method implicit is refused until allow_implicit is set, follows its profile at every mint, not the environment of whoever starts the agent, and never to another account")
	a := w.useAWS()
	outside := t.TempDir() // these keys are somebody's, in plain text
	credentials := outside + "/credentials"
	profile := func(keys awstest.Keys) { must(t, os.WriteFile(credentials, []byte(keysSection("dev", keys)), 0o600)) }
	profile(a.ada)
	role := a.Role("dev", awstest.Role{})
	l := awsLogin{method: "implicit", fields: map[string]string{"profile_name": "dev", "shared_credentials_file": credentials, "role_arn": role}}
	l.register(w, "prod").exits(4).says("allow_implicit = true")
	w.file("[connectors]\nallow_implicit = true\n", "svcconn", "config.toml")
	l.register(w, "prod").exits(0)
	w.ok("svcconn", "agent", "stop")
	stranger := a.newUser("mallory")
	foreign := []string{"AWS_PROFILE=other", "AWS_ACCESS_KEY_ID=" + stranger.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + stranger.SecretAccessKey}
	var keys awsKeys
	w.decode(w.cmd("svcconn", "credential", "--connector", "prod", "-r", "aws-generic", "--format", "credential-process").setenv(foreign...).revealing().run().exits(0), &keys)
	w.wantKeys(a, keys)
	if by := a.principals(); strings.Join(by, " ") != a.ada.ARN {
		t.Errorf("the role was assumed by %v, want %s", by, a.ada.ARN)
	}
	plain := awsLogin{method: "implicit", fields: with(l.fields, "role_arn", "")}
	plain.register(w, "plain").exits(0)
	ask := []string{"svcconn", "credential", "--connector", "plain", "-r", "aws-generic", "--format", "env"}
	w.cmd(ask...).revealing().run().exits(0).says(a.ada.AccessKeyID)
	them := &account{Account: a.aws.Account(newAccountID()), w: w, aws: a.aws}
	profile(them.newUser("eve"))
	w.cmd(ask...).revealing().run().exits(4).says(them.ID(), a.ID())
	w.file("", "svcconn", "config.toml")
	w.ok("svcconn", "agent", "stop")
	profile(a.ada)
	w.cmd("svcconn", "credential", "--connector", "prod", "-r", "aws-generic", "--format", "credential-process").run().exits(4).says("allow_implicit")
}

// principals are those who assumed roles since the registration.
func (a *account) principals() []string {
	seen := map[string]bool{}
	var list []string
	for _, call := range a.aws.Calls() {
		if call.Action == "AssumeRole" && call.Code == "" && !seen[call.Principal] {
			seen[call.Principal] = true
			list = append(list, call.Principal)
		}
	}
	return list
}

// TestAWSMFA has a role that wants a second factor.
func TestAWSMFA(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "MFA: nobody there is exit code 6 at once, a wrong code is refused in AWS's words, a right one opens a session that mints without asking again")
	a := w.useAWS()
	ada := a.newUser("mfa-" + w.tag())
	serial, code := a.MFADevice("mfa-" + w.tag())
	l := a.role("dev", awstest.Role{MFA: true})
	l.fields = with(keyFields(ada), "role_arn", l.fields["role_arn"], "mfa_serial", serial)
	l.register(w, "prod").exits(6).says("code")
	w.wantKeyring(0)
	defer w.removePasswords()
	w.cmd(l.registerArgs(w, "prod")...).onTerminal(answer{"MFA device", "000000"}).exits(4).says("MultiFactorAuthentication")
	w.cmd(l.registerArgs(w, "prod")...).onTerminal(answer{"MFA device", code()}).exits(0).says("assumed-role/dev/")
	for range 2 {
		w.ok("svcconn", "agent", "forget")
		w.keysFor(a, "aws-generic", "")
	}
}

// TestAWSSSO logs in to IAM Identity Center, with somebody at the browser.
func TestAWSSSO(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sso: nobody there is exit code 6 at once; a login in the browser is kept in the keyring, refreshed without a person, and refused when it was denied")
	a := w.useAWS()
	const portal = "https://e2e.awsapps.com/start"
	a.aws.SSO(awstest.SSO{StartURL: portal, Region: awayRegion, Assignments: map[string][]string{a.ID(): {"Developer"}}, TokenLifetime: time.Minute})
	l := awsLogin{method: "sso", fields: map[string]string{"sso_start_url": portal, "sso_region": awayRegion, "sso_account_id": a.ID(), "sso_role_name": "Developer"}}
	l.register(w, "prod").exits(6).says("svcconn")
	w.noBrowser()
	browser := func(decide func(code string) bool) func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				for _, code := range a.aws.UserCodes() {
					decide(code)
					return
				}
			}
		}()
		return func() { <-done }
	}
	wait := browser(a.aws.DenyDevice)
	w.cmd(l.registerArgs(w, "prod")...).onTerminal().fails().says("denied")
	wait()
	w.wantConnectors()
	wait = browser(a.aws.ApproveDevice)
	w.cmd(l.registerArgs(w, "prod")...).onTerminal().exits(0).says("AWSReservedSSO_Developer")
	wait()
	w.ok("svcconn", "agent", "forget")
	w.keysFor(a, "aws-generic", "")
}

// noBrowser has a program that is no browser open pages, so that none opens here.
func (w *world) noBrowser() {
	w.t.Helper()
	path := w.file("#!/bin/sh\nexit 0\n", "bin", "xdg-open")
	must(w.t, os.Chmod(path, 0o700))
}

// TestAWSNoLeak has every auth method that keeps secrets be used in every way, with all
// processes writing down their arguments and environment.
func TestAWSNoLeak(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "no key, session token, registry login or EKS token is in argv, environment, audit log, files, logs or what commands print")
	trace := w.traceStarts()
	a := w.useAWS()
	a.buckets()
	a.Cluster(homeRegion, "prod", awstest.Cluster{})
	a.Repository(homeRegion, "team/app")
	a.role("dev", awstest.Role{}).register(w, "prod").exits(0)
	awsLogin{method: "session-token", fields: keyFields(a.ada)}.register(w, "session", "--resource-type", "aws-generic").exits(0)
	w.keysFor(a, "aws-generic", "")
	w.keysFor(a, "s3-bucket", "s3://"+ownBucket)
	w.ecrLogin(a.ecrHost(homeRegion))
	w.eksToken("--resource-name", "prod")
	for _, argv := range [][]string{
		{"svcconn", "list", "-o", "json"}, {"svcconn", "describe", "prod", "-o", "yaml"}, {"svcconn", "verify", "session"}, {"svcconn", "list-resources"},
		{"svcconn", "describe", "prod", "--client", "--resource-type", "aws-generic"},
		{"svcconn", "describe", "prod", "--client", "--resource-type", "s3-bucket", "--resource-name", ownBucket},
		{"svcconn", "explain", a.ecrHost(homeRegion)}, {"svcconn", "agent", "status"}, {"svcconn", "login", "docker"},
		{"svcconn", "login", "aws", "--connector", "prod", "--profile", "all"}, {"svcconn", "login", "kubectl", "--connector", "prod", "prod"}, {"docker-credential-svcconn", "list"},
	} {
		w.ok(argv...)
	}
	if w.read(trace) == "" {
		t.Fatal("nothing was traced")
	}
	var lines int
	for line := range strings.Lines(w.read(w.path("svcconn", "state", "audit.jsonl"))) {
		if !json.Valid([]byte(line)) {
			t.Error("a line of the audit log is not JSON")
		}
		lines++
	}
	if lines < 5 {
		t.Errorf("the audit log has %d lines", lines)
	}
}
