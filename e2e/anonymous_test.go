//go:build e2e && linux

package e2e

import (
	"os"
	"testing"
)

// TestAnonymousFallback has a registry with a public and a private repository, and
// a connector for it that is broken: the command that prints its password fails.
// docker goes on anonymously whatever a helper says; the others stop.
func TestAnonymousFallback(t *testing.T) {
	t.Parallel()
	for _, c := range clients(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			anonymousFallback(t, c)
		})
	}
}

func anonymousFallback(t *testing.T, c client) {
	w := newWorld(t, "a broken login is an error that names the connector; docker.anonymous_fallback lets public pulls through, never private ones")
	c.prepare(w)
	w.startKeyring()
	r := w.startRegistry(setup{tokens: true, publicRepo: "open/app"})
	public, private := r.host+"/open/app:1", r.host+"/team/app:1"
	w.registerByCommand(r)
	w.ok("svcconn", "login", "docker", r.host)
	for _, ref := range []string{public, private} {
		c.make(w, ref, w.unique("public"+c.name))
		c.push(w, ref).run().exits(0)
		c.drop(w, ref)
	}
	w.breakCommand()
	w.get(r.host).run().exits(1).says("hub")
	if !c.tolerant {
		c.pull(w, public).run().fails().says("connector hub")
	}
	w.file("[docker]\nanonymous_fallback = true\n", "svcconn", "config.toml")
	w.get(r.host).run().exits(1).prints("credentials not found in native keychain")
	c.pull(w, public).run().exits(0)
	c.pull(w, private).run().refused()
}

// registerByCommand registers the registry with a reference to a command that
// prints the password at every mint.
func (w *world) registerByCommand(r *registry) {
	w.t.Helper()
	file := w.file(r.password, "vault")
	w.ok("svcconn", "register", "hub", "--type", "docker", "--set", "registry="+r.host, "--set", "username="+r.user,
		"--set", "password=cmd:cat "+file, "--reference")
}

// breakCommand makes the command of registerByCommand fail, and the agent forget.
func (w *world) breakCommand() {
	w.t.Helper()
	must(w.t, os.Remove(w.path("vault")))
	w.ok("svcconn", "agent", "forget")
}
