package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// pluginNow is what the clock of the plugins' tests says.
var pluginNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// variableOf looks a variable of a command up; the last one counts.
func variableOf(c connector.Command, name string) string {
	for _, text := range slices.Backward(c.Env) {
		if value, ok := strings.CutPrefix(text, name+"="); ok {
			return value
		}
	}
	return ""
}

// tokenPlugin plays a plugin that answers in kind with the token of its environment.
func tokenPlugin(lifetime time.Duration) func(context.Context, connector.Command) (connector.Finished, error) {
	return func(ctx context.Context, c connector.Command) (connector.Finished, error) {
		var asked execCredential
		if err := json.Unmarshal([]byte(variableOf(c, execInfo)), &asked); err != nil {
			return connector.Finished{Stderr: []byte(err.Error()), Failure: "exit status 1"}, nil
		}
		expires := ""
		if lifetime != 0 {
			expires = fmt.Sprintf(`"expirationTimestamp":%q,`, time.Now().Add(lifetime).Format(time.RFC3339))
		}
		out := fmt.Appendf(nil, `{"kind":"ExecCredential","apiVersion":%q,"status":{%s"token":%q}}`, asked.APIVersion, expires, variableOf(c, "PLUGIN_TOKEN"))
		return connector.Finished{Stdout: out}, ctx.Err()
	}
}

func execCases() []connectortest.Case {
	fields := given{"command": "/opt/vendor/plugin", "args": []string{"get-token"}}
	ofToken := func(token string) given {
		return fields.with("secret_env", secret.New("PLUGIN_TOKEN="+token))
	}
	of := func(name string, lifetime, told time.Duration) connectortest.Case {
		c := caseOf(name, methodExec, knowing(),
			func(*testing.T, *kubetest.Server) given { return ofToken(canary) },
			func(*testing.T) given { return ofToken("wrong-" + canary) }, lifetime)
		c.Run = tokenPlugin(told)
		return c
	}
	return []connectortest.Case{of("plugin", 20*time.Minute, 20*time.Minute), of("plugin that tells no expiry", pluginKept, 0)}
}

// proved is what a plugin with that answer comes to.
func proved(t *testing.T, fields given, run func(context.Context, connector.Command) (connector.Finished, error)) (connector.KubernetesAuth, error) {
	t.Helper()
	host := emptyHost(t)
	host.Home, host.Run = "/home/me", run
	host.Now = func() time.Time { return pluginNow }
	base := given{"server": "https://kube.example.com:6443", "cluster_name": cluster, "tls_server_name": "kube", "command": "/opt/vendor/plugin"}
	for name, value := range fields {
		base[name] = value
	}
	s, err := openWith(host, settingsOf(t, methodExec, base), hop.Pause)
	if err != nil {
		t.Fatal(err)
	}
	return mint(t, s, 0)
}

func printing(stdout string) func(context.Context, connector.Command) (connector.Finished, error) {
	return func(context.Context, connector.Command) (connector.Finished, error) {
		return connector.Finished{Stdout: []byte(stdout)}, nil
	}
}

