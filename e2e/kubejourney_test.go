//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/oidctest"
)

// registeredCluster is a world with a keyring and one registered cluster, called prod.
func registeredCluster(t *testing.T, shows string, prepare func(*world, *cluster) clusterLogin) (*world, *cluster, clusterLogin) {
	t.Helper()
	w := newWorld(t, shows)
	w.startKeyring()
	c := w.useCluster()
	l := prepare(w, c)
	l.register(w, "prod", c).exits(0).says("prod")
	return w, c, l
}

// TestKubeJourney is the main job for clusters: register once, then kubectl, until
// logout leaves the kubeconfig as it was.
func TestKubeJourney(t *testing.T) {
	t.Parallel()
	for name, prepare := range clusterLogins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, l := registeredCluster(t, "register, verify, login kubectl, whoami, get ns, a second context; logout restores the kubeconfig byte for byte", prepare)
			w.ok("svcconn", "verify", "prod").says(l.user)
			config := w.ownKubeconfig()
			before := w.read(config)
			w.ok("svcconn", "login", "kubectl", "prod", "--context", "first")
			w.wantContext("elsewhere")
			w.wantUser(l.user, "--context", "first")
			w.ok("kubectl", "--context", "first", "get", "namespaces").says("kube-system")
			w.ok("svcconn", "login", "kubectl", "prod", "--context", "second", "--use")
			w.wantContext("second")
			w.wantUser(l.user)
			w.wantUser(l.user, "--context", "first")
			w.ok("svcconn", "logout", "kubectl", "prod")
			if after := w.read(config); after != before {
				t.Errorf("after logout the kubeconfig is\n%s\nbefore login it was\n%s", after, before)
			}
			w.wantMode(config, 0o640)
			w.wantOneAgent()
		})
	}
}

// elsewhere is a kubeconfig as a person has it, not in the order of any program.
const elsewhere = `# my clusters
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: elsewhere
contexts:
- context: {cluster: elsewhere, user: me, namespace: "team-a"}   # the old one
  name: elsewhere
clusters:
- name: elsewhere
  cluster:
    server: https://elsewhere.example.com:6443
    insecure-skip-tls-verify: true
users:
- name: me
  user: {username: me, password: not-a-secret}
`

// ownKubeconfig gives the person a kubeconfig that has nothing to do with us.
func (w *world) ownKubeconfig() string {
	w.t.Helper()
	path := w.file(elsewhere, "home", ".kube", "config")
	must(w.t, os.Chmod(path, 0o640))
	return path
}

func (w *world) wantMode(path string, mode os.FileMode) {
	w.t.Helper()
	info, err := os.Stat(path)
	must(w.t, err)
	if info.Mode().Perm() != mode {
		w.t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), mode)
	}
}

func (w *world) wantContext(name string) {
	w.t.Helper()
	w.ok("kubectl", "config", "current-context").prints(name)
}

// wantUser requires the API server to take kubectl for a user.
func (w *world) wantUser(user string, flags ...string) {
	w.t.Helper()
	var review struct {
		Status struct {
			UserInfo struct{ Username string }
		}
	}
	res := w.ok(append([]string{"kubectl", "auth", "whoami", "-o", "json"}, flags...)...)
	must(w.t, json.Unmarshal([]byte(res.stdout), &review))
	if got := review.Status.UserInfo.Username; got != user {
		w.t.Fatalf("%s: the API server takes us for %q, want %q", res.line, got, user)
	}
}

// TestKubeVerify looks at what registration and verification tell.
func TestKubeVerify(t *testing.T) {
	t.Parallel()
	w, _, l := registeredCluster(t, "verify, list-resources and describe --client tell user and cluster, and no secret", serviceAccountLogin)
	var verified struct {
		Identity  any `json:"identity"`
		Resources []struct {
			Type  string   `json:"resource_type"`
			Names []string `json:"resource_names"`
		} `json:"resources"`
	}
	w.decode(w.ok("svcconn", "verify", "prod", "-o", "json").says(l.user), &verified)
	if r := verified.Resources; len(r) != 1 || r[0].Type != "kubernetes-cluster" || strings.Join(r[0].Names, " ") != "prod" {
		t.Errorf("verify tells the resources %+v", r)
	}
	w.ok("svcconn", "list-resources", "--resource-type", "kubernetes-cluster").says("prod")
	w.ok("kubectl", "svcconn", "list-resources").says("prod")
	w.ok("svcconn", "describe", "prod", "--client", "--resource-type", "kubernetes-cluster", "--resource-name", "prod").says("redacted")
	w.ok("svcconn", "explain", "prod").says("prod")
}

// TestKubePlugin uses kubectl's own way to our commands.
func TestKubePlugin(t *testing.T) {
	t.Parallel()
	w, _, l := registeredCluster(t, "kubectl svcconn login --use and logout; --dry-run changes nothing; a new kubeconfig is gone again after logout", tokenLogin)
	config := w.path("home", ".kube", "config")
	w.ok("kubectl", "svcconn", "login", "prod", "--dry-run").says("prod")
	if _, err := os.Stat(config); err == nil {
		t.Error("login --dry-run wrote a kubeconfig")
	}
	w.ok("kubectl", "svcconn", "login", "--use", "prod")
	w.wantUser(l.user)
	w.wantMode(config, 0o600)
	if text := w.read(config); !strings.Contains(text, filepath.Join(w.bin, "kubectl-svcconn")) {
		t.Errorf("the kubeconfig has no absolute path to the plugin, which GUI programs need:\n%s", text)
	}
	w.ok("kubectl", "svcconn", "logout", "prod")
	w.cmd("kubectl", "config", "current-context").run().fails()
	w.ok("kubectl", "svcconn", "login", "--all")
	w.ok("kubectl", "config", "get-contexts", "-o", "name").says("prod")
}

