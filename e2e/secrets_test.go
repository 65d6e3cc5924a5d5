//go:build e2e && linux

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWrongPassword has the registry refuse what was typed.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for auth, s := range map[string]setup{"basic": {}, "token": {tokens: true}} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "register with a wrong password exits 4 and leaves nothing behind, in files or keyring")
			w.startKeyring()
			r := w.startRegistry(s)
			wrong := *r
			wrong.password = w.secret()
			w.register("hub", &wrong).exits(4).says(r.host)
			w.wantConnectors()
			w.wantKeyring(0)
			w.register("hub", r).exits(0)
		})
	}
}

// TestUpdateWrongPassword changes a password that works to one that does not.
func TestUpdateWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "update to a wrong password exits 4 and the old password stays in force")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	items := len(w.kept())
	wrong := w.file(w.secret(), "wrong")
	w.cmd("svcconn", "update", "hub", "--set", "password=@"+wrong).run().exits(4)
	must(t, os.Remove(wrong))
	w.wantLogin(r.host, r)
	w.wantKeyring(items)
}

// TestLockedKeyring has the keyring locked by a screen saver; nobody is there to
// answer the keyring's prompt, which does not even exist here.
func TestLockedKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "with the keyring locked every command says so at once, exit code 6, and works again once unlocked")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	w.ok("svcconn", "agent", "stop")
	w.keyring.Lock()
	const soon = 15 * time.Second
	w.cmd("svcconn", "credential", "--connector", "hub", "--resource-type", "docker-registry", "--format", "json").within(soon).run().exits(6).says("keyring", "locked")
	w.get(r.host).within(soon).run().exits(1).says("locked")
	w.cmd(w.registerArgs("other", r)...).within(soon).run().exits(6).says("locked")
	w.removePasswords()
	w.wantConnectors("hub")
	w.keyring.Unlock()
	w.wantLogin(r.host, r)
}

// TestNoKeyring has no session bus at all, as on a server.
func TestNoKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "without a session bus register names secrets.backend, stores nothing and starts no bus of its own")
	r := w.startRegistry(setup{})
	res := w.register("hub", r).fails().says("secrets.backend", "file")
	if res.code != 5 && res.code != 6 {
		t.Errorf("exit code %d, want 5 (unavailable) or 6 (a person is needed)", res.code)
	}
	w.wantConnectors()
	if entries, err := os.ReadDir(filepath.Join(w.config, "connectors")); err == nil && len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	for _, pid := range w.strays() {
		if exe, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe"); strings.Contains(exe, "dbus") {
			t.Errorf("%s was started", exe)
		}
	}
}

// TestFileBackend is the way without a keyring that TestNoKeyring's error names.
func TestFileBackend(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "with the age-encrypted file and a passphrase file the journey works without a keyring")
	w.setenv("SVCCONN_SECRETS", "file")
	w.setenv("SVCCONN_PASSPHRASE_FILE", w.file("correct horse battery staple\n", "passphrase"))
	r := w.startRegistry(setup{})
	c := skopeoClient()
	c.prepare(w)
	w.register("hub", r).exits(0)
	w.ok("svcconn", "login", "docker", r.host)
	c.make(w, r.host+"/team/app:1", "")
	c.push(w, r.host+"/team/app:1").run().exits(0)
	w.wantLogin(r.host, r)
}

// TestDeleteBetweenPulls deletes the connector while docker still points at us.
func TestDeleteBetweenPulls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "after delete the next pull is refused at once, though the agent had the login in memory")
	w.startKeyring()
	r := w.startRegistry(setup{})
	c := craneClient()
	c.prepare(w)
	ref := r.host + "/team/app:1"
	w.register("hub", r).exits(0)
	w.ok("svcconn", "login", "docker", r.host)
	c.make(w, ref, "")
	c.push(w, ref).run().exits(0)
	c.pull(w, ref).run().exits(0)
	w.cmd("svcconn", "delete", "hub", "--yes").run().fails().says("--force")
	c.pull(w, ref).run().exits(0)
	w.ok("svcconn", "delete", "hub", "--yes", "--force")
	c.pull(w, ref).run().refused()
	w.get(r.host).run().exits(1).prints("credentials not found in native keychain")
	w.wantKeyring(0)
}