// pair is a client certificate that is good on pluginNow, and its key.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	s := kubetest.Start(t, kubetest.Options{Now: func() time.Time { return pluginNow }})
	certificate, key, err := s.ClientCertificate(jane, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func TestWhatAPluginIsGiven(t *testing.T) {
	t.Parallel()
	var got connector.Command
	run := func(ctx context.Context, c connector.Command) (connector.Finished, error) {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("a plugin may run for ever")
		}
		got = c
		return tokenPlugin(time.Hour)(ctx, c)
	}
	fields := given{
		"args": []string{"get-token", "--name", "a,b"}, "env": []string{"AWS_PROFILE=dev", "EMPTY="}, "api_version": "client.authentication.k8s.io/v1beta1",
		"secret_env": secret.New("PLUGIN_TOKEN=" + canary + "\n\nOTHER=a=b \r\n"), "provide_cluster_info": true,
	}
	if _, err := proved(t, fields, run); err != nil {
		t.Fatal(err)
	}
	want := connector.Command{
		Program: "/opt/vendor/plugin", Args: []string{"get-token", "--name", "a,b"}, Dir: "/home/me",
		Env: []string{"AWS_PROFILE=dev", "EMPTY=", "PLUGIN_TOKEN=" + canary, "OTHER=a=b ",
			`KUBERNETES_EXEC_INFO={"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false,` +
				`"cluster":{"server":"https://kube.example.com:6443","tls-server-name":"kube"}}}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := proved(t, given{"secret_env": secret.New("PLUGIN_TOKEN=x")}, run); err != nil || variableOf(got, execInfo) != `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}` {
		t.Errorf("without cluster information: %s, %v", variableOf(got, execInfo), err)
	}
}

func TestWhatAPluginAnswers(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	escaped := func(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }
	answer := func(status string) string {
		return `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{},"status":{` + status + `}}`
	}
	for name, tc := range map[string]struct {
		stdout             string
		token, certificate string
		expires            time.Duration
	}{
		"token with an expiry":    {answer(`"token":"t1","expirationTimestamp":"2026-11-21T12:14:00Z"`), "t1", "", 14 * time.Minute},
		"expiry in another zone":  {answer(`"token":"t1","expirationTimestamp":"2026-11-21T13:14:00+01:00"`), "t1", "", 14 * time.Minute},
		"token without an expiry": {answer(`"token":"t1"`), "t1", "", pluginKept},
		"expiry null":             {answer(`"token":"t1","expirationTimestamp":null`), "t1", "", pluginKept},
		"a line break behind it":  {answer(`"token":"t1"`) + "\n\n", "t1", "", pluginKept},
		"certificate":             {answer(`"clientCertificateData":"` + escaped(certificate) + `","clientKeyData":"` + escaped(key) + `","expirationTimestamp":"2026-11-21T12:30:00Z"`), "", certificate, 30 * time.Minute},
		"both":                    {answer(`"token":"t1","clientCertificateData":"` + escaped(certificate) + `","clientKeyData":"` + escaped(key) + `"`), "t1", certificate, pluginKept},
	} {
		auth, err := proved(t, given{}, printing(tc.stdout))
		if err != nil || auth.Token.Reveal() != tc.token || auth.ClientCertificate != tc.certificate || auth.Expires.Sub(pluginNow) != tc.expires {
			t.Errorf("%s: token %q, certificate %d bytes, expires in %s, %v", name, auth.Token.Reveal(), len(auth.ClientCertificate), auth.Expires.Sub(pluginNow), err)
		}
	}
}

func TestPluginsThatAnswerWrongly(t *testing.T) {
	t.Parallel()
	certificate, _ := pair(t)
	_, otherKey := pair(t)
	quoted := func(text string) string { out, _ := json.Marshal(text); return string(out) }
	head := `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",`
	for name, tc := range map[string]struct{ stdout, text string }{
		"nothing":             {"", "is not JSON"},
		"a banner":            {"Using profile dev\n" + head + `"status":{"token":"` + canary + `"}}`, "is not JSON"},
		"something behind it": {head + `"status":{"token":"` + canary + `"}} bye`, "is not JSON"},
		"another kind":        {`{"apiVersion":"client.authentication.k8s.io/v1","kind":"Status","status":{"token":"` + canary + `"}}`, "is not an ExecCredential"},
		"status of a Status":  {`{"kind":"Status","apiVersion":"v1","status":"Failure"}`, "is not JSON"},
		"another version":     {`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"` + canary + `"}}`, "answers in version client.authentication.k8s.io/v1beta1"},
		"no version":          {`{"kind":"ExecCredential","status":{"token":"` + canary + `"}}`, "answers in version"},
		"no status":           {head + `"spec":{}}`, "has no status"},
		"an empty status":     {head + `"status":{}}`, "neither a token nor a client certificate"},
		"certificate alone":   {head + `"status":{"clientCertificateData":` + quoted(certificate) + `}}`, "without a key"},
		"key alone":           {head + `"status":{"clientKeyData":` + quoted(otherKey) + `}}`, "without a key"},
		"another's key":       {head + `"status":{"clientCertificateData":` + quoted(certificate) + `,"clientKeyData":` + quoted(otherKey) + `}}`, "do not belong together"},
		"token with a break":  {head + `"status":{"token":"` + canary + `\n"}}`, "characters that tokens cannot have"},
		"expired":             {head + `"status":{"token":"` + canary + `","expirationTimestamp":"2026-11-21T12:00:00Z"}}`, "expired at 2026-11-21T12:00:00Z"},
		"expiry is no time":   {head + `"status":{"token":"` + canary + `","expirationTimestamp":"soon"}}`, "is no time"},
		"expiry is empty":     {head + `"status":{"token":"` + canary + `","expirationTimestamp":""}}`, "is no time"},
		"endless":             {strings.Repeat(" ", maxBody+1), "far too long"},
	} {
		_, err := proved(t, given{}, printing(tc.stdout))
		if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), tc.text) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (%s), hint %q, want %q", name, err, fault.KindOf(err), fault.HintOf(err), tc.text)
		} else if strings.Contains(err.Error()+fault.HintOf(err), canary) || strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%s: the error has the credential: %v", name, err)
		}
	}
}

