package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubetest"
)

// computer is a machine with files and an environment of its own.
type computer struct {
	connector.Host
	env map[string]string
}

func machine(t *testing.T) computer {
	c := computer{emptyHost(t), map[string]string{}}
	c.Getenv = func(name string) string { return c.env[name] }
	return c
}

func (c computer) path(name string) string { return filepath.Join(c.Home, filepath.FromSlash(name)) }

func (c computer) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.path(name)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return c.path(name)
}

// kubeconfigOf has one context, with that user.
func kubeconfigOf(user string) string { return kubeconfigFor("work", "https://kube.example.com", user) }

// kubeconfigFor names the context, its cluster and its user.
func kubeconfigFor(name, server, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[1]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s-cluster, user: %[1]s-user, namespace: team}
clusters:
- name: %[1]s-cluster
  cluster:
    server: %[2]s
users:
- name: %[1]s-user
  user:
%[3]s
`, name, server, user)
}

func jwt(t *testing.T, end time.Time) string {
	t.Helper()
	payload, err := json.Marshal(map[string]any{"sub": "system:serviceaccount:ci:deployer", "exp": end.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl"
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func detected(t *testing.T, c computer, hints map[string]string) []connector.Detected {
	t.Helper()
	found, err := detect(t.Context(), c.Host, hints)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if _, err := (connector.Types{Type()}).Check(d.Spec); err != nil {
			t.Errorf("%s: %v", d.Source.Description, err)
		}
	}
	return found
}

func TestDetectToken(t *testing.T) {
	t.Parallel()
	c := machine(t)
	file := c.write(t, ".kube/config", kubeconfigFor("https-prod", "https://HTTPS.example.com:443/", "    token: eyJbearer-"+canary))
	found := detected(t, c, nil)
	d := found[0]
	if len(found) != 1 || d.Spec.Method != methodToken || server.Get(d.Spec.Values) != "https://https.example.com" ||
		clusterName.Get(d.Spec.Values) != "https-prod-cluster" || token.Get(d.Spec.Values).Reveal() != "eyJbearer-"+canary {
		t.Errorf("%+v: %+v", found, d.Spec.Values.Plain())
	}
	want := connector.Source{Description: file + " (context https-prod)", File: file, Key: "https-prod-user", PlainText: true}
	if d.Source != want {
		t.Errorf("source %+v, want %+v", d.Source, want)
	}
}

func TestDetectEmbeddedAndFileCertificates(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	certificate, key, err := s.ClientCertificate(jane, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c := machine(t)
	c.write(t, ".kube/pki/client.crt", certificate)
	c.write(t, ".kube/pki/client.key", key)
	c.write(t, ".kube/pki/ca.crt", s.CertificateAuthority())
	for what, test := range map[string]struct {
		user, cluster string
		plain         bool
	}{
		"embedded": {"    client-certificate-data: " + b64(certificate) + "\n    client-key-data: " + b64(key), "certificate-authority-data: " + b64(s.CertificateAuthority()), true},
		"files":    {"    client-certificate: pki/client.crt\n    client-key: pki/client.key", "certificate-authority: pki/ca.crt", false},
	} {
		c.write(t, ".kube/config", kubeconfigFor("work", s.URL()+"\n    "+test.cluster, test.user))
		d := detected(t, c, nil)[0]
		if d.Source.PlainText != test.plain {
			t.Errorf("%s: plain text is %v", what, d.Source.PlainText)
		}
		settings, err := connector.Types{Type()}.Check(d.Spec)
		if err != nil {
			t.Fatal(err)
		}
		session, err := open(c.Host, settings)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if identity, err := session.Verify(t.Context()); err != nil || identity.Name != "jane" {
			t.Errorf("%s: %+v, %v", what, identity, err)
		}
	}
}

func TestDetectTokenFile(t *testing.T) {
	t.Parallel()
	c := machine(t)
	c.write(t, ".kube/token", canary+"\n")
	c.write(t, ".kube/config", kubeconfigOf("    tokenFile: token\n    token: older"))
	d := detected(t, c, nil)[0]
	if token.Get(d.Spec.Values).Reveal() != canary || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "does not follow the file") {
		t.Errorf("%q %v", token.Get(d.Spec.Values).Reveal(), d.Notes)
	}
}

func TestDetectExec(t *testing.T) {
	t.Parallel()
	c := machine(t)
	c.write(t, ".kube/config", kubeconfigOf(`    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/vendor-plugin
      args: [get-token, "--name=a,b", --client-secret=x]
      env: [{name: PROFILE, value: "d,v"}, {name: VENDOR_TOKEN, value: `+canary+`}]
      interactiveMode: IfAvailable
      provideClusterInfo: true`))
	d := detected(t, c, nil)[0]
	settings, err := connector.Types{Type()}.Check(d.Spec)
	if err != nil {
		t.Fatal(err)
	}
	v := settings.Values
	got := []any{settings.Method.Name, execCommand.Get(v), execArgs.Get(v), execEnv.Get(v), execSecretEnv.Get(v).Reveal(), execVersion.Get(v), execClusterInfo.Get(v), d.Source.PlainText}
	want := []any{methodExec, c.path(".kube/bin/vendor-plugin"), []string{"get-token", "--name=a,b", "--client-secret=x"}, []string{"PROFILE=d,v"}, "VENDOR_TOKEN=" + canary, "v1beta1", true, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "looks secret") {
		t.Errorf("%v", d.Notes)
	}
}

func execOf(more string) string {
	return kubeconfigOf("    exec: {apiVersion: client.authentication.k8s.io/v1, command: /opt/vendor, " + more + "}")
}

func TestDetectContexts(t *testing.T) {
	t.Parallel()
	c := machine(t)
	first := c.write(t, "a", kubeconfigFor("one", "https://one.example.com", "    token: one-token"))
	// The second has an entry of the same name, which does not count, and others.
	second := c.write(t, "b", kubeconfigFor("one", "https://impostor.example.com", "    token: other")+`
