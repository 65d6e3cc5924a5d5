//go:build e2e && linux

package e2e

import "testing"

// TestKubeRejected revokes what was handed out. kubectl does not say that it was
// refused: it just asks again, from the same process.
func TestKubeRejected(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"service-account", "exec"} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			w, c, l := registeredCluster(t, "after the API server's 401 the next kubectl works, with exactly one new mint", clusterLogins[auth])
			stanza := w.stanza(c, execV1, "interactiveMode: Never", "--connector", "prod")
			get := []string{"kubectl", "--kubeconfig", stanza, "get", "namespaces"}
			w.ok(get...).says("kube-system")
			minted := w.audited("minted")
			token := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1).Status.Token
			l.revoke()
			c.awaitRefusal(t, token)
			if m := w.audited("minted") - minted; m != 0 {
				t.Fatalf("%d mints while the credential was good", m)
			}
			w.cmd(get...).run()
			w.ok(get...).says("kube-system")
			w.ok(get...).says("kube-system")
			if m := w.audited("minted") - minted; m != 1 {
				t.Errorf("%d mints after the credential was revoked, want 1", m)
			}
		})
	}
}

// TestKubeUseless has a plugin whose every credential is refused.
func TestKubeUseless(t *testing.T) {
	t.Parallel()
	w, c, l := registeredCluster(t, "against an API server that always answers 401 one kubectl get causes at most one extra mint", execLogin)
	stanza := w.stanza(c, execV1, "interactiveMode: Never", "--connector", "prod")
	get := []string{"kubectl", "--kubeconfig", stanza, "get", "namespaces"}
	w.ok(get...)
	u := c.newUser(w)
	c.revoke(t, u)
	l.revoke()
	l.plugin.hand(u)
	before := l.plugin.runs()
	w.cmd(get...).run().fails().says("logged in")
	if runs := l.plugin.runs() - before; runs > 1 {
		t.Errorf("the wrapped plugin was run %d times, want at most once", runs)
	}
}

// TestKubeTokenChanged has a stored token revoked, which only a person can replace.
func TestKubeTokenChanged(t *testing.T) {
	t.Parallel()
	w, c, l := registeredCluster(t, "a stored token that was revoked is refused, verify says so with exit code 4, and after update kubectl works at once", tokenLogin)
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	w.wantUser(l.user)
	l.revoke()
	w.cmd("kubectl", "get", "namespaces").run().fails().says("logged in")
	w.cmd("svcconn", "verify", "prod").run().exits(4).says("401", "revoked")
	u := c.newUser(w)
	w.ok("svcconn", "update", "prod", "--set", "token=@"+w.file(u.token, "password"))
	w.removePasswords()
	w.wantUser(u.name)
}

// TestKubeForget has a person end a credential that is good.
func TestKubeForget(t *testing.T) {
	t.Parallel()
	w, c, _ := registeredCluster(t, "agent forget and delete take a cluster's credential away at once", serviceAccountLogin)
	token := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1).Status.Token
	w.ok("svcconn", "agent", "forget", "prod")
	if again := w.wantCredential(w.execCredential("", "--connector", "prod").run(), execV1beta1).Status.Token; again == token {
		t.Error("the token was handed out again after agent forget")
	}
	w.ok("svcconn", "delete", "prod", "--yes", "--force")
	w.execCredential(c.clusterInfo(execV1, c.url)).run().exits(3)
	w.wantKeyring(0)
}

// TestTwoClusters has two connectors for one API server.
func TestTwoClusters(t *testing.T) {
	t.Parallel()
	w, c, first := registeredCluster(t, "two users of one API server: by its address alone is ambiguous, each context has its own user", tokenLogin)
	second := tokenLogin(w, c)
	second.register(w, "stage", c).exits(0)
	w.execCredential(c.clusterInfo(execV1, c.url)).run().exits(7).says("prod", "stage")
	for name, l := range map[string]clusterLogin{"prod": first, "stage": second} {
		w.ok("svcconn", "login", "kubectl", name, "--context", "as-"+name)
		w.wantUser(l.user, "--context", "as-"+name)
	}
	w.ok("svcconn", "logout", "kubectl", "stage")
	w.wantUser(first.user, "--context", "as-prod")
	if contexts := w.ok("kubectl", "config", "get-contexts", "-o", "name").stdout; contexts != "as-prod\n" {
		t.Errorf("contexts after the logout of stage: %q", contexts)
	}
}