func TestPluginsThatFail(t *testing.T) {
	t.Parallel()
	fields := given{"secret_env": secret.New("VENDOR_PIN=" + canary)}
	failing := func(finished connector.Finished, err error) func(context.Context, connector.Command) (connector.Finished, error) {
		return func(context.Context, connector.Command) (connector.Finished, error) { return finished, err }
	}
	stderr := "first\nsecond\n\nError: the SSO session has expired, " + canary + "\x1b[2J\nrun aws sso login\n"
	for name, tc := range map[string]struct {
		run               func(context.Context, connector.Command) (connector.Finished, error)
		text, hint, never string
	}{
		"exits":      {failing(connector.Finished{Failure: "exit status 255", Stderr: []byte(stderr)}, nil), "plugin plugin: exit status 255: second; Error: the SSO session has expired, [redacted]", "--set env=", "first"},
		"is killed":  {failing(connector.Finished{Failure: "signal: killed"}, nil), "plugin plugin: signal: killed", "login of its own", ""},
		"is missing": {failing(connector.Finished{}, os.ErrNotExist), "plugin plugin cannot be run: file does not exist", "--set command=PATH", ""},
		"repeats on stderr what is on stdout": {failing(connector.Finished{Failure: "exit status 1", Stdout: []byte("token-in-both-streams"), Stderr: []byte("token-in-both-streams\nsorry")}, nil),
			"plugin plugin: exit status 1: sorry", "env", "token-in-both-streams"},
		"cannot be run anywhere": {nil, "no programs may be run here", "", ""},
	} {
		_, err := proved(t, fields, tc.run)
		if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), tc.text) || !strings.Contains(fault.HintOf(err), tc.hint) {
			t.Errorf("%s: %v (%s), hint %q", name, err, fault.KindOf(err), fault.HintOf(err))
		}
		if said := err.Error() + fault.HintOf(err); strings.Contains(said, canary) || strings.Contains(said, "\x1b") || tc.never != "" && strings.Contains(said, tc.never) {
			t.Errorf("%s: %q", name, said)
		}
	}
}