---
`)
	third := c.write(t, "c", kubeconfigFor("two", "https://two.example.com", "    token: two-token"))
	c.env["KUBECONFIG"] = strings.Join([]string{first, c.path("missing"), "", second, third}, string(filepath.ListSeparator))
	for hint, want := range map[string]string{"": "one.example.com", "one": "one.example.com", "two": "two.example.com"} {
		hints := map[string]string{}
		if hint != "" {
			hints["context"] = hint
		}
		found := detected(t, c, hints)
		if len(found) != 1 || server.Get(found[0].Spec.Values) != "https://"+want {
			t.Errorf("context %q: %+v", hint, found)
		}
	}
	if found := detected(t, c, map[string]string{"context": "*"}); len(found) != 2 {
		t.Errorf("every context: %+v", found)
	}
	if found := detected(t, c, map[string]string{"config": "~/c"}); len(found) != 1 || server.Get(found[0].Spec.Values) != "https://two.example.com" {
		t.Errorf("one file: %+v", found)
	}
}

func TestDetectTheSameLoginOnce(t *testing.T) {
	t.Parallel()
	c := machine(t)
	text := kubeconfigOf("    token: " + canary)
	text = strings.Replace(text, "contexts:\n", "contexts:\n- name: again\n  context: {cluster: work-cluster, user: work-user, namespace: other}\n", 1)
	c.write(t, ".kube/config", text)
	found := detected(t, c, map[string]string{"context": "*"})
	if len(found) != 1 || len(found[0].Notes) != 1 || !strings.Contains(found[0].Notes[0], "same login") {
		t.Errorf("%+v", found)
	}
}

func TestDetectLeavesAlone(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	certificate, key, err := s.ClientCertificate(jane, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	now := emptyHost(t).Now()
	for what, test := range map[string]struct{ config, text string }{
		"short-lived token":       {kubeconfigOf("    token: " + jwt(t, now.Add(23*time.Hour))), "short-lived"},
		"expired token":           {kubeconfigOf("    token: " + jwt(t, now.Add(-time.Hour))), "short-lived"},
		"short-lived certificate": {kubeconfigOf("    client-certificate-data: " + b64(certificate) + "\n    client-key-data: " + b64(key)), "client certificate is over, or will soon be"},
		"auth provider":           {kubeconfigOf("    auth-provider: {name: gcp, config: {access-token: " + canary + "}}"), "auth-provider"},
		"impersonation":           {kubeconfigOf("    token: " + canary + "\n    as: admin"), "acts as another"},
		"svcconn itself":          {kubeconfigOf("    exec: {apiVersion: client.authentication.k8s.io/v1, command: /usr/bin/kubectl-svcconn, interactiveMode: Never}"), "from svcconn already"},
		"plugin at a terminal":    {execOf("interactiveMode: Always"), "asks a person every time"},
		"plugin with a blank":     {execOf(`interactiveMode: Never, args: [a, ""]`), "argument that is empty"},
		"plugin with lines":       {execOf(`interactiveMode: Never, env: [{name: A, value: "b\nc"}]`), "line break"},
		"plugin of another age":   {strings.Replace(execOf("interactiveMode: Never"), "io/v1", "io/v1alpha1", 1), "neither v1 nor v1beta1"},
		"plugin not installed":    {strings.Replace(execOf("interactiveMode: Never"), "/opt/vendor", "vendor-of-nowhere", 1), "not in PATH"},
		"plugin with extension": {strings.Replace(execOf("interactiveMode: Never, provideClusterInfo: true"), "    server:", `    extensions: [{name: client.authentication.k8s.io/exec, extension: {a: b}}]
    server:`, 1), "extension"},
		"nothing":          {kubeconfigOf("    {}"), "no login"},
		"plain HTTP":       {kubeconfigFor("work", "http://kube.example.com", "    token: "+canary), "plain HTTP"},
		"no server":        {kubeconfigFor("work", `""`, "    token: "+canary), "API server"},
		"no such cluster":  {strings.Replace(kubeconfigOf("    token: "+canary), "cluster: work-cluster", "cluster: other", 1), `cluster "other" is not there`},
		"no such user":     {strings.Replace(kubeconfigOf("    token: "+canary), "user: work-user", "user: other", 1), `user "other" is not there`},
		"both":             {kubeconfigFor("work", "https://h.example.com\n    insecure-skip-tls-verify: true\n    certificate-authority-data: "+b64(s.CertificateAuthority()), "    token: "+canary), "both"},
		"bad authority":    {kubeconfigFor("work", "https://h.example.com\n    certificate-authority-data: "+b64("nonsense"), "    token: "+canary), "no certificate"},
		"missing file":     {kubeconfigOf("    tokenFile: not-there"), "not-there"},
		"a key of another": {kubeconfigOf("    client-certificate-data: " + b64(s.CertificateAuthority()) + "\n    client-key-data: " + b64(key)), "left alone"},
	} {
		c := machine(t)
		c.write(t, ".kube/config", test.config)
		found, err := detect(t.Context(), c.Host, nil)
		if len(found) != 0 || !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), test.text) || fault.HintOf(err) == "" {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
		if err != nil && strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%s: the error has a secret: %v", what, err)
		}
	}
}

func TestDetectNotes(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		config, note string
		check        func(connector.Detected) bool
	}{
		"a long-lived token": {kubeconfigOf("    token: " + jwt(t, emptyHost(t).Now().Add(48*time.Hour))), "", func(d connector.Detected) bool { return d.Spec.Method == methodToken }},
		"password":           {kubeconfigOf("    username: admin\n    password: " + canary), "current API servers refuse", func(d connector.Detected) bool { return d.Spec.Method == methodPassword }},
		"insecure": {kubeconfigFor("work", "https://h.example.com\n    insecure-skip-tls-verify: true", "    token: "+canary), "does not verify",
			func(d connector.Detected) bool { return insecure.Get(d.Spec.Values) }},
		"proxy": {kubeconfigFor("work", "https://h.example.com\n    proxy-url: socks5://127.0.0.1:1080\n    tls-server-name: kubernetes", "    token: "+canary), "",
			func(d connector.Detected) bool {
				return proxyURL.Get(d.Spec.Values) == "socks5://127.0.0.1:1080" && tlsServerName.Get(d.Spec.Values) == "kubernetes"
			}},
		"proxy with a password": {kubeconfigFor("work", "https://h.example.com\n    proxy-url: http://me:"+canary+"@127.0.0.1:1080", "    token: t"), "left out",
			func(d connector.Detected) bool { return proxyURL.Get(d.Spec.Values) == "" }},
		"spaces": {strings.ReplaceAll(kubeconfigOf("    token: "+canary), "work-cluster", `"work cluster"`), "dashes",
			func(d connector.Detected) bool { return clusterName.Get(d.Spec.Values) == "work-cluster" }},
	} {
		c := machine(t)
		c.write(t, ".kube/config", test.config)
		found := detected(t, c, nil)
		notes := strings.Join(found[0].Notes, "\n")
		if len(found) != 1 || !strings.Contains(notes, test.note) || !test.check(found[0]) || strings.Contains(notes, canary) || test.note == "" && notes != "" {
			t.Errorf("%s: %+v %+v", what, found, found[0].Spec.Values.Plain())
		}
	}
}

func TestDetectBadFiles(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		text string
		kind fault.Kind
		says string
	}{
		"not YAML":        {"apiVersion: v1\nkind: Config\nusers: [" + canary + "\n", fault.Invalid, "is not a kubeconfig"},
		"another shape":   {"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: [" + canary + "]\n", fault.Invalid, "is not a kubeconfig"},
		"another kind":    {"apiVersion: v1\nkind: Secret\nstringData: {token: " + canary + "}\n", fault.Invalid, "is not a kubeconfig"},
		"empty":           {"", fault.NotFound, "no login"},
		"no current":      {strings.Replace(kubeconfigOf("    token: "+canary), "current-context: work", "", 1), fault.NotFound, "no context is the current one"},
		"unknown current": {strings.Replace(kubeconfigOf("    token: "+canary), "current-context: work", "current-context: wrok", 1), fault.NotFound, `no context "wrok"`},
	} {
		c := machine(t)
		file := c.write(t, "config", test.text)
		_, err := detect(t.Context(), c.Host, map[string]string{"config": file})
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), file) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (%s; %s)", what, err, fault.KindOf(err), fault.HintOf(err))
		}
		if strings.Contains(fmt.Sprint(err)+fault.HintOf(err), canary) {
			t.Errorf("%s: the error has a secret: %v", what, err)
		}
	}
	c := machine(t)
	for what, path := range map[string]string{"folder": c.Home, "missing": c.path("missing")} {
		if _, err := detect(t.Context(), c.Host, map[string]string{"config": path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzDetect: whatever a kubeconfig says, what is found can be registered, what is
// refused is refused for a reason, and a token is never repeated in words.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(kubeconfigOf("    token: " + canary)))
	f.Add([]byte(kubeconfigOf("    username: a\n    password: " + canary)))
	f.Add([]byte(kubeconfigOf("    exec: {command: p, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, env: [{name: A, value: b}], args: [\"\"]}")))
	f.Add([]byte(kubeconfigFor("a", "https://[::1]:6443/x\n    proxy-url: '%zz'", "    tokenFile: /dev/zero")))
	f.Add([]byte(`{"apiVersion":"v1","kind":"Config","users":[{"name":"","user":null}],"contexts":[{"context":null}],"clusters":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := machine(t)
		c.write(t, ".kube/config", string(text))
		found, err := detect(t.Context(), c.Host, map[string]string{"context": "*"})
		if (err == nil) == (len(found) == 0) || err != nil && fault.KindOf(err) == fault.Failed {
			t.Fatalf("%d found: %v", len(found), err)
		}
		words := fmt.Sprint(err) + fault.HintOf(err)
		for _, d := range found {
			words += strings.Join(d.Notes, "") + fmt.Sprintf("%+v", d.Source)
			if _, err := (connector.Types{Type()}).Check(d.Spec); err != nil {
				t.Errorf("what was found cannot be registered: %v", err)
			}
		}
		if strings.Contains(words, canary) && !strings.Contains(strings.ReplaceAll(string(text), "token: "+canary, ""), canary) {
			t.Errorf("a token is in words: %s", words)
		}
	})
}
