package aws

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// tokenFile is a file with a token.
func tokenFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("ci", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{Subject: "build"}, MaxSession: 2 * time.Hour})
	token := w.WebIdentity("build", "")
	var ran []connector.Command
	w.host.Run = func(_ context.Context, c connector.Command) (connector.Finished, error) {
		ran = append(ran, c)
		return connector.Finished{Stdout: []byte(token + "\n")}, nil
	}
	for name, value := range map[string]string{
		"web_identity_token_file":    tokenFile(t, filepath.Join(t.TempDir(), "token"), " "+token+"\n"),
		"web_identity_token_command": `print-token --audience 'sts amazonaws' "x y"`,
		"web_identity_token":         token,
	} {
		s := w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, name: value})
		k, arn := got(t, s, purpose{scope: onlyListS3, lifetime: 2 * time.Hour})
		if arn != "arn:aws:sts::123456789012:assumed-role/ci/svcconn" || !k.expires.Equal(noon.Add(2*time.Hour)) || k.account != account1 || !may(t, s, k) {
			t.Errorf("%s: %s until %s", name, arn, k.expires)
		}
		if k, _ := got(t, s, purpose{scope: onlyAssume}); may(t, s, k) {
			t.Errorf("%s: the scope is not enforced", name)
		}
		if s.Renewed() != nil {
			t.Errorf("%s: something was renewed", name)
		}
	}
	if len(ran) != 2 || ran[0].Program != "print-token" || fmt.Sprintf("%q", ran[0].Args) != `["--audience" "sts amazonaws" "x y"]` || ran[0].Dir != w.host.Home || ran[0].Stdin != nil {
		t.Errorf("%+v", ran)
	}
	for _, call := range w.Calls() {
		if call.Action == "AssumeRoleWithWebIdentity" && call.Principal != "" {
			t.Errorf("the call was signed: %+v", call)
		}
	}
}

func TestWebIdentityFileIsReadForEveryMint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("ci", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{}})
	path := tokenFile(t, filepath.Join(t.TempDir(), "token"), w.WebIdentity("one", ""))
	s := w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": path})
	got(t, s, purpose{})
	w.clock.advance(2 * time.Hour)
	err := refusal(t, s, purpose{scope: onlyListS3})
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "Token expired") || !strings.Contains(fault.HintOf(err), path) {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	tokenFile(t, path, w.WebIdentity("two", ""))
	got(t, s, purpose{scope: onlyListS3})
}

func TestWebIdentityChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.Account(account1).Role("ci", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{}})
	last := w.Account(account2).Role("deployer", awstest.Role{Trust: []string{first}, ExternalID: "abc"})
	s := w.opened(t, methodWebIdentity, map[string]any{
		"role_arn": last, "role_chain": first, "external_id": "abc", "source_identity": "build", "session_tags": "a=1,b=2", "transitive_tag_keys": "a",
		"web_identity_token": w.WebIdentity("x", ""),
	})
	k, arn := got(t, s, purpose{scope: onlyListS3})
	if arn != "arn:aws:sts::210987654321:assumed-role/deployer/svcconn" || !may(t, s, k) || k.account != account2 {
		t.Errorf("%s", arn)
	}
	web, role := w.sent("AssumeRoleWithWebIdentity")[0], w.sent("AssumeRole")[0]
	if web.Get("Policy") != "" || web.Get("DurationSeconds") != "900" || role.Get("SourceIdentity") != "build" || role.Get("Policy") != onlyListS3 ||
		role.Get("Tags.member.1.Key") != "a" || role.Get("Tags.member.2.Key") != "b" || role.Get("TransitiveTagKeys.member.1") != "a" {
		t.Errorf("%v\n%v", web, role)
	}
}

func TestWebIdentityRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("ci", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{Subject: "build"}})
	folder := t.TempDir()
	file := func(name, text string) map[string]any {
		return map[string]any{"web_identity_token_file": tokenFile(t, filepath.Join(folder, name), text)}
	}
	good := w.WebIdentity("build", "")
	for name, test := range map[string]struct {
		fields map[string]any
		kind   fault.Kind
		words  string
	}{
		"another subject":  {file("a", w.WebIdentity("other", "")), fault.Denied, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		"another audience": {file("b", w.WebIdentity("build", "vault")), fault.Denied, "Incorrect token audience"},
		"no token":         {file("c", "not-a-token-"+planted), fault.Denied, "not a valid JWT"},
		"damaged":          {file("d", good[:len(good)-3]+"AAA"), fault.Denied, "Signature"},
		"empty file":       {file("e", "\n"), fault.Invalid, "0 characters"},
		"two lines":        {file("f", good+"\n"+planted), fault.Invalid, "white space"},
		"too large":        {file("g", strings.Repeat("x", 20_001)), fault.Invalid, "not a file of a token"},
		"no such file":     {map[string]any{"web_identity_token_file": filepath.Join(folder, "none")}, fault.Failed, "none"},
		"a folder":         {map[string]any{"web_identity_token_file": folder}, fault.Invalid, "not a file of a token"},
		"no programs here": {map[string]any{"web_identity_token_command": "x"}, fault.Failed, "no programs may be run here"},
	} {
		test.fields["role_arn"] = role
		err := refusal(t, w.opened(t, methodWebIdentity, test.fields), purpose{})
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: %q %v (%s)", name, fault.KindOf(err), err, fault.HintOf(err))
		}
		noCanary(t, name, err)
		if strings.Contains(err.Error()+fault.HintOf(err), good[:40]) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
}

func TestWebIdentityCommandFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := w.Account(account1).Role("ci", awstest.Role{WebIdentity: &awstest.WebIdentityTrust{}})
	for name, test := range map[string]struct {
		finished connector.Finished
		err      error
		kind     fault.Kind
		words    string
	}{
		"exit status":  {connector.Finished{Failure: "exit status 3", Stderr: []byte("one\ntwo\nthree\nlog in first\x1b[2J\n")}, nil, fault.Failed, "program print-token: exit status 3: two; three; log in first"},
		"says a token": {connector.Finished{Failure: "exit status 1", Stdout: []byte(`{"token":"` + planted + `"}`), Stderr: []byte("got " + planted + "\nsorry")}, nil, fault.Failed, "exit status 1: sorry"},
		"not there":    {connector.Finished{}, errors.New("no such program"), fault.Failed, "cannot be run: no such program"},
		"no token":     {connector.Finished{Stdout: []byte("ERROR: " + planted)}, nil, fault.Invalid, "what the program /opt/print-token prints: it is no token"},
		"late":         {connector.Finished{}, context.DeadlineExceeded, fault.Unavailable, "did not answer in time"},
	} {
		w.host.Run = func(ctx context.Context, _ connector.Command) (connector.Finished, error) {
			return test.finished, test.err
		}
		ctx, cancel := context.WithCancel(t.Context())
		if name == "late" {
			ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		}
		s := w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_command": "/opt/print-token " + planted})
		_, err := s.keysFor(ctx, purpose{})
		cancel()
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) || fault.HintOf(err) == "" {
			t.Errorf("%s: %q %v (%s)", name, fault.KindOf(err), err, fault.HintOf(err))
		}
		noCanary(t, name, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	s := w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_command": "x"})
	if _, err := s.keysFor(canceled, purpose{}); !fault.Is(err, fault.Interrupted) {
		t.Errorf("after Ctrl-C: %v", err)
	}
}

// TestErrorsShowNoSecrets: a service that repeats what it is sent does not make us show it.
func TestErrorsShowNoSecrets(t *testing.T) {
	t.Parallel()
	const code = "271828"
	w := newWorld(t)
	w.host.HTTP, w.host.Person = evil(1), &person{answer: func() string { return code }}
	w.host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		return connector.Finished{Stdout: []byte(planted)}, nil
	}
	const id, role = "AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::123456789012:role/r"
	long := awstest.Keys{AccessKeyID: id, SecretAccessKey: planted + "-s"}
	temporary := awstest.Keys{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: planted + "-s", SessionToken: planted + "+/="}
	for name, s := range map[string]*session{
		"role":               w.opened(t, methodRole, with(long, map[string]any{"role_arn": role})),
		"role, temporary":    w.opened(t, methodRole, with(temporary, map[string]any{"role_arn": role})),
		"role, MFA":          w.opened(t, methodRole, with(long, map[string]any{"role_arn": role, "mfa_serial": "GAHT12345678"})),
		"session token":      w.opened(t, methodSessionToken, with(long, nil)),
		"session token, MFA": w.opened(t, methodSessionToken, with(long, map[string]any{"mfa_serial": "GAHT12345678"})),
		"federation":         w.opened(t, methodFederationToken, with(long, map[string]any{"policy": examplePolicy})),
		"web token":          w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token": planted + "+/="}),
		"web token file":     w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_file": tokenFile(t, filepath.Join(t.TempDir(), "t"), planted)}),
		"web token command":  w.opened(t, methodWebIdentity, map[string]any{"role_arn": role, "web_identity_token_command": "x"}),
	} {
		err := refusal(t, s, purpose{})
		noCanary(t, name, err)
		shown := fmt.Sprintf("%v %+v %#v %s", err, err, err, fault.HintOf(err))
		if strings.Contains(shown, code) {
			t.Errorf("%s: the error shows the code: %s", name, shown)
		}
		if !strings.Contains(shown, "AccessDenied") {
			t.Errorf("%s: the service's words are lost: %s", name, shown)
		}
	}
}

// TestCutErrorsShowNoPartOfAToken: a token that begins where an error is cut is taken out
// before that.
func TestCutErrorsShowNoPartOfAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := tokenFile(t, filepath.Join(t.TempDir(), "t"), planted)
	for pad := maxWords - 2*len(planted); pad < maxWords; pad++ {
		w.host.HTTP = evil(pad)
		err := refusal(t, w.opened(t, methodWebIdentity, map[string]any{"role_arn": roleExample, "web_identity_token_file": path}), purpose{})
		if strings.Contains(err.Error(), planted[:8]) {
			t.Fatalf("%d characters into the words: %v", pad, err)
		}
	}
}
