//go:build e2e && linux

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
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
	for delay := range 20 {
		next := w.plainSecret()
		update := w.cmd("svcconn", "update", "hub", "--no-verify", "--set", "username="+r.user, "--set", "password=@"+w.file(next, "password"))
		update.killed(time.Duration(delay*2) * time.Millisecond)
		var got login
		w.decode(w.get(r.host).run().exits(0), &got)
		if got.Username != r.user || got.Secret != now && got.Secret != next {
			t.Fatalf("killed after %d ms: neither the old nor the new login", 2*delay)
		}
		now = got.Secret
	}
	w.removePasswords()
	files, err := filepath.Glob(filepath.Join(w.config, "connectors", "*"))
	must(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file, "/hub.toml") {
			t.Logf("left beside the connector: %s", file)
		}
	}
	w.wantConnectors("hub")
	w.ok("svcconn", "delete", "hub", "--yes")
	w.wantKeyring(0)
}
