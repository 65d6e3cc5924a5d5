//go:build e2e && linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// engine is the one Docker engine of the run, started by the first test that
// needs it. It has no network of its own: pulls and pushes are the engine's. Whatever
// is not on this machine it asks the proxy of the shared AWS for.
var engine struct {
	once   sync.Once
	daemon *daemon
	err    error
}

// useEngine points the world's docker CLI at the Docker engine.
func (w *world) useEngine() {
	w.t.Helper()
	need(w.t, "dockerd")
	engine.once.Do(func() { engine.daemon, engine.err = startEngine() })
	must(w.t, engine.err)
	w.setenv("DOCKER_HOST", engineAddress())
	w.t.Cleanup(w.searchEngineLog)
}

func engineDir() string     { return filepath.Join(suite.dir, "engine") }
func engineAddress() string { return "unix://" + filepath.Join(engineDir(), "sock") }

func startEngine() (*daemon, error) {
	dir := engineDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ready := func() bool {
		return exec.Command("docker", "--host", engineAddress(), "version").Run() == nil
	}
	shared, err := sharedAWS()
	if err != nil {
		return nil, err
	}
	return launch(filepath.Join(dir, "log"), append(os.Environ(), shared.env()...), "", ready, "dockerd", "--host", engineAddress(),
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
}

func stopEngine() {
	if engine.daemon != nil {
		engine.daemon.stop()
	}
}

// searchEngineLog looks for the world's secrets in what the engine wrote down.
func (w *world) searchEngineLog() {
	log, _ := os.ReadFile(filepath.Join(engineDir(), "log"))
	w.accuse("the log of the Docker engine", log)
}

// TestEngine shows that the engine and a docker CLI of this machine work together
// without any of our programs.
func TestEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "the Docker engine answers every docker CLI of this machine")
	w.useEngine()
	for version, docker := range dockerCLIs() {
		w.ok(docker, "version").says(version)
	}
}
