//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKubeAutoConfigure takes the login over that a kubeconfig has.
func TestKubeAutoConfigure(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]func(w *world, c *cluster) (user, yaml string){
		"token": func(w *world, c *cluster) (string, string) {
			u := c.newUser(w)
			return u.name, "token: " + u.token
		},
		"certificate": func(w *world, c *cluster) (string, string) {
			pair := c.clientCertificate(w.t, "ada", 48*time.Hour)
			w.guard(pair.keyPEM(w.t))
			return "ada", pair.kubeconfigUser(w.t)
		},
		"certificate files": func(w *world, c *cluster) (string, string) {
			pair, dir := c.clientCertificate(w.t, "ada", 48*time.Hour), w.t.TempDir()
			w.guard(pair.keyPEM(w.t))
			must(w.t, os.WriteFile(dir+"/tls.crt", []byte(pair.certPEM()), 0o600))
			must(w.t, os.WriteFile(dir+"/tls.key", []byte(pair.keyPEM(w.t)), 0o600))
			return "ada", "client-certificate: " + dir + "/tls.crt, client-key: " + dir + "/tls.key"
		},
		"token file": func(w *world, c *cluster) (string, string) {
			u, path := c.newUser(w), filepath.Join(w.t.TempDir(), "token")
			must(w.t, os.WriteFile(path, []byte(u.token+"\n"), 0o600))
			return u.name, "tokenFile: " + path
		},
		"exec": func(w *world, c *cluster) (string, string) {
			u := c.newUser(w)
			return u.name, "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + w.execPlugin(u).path + "}"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register --auto-configure takes a login over from a kubeconfig; kubectl then works through us")
			w.startKeyring()
			c := w.useCluster()
			who, yaml := user(w, c)
			w.setenv("KUBECONFIG", c.plainKubeconfig(t, yaml))
			w.ok("svcconn", "register", "prod", "--type", "kubernetes", "--auto-configure")
			w.setenv("KUBECONFIG", "")
			w.wantConnectors("prod")
			w.ok("svcconn", "verify", "prod").says(who)
			w.ok("svcconn", "login", "kubectl", "--connector", "prod", "--context", "ours", "--use")
			w.wantUser(who)
		})
	}
}

// TestKubeAutoConfigureChoice has several contexts in several files.
func TestKubeAutoConfigureChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "auto-configuration takes the context that was asked for out of all files of KUBECONFIG, and never a token that soon ends")
	w.startKeyring()
	c := w.useCluster()
	one, two := c.newUser(w), c.newUser(w)
	dir := t.TempDir()
	short := c.requestToken(t, c.newServiceAccount(t))
	w.guard(short)
	for name, token := range map[string]string{"one": one.token, "two": two.token, "short": short} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(c.kubeconfig(name, "token: "+token)), 0o600))
	}
	w.setenv("KUBECONFIG", dir+"/one:"+dir+"/absent:"+dir+"/two:"+dir+"/short")
	w.ok("svcconn", "register", "second", "--type", "kubernetes", "--auto-configure", "--set", "context=two")
	w.ok("svcconn", "verify", "second").says(two.name)
	w.ok("svcconn", "register", "first", "--type", "kubernetes", "--auto-configure")
	w.ok("svcconn", "verify", "first").says(one.name)
	w.cmd("svcconn", "register", "third", "--type", "kubernetes", "--auto-configure", "--set", "context=short").run().fails().says("short", "short-lived")
	w.cmd("svcconn", "register", "third", "--type", "kubernetes", "--auto-configure", "--set", "context=tow").run().exits(3).says("two")
	w.wantConnectors("first", "second")
	for _, name := range []string{"one", "two", "short"} {
		if text, _ := os.ReadFile(filepath.Join(dir, name)); !strings.Contains(string(text), "current-context: "+name) {
			t.Errorf("auto-configuration changed the kubeconfig %s", name)
		}
	}
}

// TestPullSecret puts a registry's login into the cluster.
func TestPullSecret(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "pull-secret prints a manifest that kubectl applies, and --apply makes the secret through the cluster's connector", serviceAccountLogin)
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	namespace := c.newNamespace(t)
	w.ok("svcconn", "pull-secret", r.host, "--namespace", namespace, "--name", "applied", "--apply", "--cluster-connector", "prod").says("applied")
	w.ok("svcconn", "pull-secret", r.host, "--namespace", namespace, "--name", "applied", "--apply", "--cluster-connector", "prod")
	manifest := w.cmd("svcconn", "pull-secret", r.host, "--namespace", namespace, "--name", "printed").revealing().run().exits(0).stdout
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	w.cmd("kubectl", "apply", "-f", "-").input(manifest).run().exits(0).says("printed")
	login := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	for _, name := range []string{"applied", "printed"} {
		var secret struct {
			Type string
			Data map[string][]byte
		}
		must(t, c.call("GET", "/api/v1/namespaces/"+namespace+"/secrets/"+name, nil, &secret))
		text := string(secret.Data[".dockerconfigjson"])
		if secret.Type != "kubernetes.io/dockerconfigjson" || !strings.Contains(text, r.host) || !strings.Contains(text, login) {
			t.Errorf("the secret %s is of type %s and has not the login for %s", name, secret.Type, r.host)
		}
	}
	w.cmd("svcconn", "pull-secret", "unknown.example.com").run().exits(3).says("unknown.example.com")
	w.cmd("svcconn", "pull-secret", r.host, "--namespace", "nowhere", "--apply", "--cluster-connector", "prod").run().fails().says("nowhere")
}

// TestKubelet asks as kubelet does, with kubelet's own code.
func TestKubelet(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "kubelet's own code finds the login for an image through our credential provider, and none for a stranger's")
	w.setenv("KUBECONFIG", "")
	config := w.file(fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: docker-credential-svcconn
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [kubelet]
  matchImages: [%q, other.example.com]
  defaultCacheDuration: 0s
`, r.host), "provider.yaml")
	pull := func(image string) result {
		return w.cmd(w.kubeProgram("pull"), "-config", config, "-bin-dir", w.bin, image).revealing().run().exits(0)
	}
	pull(r.host + "/team/app:1").prints(r.user + "\n" + r.password)
	pull("other.example.com/team/app").prints("")
	for _, bad := range []string{"", "{", `{"image": "` + r.host + `/a"}`, `{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v9","image":"a/b"}`} {
		if res := w.cmd("docker-credential-svcconn", "kubelet").input(bad).run().exits(1); res.stdout != "" {
			t.Errorf("%q: something is on stdout", bad)
		}
	}
}