func TestPluginsThatHang(t *testing.T) {
	t.Parallel()
	hanging := func(ctx context.Context, _ connector.Command) (connector.Finished, error) {
		<-ctx.Done()
		return connector.Finished{Stderr: []byte("To sign in, open a browser\n")}, ctx.Err()
	}
	host := emptyHost(t)
	host.Run = hanging
	fields := given{"server": "https://kube.example.com", "cluster_name": cluster, "command": "/opt/plugin"}
	s, err := openWith(host, settingsOf(t, methodExec, fields), hop.Pause)
	if err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Verify(late); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "did not answer in time: To sign in") || !strings.Contains(fault.HintOf(err), "/opt/plugin") {
		t.Errorf("late: %v, hint %q", err, fault.HintOf(err))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Verify(gone); !fault.Is(err, fault.Interrupted) || !errors.Is(err, context.Canceled) {
		t.Errorf("gone: %v", err)
	}
	if _, err := mint(t, s, time.Hour); !fault.Is(err, fault.Invalid) {
		t.Errorf("with a lifetime: %v", err)
	}
}

func TestFieldsOfPlugins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "vendor-plugin")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{program: program, dir + "/x/../vendor-plugin": program, "/not/there": "/not/there"} {
		if got, err := execCommand.Parse(text); err != nil || got != want {
			t.Errorf("command %q: %v, %v", text, got, err)
		}
	}
	if got, err := execCommand.Parse("sh"); err != nil || !filepath.IsAbs(fmt.Sprint(got)) {
		t.Errorf("command sh: %v, %v", got, err)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"command", "no-such-plugin-anywhere", "not in PATH"}, {"command", "./no-such-plugin", "not in PATH"},
		{"api_version", "v1alpha1", "neither v1 nor v1beta1"}, {"api_version", "client.authentication.k8s.io/v2", "neither v1 nor v1beta1"},
		{"env", "PROFILE", "NAME=VALUE"}, {"env", "=x", "NAME=VALUE"}, {"env", "A=1,B C=2", "NAME=VALUE"}, {"env", "KUBERNETES_EXEC_INFO={}", "set by svcconn"},
		{"env", "AWS_SECRET_ACCESS_KEY=" + canary, "secret"}, {"env", "GITHUB_TOKEN=" + canary, "secret"}, {"env", "A=1,Db_Password=" + canary, "secret"}, {"env", "API_KEY=" + canary, "secret"},
	} {
		f, ok := execMethod().Fields.Find(tc.name)
		if !ok {
			t.Fatalf("there is no field %s", tc.name)
		}
		if _, err := f.Parse(tc.text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%s=%s: %v", tc.name, tc.text, err)
		}
	}
	for _, text := range []string{"AWS_ACCESS_KEY_ID=AKIA", "AWS_WEB_IDENTITY_TOKEN_FILE=/token", "GOOGLE_APPLICATION_CREDENTIALS=/c.json", "TOKEN_CACHE_DIR=/c", "AWS_SECRET_ACCESS_KEY="} {
		if _, err := checkVariable(text); err != nil {
			t.Errorf("env %s: %v", text, err)
		}
	}
	for _, text := range []string{canary, "A", "A=", "=x", "A=1\n" + canary} {
		if err := checkSecretVariables(secret.New(text)); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), canary) {
			t.Errorf("secret_env: %v", err)
		}
	}
}

// Whatever a plugin prints, it ends in a credential that is good or in an error that
// does not repeat it.
func FuzzPluginAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2026-11-21T12:14:00Z"}}`,
		`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientCertificateData":"a","clientKeyData":"b"}}`, `{"status":null}`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	p := &plugin{command: "/opt/plugin", apiVersion: execGroup + "v1"}
	f.Fuzz(func(t *testing.T, stdout []byte) {
		got, err := p.read(stdout, pluginNow)
		if err == nil && (got.token.IsEmpty() && got.certificate == "" || !got.expires.After(pluginNow)) {
			t.Fatal("nothing, or something that has expired, was taken")
		}
		if err != nil && (fault.HintOf(err) == "" || len(err.Error()) > 1000) {
			t.Fatalf("%v", err)
		}
	})
}
