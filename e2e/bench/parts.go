package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const registry = "registry.example.com"

func sizes(_ context.Context, w *world, _ int) error {
	for _, name := range []string{"docker-credential-svcconn", "kubectl-svcconn", "svcconn"} {
		info, err := os.Stat(filepath.Join(w.bin, name))
		if err != nil {
			return fmt.Errorf("%w: run make build first", err)
		}
		aim := "aim: under 5 MiB"
		if name == "svcconn" {
			aim = ""
		}
		report("size of "+name+", stripped", "%.1f MiB", float64(info.Size())/(1<<20), aim)
	}
	return nil
}

// register adds a docker connector without asking the registry.
func (w *world) register(ctx context.Context, name, registry string) error {
	_, err := do(w.command(ctx, "svcconn", "register", name, "--type", "docker", "--no-verify",
		"--set", "username=ci", "--set", "password=-", "--set", "registry="+registry), "bench-password")
	return err
}

// warmGet times `get` of a kept credential beside the floor and beside the ECR helper
// with its token in its cache.
func warmGet(ctx context.Context, w *world, runs int) error {
	if err := w.register(ctx, "bench", registry); err != nil {
		return err
	}
	empty, err := emptyProgram(ctx)
	if err != nil {
		return err
	}
	ecr, err := warmECR(ctx, w)
	if err != nil {
		return err
	}
	ours := &timed{name: "svcconn", path: filepath.Join(w.bin, "docker-credential-svcconn"), args: []string{"get"}, env: w.env, stdin: registry}
	floor := &timed{name: "empty", path: empty, env: w.env, stdin: registry}
	if err := inTurns(ctx, runs, ours, floor, ecr); err != nil {
		return err
	}
	toFloor, toECR := paired(ours, floor), paired(ours, ecr)
	report("an empty Go program, median", "%s", floor.median().Round(10*time.Microsecond), "")
	report("docker-credential-ecr-login get, warm, median", "%s", ecr.median().Round(10*time.Microsecond), "")
	report("docker-credential-svcconn get, warm, median", "%s", ours.median().Round(10*time.Microsecond), "")
	report("  to an empty Go program, median of pairs", "%.2f x", toFloor, "aim: at most 1.5")
	report("  to docker-credential-ecr-login, median of pairs", "%.2f x", toECR, "aim: at most 0.25")
	return nil
}

// stampede has 500 front-ends ask at once for a registry that nobody asked for
// before.
func stampede(ctx context.Context, w *world, _ int) error {
	if _, err := do(w.command(ctx, "svcconn", "agent", "forget"), ""); err != nil {
		return err
	}
	before, err := w.minted()
	if err != nil {
		return err
	}
	if err := atOnce(500, func() error {
		_, err := do(w.command(ctx, "docker-credential-svcconn", "get"), registry)
		return err
	}); err != nil {
		return err
	}
	after, err := w.minted()
	report("mints for 500 concurrent get of one cold registry", "%d", after-before, "must be 1")
	return err
}

// atOnce does something n times at once and returns the errors.
func atOnce(n int, do func() error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// minted counts the mints in the audit log.
func (w *world) minted() (int, error) {
	text, err := os.ReadFile(filepath.Join(w.dir, "svcconn", "state", "audit.jsonl"))
	if os.IsNotExist(err) {
		return 0, nil
	}
	return strings.Count(string(text), `"outcome":"minted"`), err
}

// connectorFile is a connector as a person may write it by hand, its password
// referred to.
func (w *world) connectorFile(name, registry string) error {
	secret := filepath.Join(w.dir, "password")
	if err := os.WriteFile(secret, []byte("bench-password"), 0o600); err != nil {
		return err
	}
	text := fmt.Sprintf("version = 1\ntype = 'docker'\nauth_method = 'password'\n\n[configuration]\nusername = 'ci'\nregistry = '%s'\n\n[secrets.references]\npassword = 'file:%s'\n", registry, secret)
	folder := filepath.Join(w.dir, "svcconn", "connectors")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".toml"), []byte(text), 0o600)
}

// memory keeps 1,000 credentials in the agent.
func memory(ctx context.Context, w *world, _ int) error {
	const kept = 1000
	for n := range kept {
		if err := w.connectorFile(fmt.Sprintf("kept%04d", n), fmt.Sprintf("kept%04d.example.com", n)); err != nil {
			return err
		}
	}
	for n := range kept {
		if _, err := do(w.command(ctx, "docker-credential-svcconn", "get"), fmt.Sprintf("kept%04d.example.com", n)); err != nil {
			return err
		}
	}
	text, err := do(w.command(ctx, "svcconn", "agent", "status", "-o", "json"), "")
	if err != nil {
		return err
	}
	var status struct {
		PID  int   `json:"pid"`
		Kept []any `json:"kept"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return err
	}
	if len(status.Kept) < kept {
		return fmt.Errorf("the agent keeps %d credentials, not %d", len(status.Kept), kept)
	}
	resident, err := residentMemory(status.PID)
	report(fmt.Sprintf("resident memory of the agent with %d kept credentials", len(status.Kept)), "%.1f MiB", resident, "aim: under 40 MiB")
	return err
}

// residentMemory is VmRSS of /proc/PID/status, in MiB.
func residentMemory(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
}

// manyConnectors times get and list with 10,000 connectors registered.
func manyConnectors(ctx context.Context, w *world, runs int) error {
	for n := range 10_000 {
		if err := w.connectorFile(fmt.Sprintf("many%05d", n), fmt.Sprintf("many%05d.example.com", n)); err != nil {
			return err
		}
	}
	cold := &timed{name: "first get", path: filepath.Join(w.bin, "docker-credential-svcconn"), args: []string{"get"}, env: w.env, stdin: "many00042.example.com"}
	if err := cold.once(ctx); err != nil {
		return err
	}
	empty, err := emptyProgram(ctx)
	if err != nil {
		return err
	}
	warm := &timed{name: "get", path: cold.path, args: cold.args, env: w.env, stdin: cold.stdin}
	floor := &timed{name: "empty", path: empty, env: w.env}
	if err := inTurns(ctx, runs, warm, floor); err != nil {
		return err
	}
	list := &timed{name: "list", path: filepath.Join(w.bin, "svcconn"), args: []string{"list", "-o", "name"}, env: w.env}
	if err := inTurns(ctx, 5, list); err != nil {
		return err
	}
	toFloor := paired(warm, floor)
	report("10,000 connectors: get after all their files changed", "%s", cold.times[0].Round(time.Millisecond), "")
	report("10,000 connectors: get, warm, to an empty Go program", "%.2f x", toFloor, "")
	report("10,000 connectors: svcconn list -o name, median", "%s", list.median().Round(time.Millisecond), "")
	return nil
}
