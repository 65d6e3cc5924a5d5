//go:build e2e && linux

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// registered is a world with a keyring and one registered registry.
func registered(t *testing.T, shows string) (*world, *registry) {
	t.Helper()
	w := newWorld(t, shows)
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	return w, r
}

// TestAgentKilled ends the agent as a power cut would, between two pulls.
func TestAgentKilled(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "after SIGKILL of the agent the next get works, with exactly one new agent")
	w.wantLogin(r.host, r)
	old := w.agent()
	kill(t, old.PID)
	if _, err := os.Stat(old.Socket); err != nil {
		t.Fatalf("the killed agent's socket should still be there: %v", err)
	}
	w.wantLogin(r.host, r)
	w.wantOneAgent()
	if now := w.agent(); !now.Running || now.PID == old.PID {
		t.Fatalf("agent before: %+v, now: %+v", old, now)
	}
}

// TestAgentKilledBusy ends the agent again and again while front-ends use it.
func TestAgentKilledBusy(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "with the agent killed under 100 front-ends at work, each is answered all the same")
	answered := make(chan []result, 1)
	ask := func() { answered <- w.getMany(100, r) }
	go ask()
	for killed := 0; killed < 2; {
		select {
		case results := <-answered: // quicker than we: nobody starts another agent unless asked
			w.wantLogins(results, r)
			go ask()
		default:
		}
		if status := w.agent(); status.Running {
			syscall.Kill(status.PID, syscall.SIGKILL)
			killed++
		}
	}
	w.wantLogins(<-answered, r)
	w.wantLogin(r.host, r)
	w.wantOneAgent()
}

// TestStaleSocket puts a socket that nobody listens on where the agent's belongs.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "a socket that nobody listens on is taken over")
	w.wantLogin(r.host, r)
	socket := w.agent().Socket
	w.ok("svcconn", "agent", "stop")
	must(t, removeIfThere(socket))
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	must(t, err)
	listener.SetUnlinkOnClose(false)
	must(t, listener.Close())
	w.wantLogin(r.host, r)
	w.wantOneAgent()
}

// wantOneAgent requires one process of ours to be running, and that to be the agent.
func (w *world) wantOneAgent() {
	w.t.Helper()
	status := w.agent()
	if pids := w.processes(); len(pids) != 1 || pids[0] != status.PID {
		w.t.Fatalf("running processes: %v, want the agent %d alone", pids, status.PID)
	}
}

// getMany asks the helper many times at once.
func (w *world) getMany(n int, r *registry) []result {
	var all sync.WaitGroup
	results := make([]result, n)
	for i := range n {
		all.Go(func() { results[i] = w.get(r.host).run() })
	}
	all.Wait()
	return results
}

// wantLogins requires every answer of getMany to be the registered login.
func (w *world) wantLogins(results []result, r *registry) {
	w.t.Helper()
	for _, res := range results {
		var got login
		w.decode(res.exits(0), &got)
		if got.Username != r.user || got.Secret != r.password {
			w.t.Fatal("an answer has another login than was registered")
		}
	}
}

// TestHundredStart has no agent running and a hundred front-ends that need one.
// A script in svcconn's place counts the starts.
func TestHundredStart(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "100 front-ends at once, no agent running: all are answered and exactly one agent is started")
	w.ok("svcconn", "agent", "stop")
	starts := w.countStarts()
	w.wantLogins(w.getMany(100, r), r)
	if n := strings.Count(w.read(starts), "\n"); n != 1 {
		t.Fatalf("svcconn was started %d times, want once:\n%s", n, w.read(starts))
	}
}

// countStarts replaces svcconn by a script that notes each start and becomes
// svcconn. It returns the file of notes.
func (w *world) countStarts() string {
	w.t.Helper()
	real, notes := filepath.Join(w.bin, "real", "svcconn"), w.path("starts")
	must(w.t, os.Mkdir(filepath.Dir(real), 0o700))
	must(w.t, os.Rename(filepath.Join(w.bin, "svcconn"), real))
	script := "#!/bin/sh\necho \"$@\" >>" + notes + "\nexec " + real + " \"$@\"\n"
	must(w.t, os.WriteFile(filepath.Join(w.bin, "svcconn"), []byte(script), 0o700))
	return notes
}

// TestColdCache has 500 processes ask for the same login at once, nothing kept.
func TestColdCache(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "500 concurrent get of one cold registry: 500 answers, exactly one mint in the audit log")
	w.ok("svcconn", "agent", "stop")
	before := w.audited("minted")
	w.wantLogins(w.getMany(500, r), r)
	if minted := w.audited("minted") - before; minted != 1 {
		t.Fatalf("%d mints, want 1", minted)
	}
	w.wantOneAgent()
}

// TestNoAgent has SVCCONN_AGENT=off, as in a container.
func TestNoAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "SVCCONN_AGENT=off works for every command and leaves no process")
	w.setenv("SVCCONN_AGENT", "off")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	w.wantLogin(r.host, r)
	w.ok("docker-credential-svcconn", "list").says(r.host)
	w.ok("svcconn", "verify", "hub").says(r.host)
	if pids := w.processes(); len(pids) > 0 {
		t.Fatalf("still running: %v", pids)
	}
}

// TestUpgrade replaces the programs under a running agent.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "a newer front-end replaces an older agent, an older front-end leaves a newer agent alone")
	w.ok("svcconn", "agent", "stop")
	older, newer := w.release("v9.9.8"), w.release("v9.9.9")
	w.install(older)
	w.wantLogin(r.host, r)
	first := w.wantRelease("v9.9.8")
	w.install(newer)
	w.wantLogin(r.host, r)
	second := w.wantRelease("v9.9.9")
	eventually(t, "the older agent is gone", func() bool { return isZombie(first) })
	w.cmd(filepath.Join(older, "docker-credential-svcconn"), "get").input(r.host).revealing().run().exits(0)
	if third := w.wantRelease("v9.9.9"); third != second {
		t.Fatalf("an older front-end replaced agent %d by %d", second, third)
	}
	w.wantOneAgent()
}

// release builds the programs as another version and returns their folder.
func (w *world) release(version string) string {
	w.t.Helper()
	dir := w.path(version)
	must(w.t, buildPrograms(dir, "-ldflags=-X github.com/svcconn/svcconn/pkg/wire.Release="+version))
	return dir
}

// wantRelease requires the running agent to be of a version, and returns its pid.
func (w *world) wantRelease(version string) int {
	w.t.Helper()
	status := w.agent()
	if status.Release != version {
		w.t.Fatalf("the agent is %+v, want release %s", status, version)
	}
	return status.PID
}
