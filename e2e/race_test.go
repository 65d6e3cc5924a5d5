//go:build e2e && linux

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestRegisterRace has many processes register at once.
func TestRegisterRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "40 processes registering at once: every name is there, and of ten for one name exactly one wins")
	w.startKeyring()
	password := w.file("not-a-secret", "password")
	var all sync.WaitGroup
	results := make([]result, 40)
	for i := range results {
		name := fmt.Sprintf("own-%02d", i)
		if i >= 30 {
			name = "shared"
		}
		all.Go(func() {
			results[i] = w.cmd("svcconn", "register", name, "--type", "docker", "--no-verify",
				"--set", fmt.Sprintf("registry=r%d.example.com", i), "--set", "username=ada", "--set", "password=@"+password).run()
		})
	}
	all.Wait()
	won := 0
	for i, res := range results {
		switch {
		case i < 30 && res.code != 0:
			t.Errorf("registration %d: exit code %d\n%s", i, res.code, res.output())
		case i >= 30 && res.code == 0:
			won++
		}
	}
	if won != 1 || len(w.connectors()) != 31 {
		t.Fatalf("%d won the shared name, %d connectors are registered; want 1 and 31", won, len(w.connectors()))
	}
}

// TestKilledUpdate kills an update at ever later moments.
func TestKilledUpdate(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "an update that is killed at any moment leaves the old or the new login, whole")
	now := r.password
	for step := range 30 {
		next := w.plainSecret()
		update := w.cmd("svcconn", "update", "hub", "--no-verify", "--set", "username="+r.user, "--set", "password=@"+w.file(next, "password"))
		delay := time.Duration(step) * 4 * time.Millisecond
		update.killed(delay)
		var got login
		w.decode(w.get(r.host).run().exits(0), &got)
		if got.Username != r.user || got.Secret != now && got.Secret != next {
			t.Fatalf("killed after %v: neither the old nor the new login", delay)
		}
		now = got.Secret
	}
	w.removePasswords()
	w.wantConnectors("hub")
	w.ok("svcconn", "delete", "hub", "--yes")
	w.wantKeyring(0)
}
