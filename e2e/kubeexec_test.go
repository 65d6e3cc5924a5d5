//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The versions of the exec protocol, and the variable in which clients ask.
const (
	execV1      = "client.authentication.k8s.io/v1"
	execV1beta1 = "client.authentication.k8s.io/v1beta1"
	execInfo    = "KUBERNETES_EXEC_INFO"
)

// execCredential is what a client reads of a plugin's answer.
type execCredential struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Status     struct {
		Token               string     `json:"token"`
		ClientCertificate   string     `json:"clientCertificateData"`
		ClientKey           string     `json:"clientKeyData"`
		ExpirationTimestamp *time.Time `json:"expirationTimestamp"`
	} `json:"status"`
}

// execCredential asks the plugin as a client does; info "" is no variable at all. A
// shell between makes each call that of another client: one that asks again for what
// it has got is taken to have seen it rejected.
func (w *world) execCredential(info string, args ...string) *call {
	c := w.cmd(append([]string{"sh", "-c", `"$@"; exit $?`, "client", "kubectl-svcconn", "credential"}, args...)...).revealing()
	if info != "" {
		c.setenv(execInfo + "=" + info)
	}
	return c
}

// wantCredential requires an answer of a version, and has its secrets looked for.
func (w *world) wantCredential(res result, version string) execCredential {
	w.t.Helper()
	var got execCredential
	w.decode(res.exits(0), &got)
	if got.APIVersion != version || got.Kind != "ExecCredential" {
		w.t.Fatalf("the answer is a %s of %s, want an ExecCredential of %s", got.Kind, got.APIVersion, version)
	}
	for _, text := range []string{got.Status.Token, got.Status.ClientKey} {
		if text != "" {
			w.guard(text)
		}
	}
	return got
}

// clusterInfo is what a client says with provideClusterInfo.
func (c *cluster) clusterInfo(version, server string) string {
	text, _ := json.Marshal(object{"apiVersion": version, "kind": "ExecCredential", "spec": object{
		"interactive": false, "cluster": object{"server": server, "certificate-authority-data": []byte(c.ca.certPEM())},
	}})
	return string(text)
}

// TestExecProtocol asks the plugin for its credential in every way that clients do.
func TestExecProtocol(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "the exec plugin answers v1 and v1beta1 in kind, without the variable too, and finds the cluster by server and CA", serviceAccountLogin)
	plain := func(version string) string {
		return fmt.Sprintf(`{"apiVersion":%q,"kind":"ExecCredential","spec":{"interactive":false}}`, version)
	}
	first := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1)
	for version, res := range map[string]result{
		execV1:      w.execCredential(plain(execV1), "--connector", "prod", "--cluster", "prod").run(),
		execV1beta1: w.execCredential(plain(execV1beta1), "--cluster", "prod").run(),
	} {
		if got := w.wantCredential(res, version); got.Status.Token != first.Status.Token {
			t.Error("two answers have different tokens")
		}
	}
	w.wantCredential(w.execCredential(c.clusterInfo(execV1, c.url)).run(), execV1)
	w.wantCredential(w.execCredential(c.clusterInfo(execV1beta1, c.url+"/")).run(), execV1beta1)
	if left := time.Until(*first.Status.ExpirationTimestamp); left <= 0 || left > 9*time.Minute+30*time.Second {
		t.Errorf("a token for 10 minutes is said to be good for %v: client-go knows no margin of its own", left)
	}
}

// TestExecCertificate has a certificate rather than a token.
func TestExecCertificate(t *testing.T) {
	t.Parallel()
	w, _, _ := registeredCluster(t, "a minted client certificate comes with its key, no token, and expires", certificateRequestLogin)
	got := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1)
	if got.Status.Token != "" || !strings.Contains(got.Status.ClientCertificate, "BEGIN CERTIFICATE") || got.Status.ExpirationTimestamp == nil {
		t.Errorf("the answer has token: %t, certificate: %q, expiry: %v", got.Status.Token != "", got.Status.ClientCertificate, got.Status.ExpirationTimestamp)
	}
	again := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1)
	if again.Status.ClientCertificate != got.Status.ClientCertificate {
		t.Error("the second answer has another certificate")
	}
}

