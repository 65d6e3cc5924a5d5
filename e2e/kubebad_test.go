//go:build e2e && linux

package e2e

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestKubeRefused has registrations that cannot work, each in its own way.
func TestKubeRefused(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		login func(w *world, c *cluster) clusterLogin
		code  int
		says  []string
	}{
		"unknown token": {func(w *world, c *cluster) clusterLogin {
			return clusterLogin{method: "token", fields: map[string]string{"token": w.plainSecret()}}
		}, 4, []string{"401"}},
		"expired certificate": {func(w *world, c *cluster) clusterLogin {
			pair := c.clientCertificate(w.t, "ada", -time.Hour)
			w.guard(pair.keyPEM(w.t))
			return clusterLogin{method: "token", fields: map[string]string{"client_certificate": pair.certPEM(), "client_key": pair.keyPEM(w.t)}}
		}, 4, []string{"expired"}},
		"certificate of another authority": {func(w *world, c *cluster) clusterLogin {
			pair := (&cluster{ca: newAuthority(w.t)}).clientCertificate(w.t, "ada", time.Hour)
			return clusterLogin{method: "token", fields: map[string]string{"client_certificate": pair.certPEM(), "client_key": pair.keyPEM(w.t)}}
		}, 4, nil},
		"password": {func(w *world, c *cluster) clusterLogin {
			return clusterLogin{method: "password", fields: map[string]string{"username": "ada", "password": w.secret()}}
		}, 4, []string{"password"}},
		"forbidden TokenRequest": {func(w *world, c *cluster) clusterLogin {
			a := c.newServiceAccount(w.t)
			return clusterLogin{method: "service-account", fields: map[string]string{"token": c.newUser(w).token, "service_account": a.name, "namespace": a.namespace}}
		}, 4, []string{"forbidden", "serviceaccounts/token"}},
		"missing service account": {func(w *world, c *cluster) clusterLogin {
			a := c.newServiceAccount(w.t)
			return clusterLogin{method: "service-account", fields: map[string]string{"token": c.newUser(w, minters).token, "service_account": "nobody", "namespace": a.namespace}}
		}, 3, []string{"nobody"}},
		"missing plugin": {func(w *world, c *cluster) clusterLogin {
			return clusterLogin{method: "exec", fields: map[string]string{"command": "no-such-plugin"}}
		}, 2, []string{"no-such-plugin", "PATH"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register says what is wrong and leaves nothing behind, in files or keyring")
			w.startKeyring()
			c := w.useCluster()
			l := bad.login(w, c)
			l.register(w, "prod", c).exits(bad.code).says(bad.says...)
			w.wantConnectors()
			w.wantKeyring(0)
		})
	}
}

// TestKubeCertificateRequests has requests for certificates that come to nothing.
func TestKubeCertificateRequests(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]verdict{"denied": denied, "undecided": undecided} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a certificate request that is denied, or never decided, is an error in time, and the request does not stay")
			w.startKeyring()
			w.impatient()
			c := w.useCluster()
			minter := c.newUser(w, minters)
			c.decide(t, minter, v)
			l := clusterLogin{method: "client-certificate-request", fields: map[string]string{"token": minter.token}}
			l.register(w, "prod", c, "--no-verify").exits(0)
			says := "denied"
			if v == undecided {
				w.execCredential("", "--connector", "prod").run().exits(5).says("no credential in time")
				says = "nobody approved"
			}
			w.cmd("svcconn", "credential", "--connector", "prod", "--resource-type", "kubernetes-cluster", "--format", "exec-credential").run().fails().says(says)
			eventually(t, "the certificate requests are gone", func() bool { return len(c.signingRequests(minter)) == 0 })
		})
	}
}

// TestKubeOwnApproval has a stored login that may approve its own requests.
func TestKubeOwnApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a login that may approve certificates approves its own, for another user too, and only the signing is the cluster's")
	w.startKeyring()
	c := w.useCluster()
	u := c.newUser(w, minters, signers)
	c.decide(t, u, undecided)
	l := clusterLogin{method: "client-certificate-request", fields: map[string]string{"token": u.token, "certificate_user": "ci", "certificate_groups": readers}}
	l.register(w, "prod", c).exits(0)
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	w.wantUser("ci")
	w.ok("kubectl", "get", "namespaces").says("kube-system")
}

// impatient has svcconn wait for services for a few seconds only.
func (w *world) impatient() {
	w.t.Helper()
	w.file("[network]\ntimeout = \"4s\"\n[kubectl]\ntimeout = \"2s\"\n", "svcconn", "config.toml")
}

