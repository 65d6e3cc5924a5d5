//go:build !windows

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/svcconn/svcconn/pkg/wire"
)

// status asks for what the agent says of itself.
func (r *reader) status() wire.Status {
	r.t.Helper()
	out, err := r.command("svcconn agent status -o json").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	var status wire.Status
	if err := json.Unmarshal(out, &status); err != nil {
		r.t.Fatal(err)
	}
	return status
}

// TestManyFrontEndsStartOneAgent: all of them find no agent, one starts it, and one
// mint serves all.
func TestManyFrontEndsStartOneAgent(t *testing.T) {
	t.Parallel()
	person := newReader(t)
	person.types("svcconn register team --type docker --set registry=registry.example.com --set username=ci --set password=@password.txt --no-verify")
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			out, err := person.command("echo registry.example.com | docker-credential-svcconn get").CombinedOutput()
			if err != nil || !strings.Contains(string(out), canary) {
				t.Errorf("get: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	log, err := os.ReadFile(filepath.Join(person.dir, "svcconn", "state", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if minted := strings.Count(string(log), `"outcome":"minted"`); minted != 1 {
		t.Errorf("%d mints: more than one agent, or more than one mint", minted)
	}
}

// TestAKilledAgentIsReplaced: SIGKILL leaves its socket and its locks; the next request
// starts another.
func TestAKilledAgentIsReplaced(t *testing.T) {
	t.Parallel()
	person := newReader(t)
	person.types("svcconn register team --type docker --set registry=registry.example.com --set username=ci --set password=@password.txt --no-verify")
	person.types("echo registry.example.com | docker-credential-svcconn get")
	before := person.status()
	if !before.Running {
		t.Fatal("no agent is running")
	}
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	person.types("echo registry.example.com | docker-credential-svcconn get")
	if after := person.status(); !after.Running || after.PID == before.PID {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