// TestExecBadInput tells the plugin nonsense.
func TestExecBadInput(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "nonsense in KUBERNETES_EXEC_INFO, unknown versions and unknown clusters are clear errors, with nothing on stdout", tokenLogin)
	for _, bad := range []struct{ info, says string }{
		{"not json", execInfo},
		{`{"apiVersion":`, execInfo},
		{`[]`, execInfo},
		{`{"kind":"ExecCredential"}`, "client.authentication.k8s.io/v1"},
		{`{"apiVersion":"client.authentication.k8s.io/v1","kind":"Pod"}`, "ExecCredential"},
		{`{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind":"ExecCredential"}`, "v1alpha1"},
		{`{"apiVersion":"client.authentication.k8s.io/v9","kind":"ExecCredential"}`, "v9"},
		{c.clusterInfo(execV1, "https://other.example.com"), "other.example.com"},
		{c.clusterInfo(execV1, strings.Replace(c.url, "127.0.0.1", "127.0.0.1.evil.example.com", 1)), "evil.example.com"},
	} {
		res := w.execCredential(bad.info).within(20 * time.Second).run().fails().says(bad.says)
		if res.stdout != "" {
			t.Errorf("%s: something is on stdout", bad.info)
		}
	}
	w.execCredential("").run().exits(2).says("--connector")
	w.execCredential("", "--cluster", "unknown").run().exits(3).says("unknown")
	w.execCredential("", "--connector", "unknown").run().exits(3).says("unknown")
	w.execCredential(c.clusterInfo(execV1, c.url)).run().exits(0)
}

// stanza is a kubeconfig that runs our plugin, as written by hand.
func (w *world) stanza(c *cluster, version, more string, args ...string) string {
	w.t.Helper()
	list, _ := json.Marshal(append([]string{"credential"}, args...))
	return w.file(fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {exec: {apiVersion: %s, command: %q, args: %s, %s}}}]
`, c.url, base64.StdEncoding.EncodeToString([]byte(c.ca.certPEM())), version, filepath.Join(w.bin, "kubectl-svcconn"), list, more), w.unique("stanza"))
}

// TestKubectlGenerations runs all kubectls with stanzas written by hand, Debian's
// 1.20 among them, which knows v1beta1 alone.
func TestKubectlGenerations(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "kubectl 1.20 to 1.36 take a stanza in v1beta1, and from 1.22 on in v1, with and without provideClusterInfo", serviceAccountLogin)
	kubectls(t)
	for version, kubectl := range kubectlVersions() {
		for _, stanza := range []string{
			w.stanza(c, execV1beta1, "provideClusterInfo: true"),
			w.stanza(c, execV1beta1, "provideClusterInfo: false", "--connector", "prod"),
			w.stanza(c, execV1, "interactiveMode: IfAvailable, provideClusterInfo: true"),
			w.stanza(c, execV1, "interactiveMode: Never", "--cluster", "prod"),
		} {
			if strings.HasPrefix(version, "v1.20.") && !strings.Contains(w.read(stanza), "v1beta1") {
				continue
			}
			w.ok(kubectl, "--kubeconfig", stanza, "get", "namespaces").says("kube-system")
		}
	}
}

// TestKubeColdCache has 300 processes ask for the same credential at once.
func TestKubeColdCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "300 concurrent kubectl-svcconn credential: 300 equal answers, one mint in our audit log, one in the API server's")
	w.startKeyring()
	c := w.useCluster()
	a := c.newServiceAccount(t)
	l := clusterLogin{method: "service-account", fields: map[string]string{"token": c.newUser(w, minters).token, "service_account": a.name, "namespace": a.namespace}}
	l.register(w, "prod", c).exits(0)
	w.ok("svcconn", "agent", "stop")
	minted, asked := w.audited("minted"), c.tokensAsked(t, a)
	var all sync.WaitGroup
	results := make([]result, 300)
	for i := range results {
		all.Go(func() { results[i] = w.execCredential(c.clusterInfo(execV1, c.url)).run() })
	}
	all.Wait()
	first := w.wantCredential(results[0], execV1)
	for _, res := range results {
		var got execCredential
		if w.decode(res.exits(0), &got); got.Status.Token != first.Status.Token {
			t.Fatal("two answers have different tokens")
		}
	}
	if m, k := w.audited("minted")-minted, c.tokensAsked(t, a)-asked; m != 1 || k != 1 {
		t.Errorf("%d mints, and the API server was asked for %d tokens; want 1 and 1", m, k)
	}
	w.wantOneAgent()
}

// TestKubectlMany has many kubectls at once, as a script's loop in the background.
func TestKubectlMany(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "50 kubectl at once, no agent running: all are answered, with one mint", serviceAccountLogin)
	stanza := w.stanza(c, execV1, "interactiveMode: Never", "--connector", "prod")
	w.ok("svcconn", "agent", "stop")
	minted := w.audited("minted")
	var all sync.WaitGroup
	results := make([]result, 50)
	for i := range results {
		all.Go(func() {
			results[i] = w.cmd("kubectl", "--kubeconfig", stanza, "get", "namespaces", "-o", "name").within(2 * time.Minute).run()
		})
	}
	all.Wait()
	for _, res := range results {
		res.exits(0).says("kube-system")
	}
	if m := w.audited("minted") - minted; m != 1 {
		t.Errorf("%d mints, want 1", m)
	}
}
