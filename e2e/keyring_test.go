//go:build e2e && linux

package e2e

import (
	"testing"

	"github.com/svcconn/svcconn/pkg/secrets/keyringtest"
)

// startKeyring gives the world a session bus and gnome-keyring on it, unlocked.
// What the keyring writes is searched for secrets like the world itself.
func (w *world) startKeyring() {
	w.t.Helper()
	w.keyring = keyringtest.StartKeyring(w.t)
	for _, kv := range w.keyring.Env {
		w.setenvPair(kv)
	}
	w.t.Cleanup(func() { w.searchFolder(w.keyring.Folder) })
}

// kept are the accounts of our items in the keyring.
func (w *world) kept() []string {
	w.t.Helper()
	return w.keyring.Accounts("svcconn")
}

// TestKeyring shows that the real keyring works here without our programs.
func TestKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "gnome-keyring on a session bus of its own starts empty and can be locked")
	w.startKeyring()
	w.keyring.Lock()
	w.wantKeyring(0)
	w.keyring.Unlock()
}