// TestKubeUnreachable has API servers that do not answer, and one that is not who
// the connector says.
func TestKubeUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a server that is down, silent or not the right one is named, in time, exit code 5 or 1; nothing is sent to it or stored")
	w.startKeyring()
	w.impatient()
	c := w.useCluster()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	free, err := freePorts(1)
	must(t, err)
	for name, there := range map[string]string{"down": free[0], "silent": silent.Addr().String()} {
		away := &cluster{dir: c.dir, url: "https://" + there}
		login := clusterLogin{method: "token", fields: map[string]string{"token": w.plainSecret()}}
		login.register(w, name, away).exits(5).says(there)
	}
	mint := clusterLogin{method: "service-account", fields: map[string]string{"token": w.plainSecret(), "service_account": "a", "namespace": "b"}}
	mint.register(w, "mint", &cluster{dir: c.dir, url: "https://" + silent.Addr().String()}, "--no-verify").exits(0)
	w.execCredential("", "--connector", "mint").within(8*time.Second).run().exits(5).says("no credential in time", "mint")
	stranger := t.TempDir()
	must(t, os.WriteFile(stranger+"/ca.crt", []byte(newAuthority(t).certPEM()), 0o600))
	l := tokenLogin(w, c)
	l.register(w, "wrong", &cluster{dir: stranger, url: c.url}).fails().says("certificate", "certificate_authority")
	w.wantConnectors("mint")
	l.fields["insecure"] = "true"
	w.cmd(strings.Fields(strings.Replace(strings.Join(l.registerArgs(w, "careless", c), " "), "--set certificate_authority=@"+c.path("ca.crt"), "", 1))...).run().exits(0)
	w.removePasswords()
}

// TestKubeconfigBad has kubeconfigs that cannot be edited.
func TestKubeconfigBad(t *testing.T) {
	t.Parallel()
	w, _, l := registeredCluster(t, "a kubeconfig that is malformed, a folder, a loop or read-only is an error that names it, and stays as it is", tokenLogin)
	config := w.path("home", ".kube", "config")
	login := []string{"svcconn", "login", "kubectl", "prod", "--use"}
	for _, text := range []string{"clusters: [", "\x00\xff", "clusters: 7\n", "- a\n- b\n", "{\"apiVersion\": \"v1\",", "apiVersion: v9\nkind: Pod\n"} {
		w.file(text, "home", ".kube", "config")
		w.cmd(login...).run().fails().says(config)
		w.cmd("svcconn", "logout", "kubectl", "prod").run()
		if after := w.read(config); after != text {
			t.Errorf("the malformed kubeconfig %q became %q", text, after)
		}
	}
	must(t, os.Remove(config))
	must(t, os.Mkdir(config, 0o700))
	w.cmd(login...).run().fails().says(config)
	must(t, os.Remove(config))
	must(t, os.Symlink("config", config))
	w.cmd(login...).run().fails().says(config)
	must(t, os.Remove(config))
	w.wantLinked(login, l)
	must(t, os.Remove(config))
	before := w.read(w.ownKubeconfig())
	w.inNamespace(readOnly(w.path("home", ".kube")))
	w.cmd(login...).run().fails().says("read-only", config)
	if w.read(config) != before {
		t.Error("the read-only kubeconfig was changed")
	}
}

// wantLinked has the kubeconfig be a symbolic link, as dotfile managers make it.
func (w *world) wantLinked(login []string, l clusterLogin) {
	w.t.Helper()
	config, target := w.path("home", ".kube", "config"), w.file(elsewhere, "dotfiles", "kubeconfig")
	must(w.t, os.Symlink("../../dotfiles/kubeconfig", config))
	w.ok(login...)
	w.wantUser(l.user)
	w.ok("svcconn", "logout", "kubectl", "prod")
	if link, err := os.Readlink(config); err != nil || link != "../../dotfiles/kubeconfig" {
		w.t.Errorf("the link is %q now (%v)", link, err)
	}
	if w.read(target) != elsewhere {
		w.t.Errorf("after logout the linked file is\n%s", w.read(target))
	}
}

// TestKubeNames has commands name what is not there.
func TestKubeNames(t *testing.T) {
	t.Parallel()
	w, _, _ := registeredCluster(t, "an unknown cluster, connector or context is named, exit code 3; another's context is never overwritten", tokenLogin)
	w.cmd("svcconn", "login", "kubectl", "nowhere").run().exits(3).says("nowhere")
	w.cmd("svcconn", "login", "kubectl", "--connector", "nobody", "prod").run().exits(3).says("nobody")
	w.cmd("kubectl", "svcconn", "login", "nowhere").run().fails().says("nowhere")
	config := w.ownKubeconfig()
	w.cmd("svcconn", "login", "kubectl", "prod", "--context", "elsewhere").run().fails().says("elsewhere", "--context")
	if w.read(config) != elsewhere {
		t.Errorf("the kubeconfig is\n%s", w.read(config))
	}
}