// TestKubeconfigList has the clusters of several files, as KUBECONFIG allows.
func TestKubeconfigList(t *testing.T) {
	t.Parallel()
	w, _, l := registeredCluster(t, "with two files in KUBECONFIG login and logout leave the one that is not theirs alone, and restore the other", tokenLogin)
	first, second := w.file(elsewhere, "first"), w.file(strings.ReplaceAll(elsewhere, "elsewhere", "other"), "second")
	w.setenv("KUBECONFIG", first+":"+second)
	files := w.read(first) + w.read(second)
	w.ok("svcconn", "login", "kubectl", "prod", "--context", "ours", "--use")
	w.wantUser(l.user)
	w.ok("kubectl", "config", "get-contexts", "-o", "name").says("elsewhere", "other", "ours")
	w.ok("svcconn", "logout", "kubectl", "prod")
	if w.read(first)+w.read(second) != files {
		t.Errorf("after logout the files are\n%s\n%s", w.read(first), w.read(second))
	}
}

// TestKubectlPolicy has an allowlist of plugins in kubectl's own preferences (kuberc).
func TestKubectlPolicy(t *testing.T) {
	t.Parallel()
	w, _, l := registeredCluster(t, "kubectl 1.36 runs our plugin under an allowlist that has the path which login wrote, and refuses it under another", tokenLogin)
	kubectl := need(t, "kubectl-1.36")
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	whoami := func(allowed string) result {
		w.setenv("KUBERC", w.file(`apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
credentialPluginPolicy: Allowlist
credentialPluginAllowlist: [{command: "`+allowed+`"}]
`, w.unique("kuberc")))
		return w.cmd(kubectl, "auth", "whoami").run()
	}
	whoami(filepath.Join(w.bin, "kubectl-svcconn")).exits(0).says(l.user)
	whoami("aws").fails().says("allowlist")
}

// TestKubeClientsLogin has every client get its credential from us.
func TestKubeClientsLogin(t *testing.T) {
	t.Parallel()
	for _, client := range kubeClients() {
		if strings.HasPrefix(client.name, "kubectl-v1.20.") {
			continue // it takes no stanza in v1, which login writes: see TestKubectlGenerations
		}
		for _, auth := range []string{"service-account", "client-certificate-request"} {
			t.Run(client.name+"/"+auth, func(t *testing.T) {
				t.Parallel()
				w, _, _ := registeredCluster(t, "lists namespaces through the exec plugin, twice, with one mint", clusterLogins[auth])
				client.prepare(w)
				w.ok("svcconn", "login", "kubectl", "prod", "--use")
				minted := w.audited("minted")
				config := w.path("home", ".kube", "config")
				client.namespaces(w, config).run().exits(0).says("kube-system")
				client.namespaces(w, config).run().exits(0).says("kube-system")
				if n := w.audited("minted") - minted; n > 1 {
					t.Errorf("%d mints, want at most 1", n)
				}
			})
		}
	}
}

// TestHelmRelease installs a release; it needs no nodes.
func TestHelmRelease(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "helm installs, lists, upgrades and removes a release through the exec plugin", serviceAccountLogin)
	need(t, "helm")
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	namespace := c.newNamespace(t)
	w.ok("helm", "--namespace", namespace, "install", "demo", testdata("chart")).says("deployed")
	w.ok("helm", "--namespace", namespace, "list").says("demo", "e2e-0.1.0")
	w.ok("kubectl", "--namespace", namespace, "get", "configmap", "demo-greeting", "-o", "jsonpath={.data.greeting}").prints("hello")
	w.ok("helm", "--namespace", namespace, "upgrade", "demo", testdata("chart")).says("revision: 2")
	w.ok("helm", "--namespace", namespace, "uninstall", "demo")
}

// TestKubeWatch runs a client for longer than its tokens live.
func TestKubeWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a client-go program watches for 85 s with OIDC tokens that live 60 s, without an error")
	w.startKeyring()
	c := w.useCluster()
	l := oidcLogin(w, c)
	l.issuer.Behave(func(b *oidctest.Behaviour) { b.Lifetime, b.Rotate = time.Minute, true })
	l.register(w, "prod", c).exits(0)
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	asked := l.issuer.Count(oidctest.Token)
	res := w.cmd(w.kubeProgram("watch"), "-kubeconfig", w.path("home", ".kube", "config"), "-for", "85s").within(2 * time.Minute).run().exits(0)
	if turns := strings.Count(res.stdout, "turn"); turns < 10 {
		t.Errorf("the watch was opened %d times", turns)
	}
	if renewed := l.issuer.Count(oidctest.Token) - asked; renewed < 2 {
		t.Errorf("the issuer was asked %d times: the tokens were not renewed", renewed)
	}
}
