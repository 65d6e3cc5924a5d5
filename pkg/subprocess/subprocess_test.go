//go:build !windows

package subprocess

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAProgramSeesOnlyItsOwnEnvironment(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{nil, {"A=1"}} {
		cmd := Command(t.Context(), "/usr/bin/env")
		cmd.Env = env
		out, err := Run(cmd, 1<<10)
		if err != nil || strings.TrimSpace(string(out.Stdout)) != strings.Join(env, "\n") {
			t.Errorf("with %q it sees %q, %v", env, out.Stdout, err)
		}
	}
}

func TestWhatAProgramWrites(t *testing.T) {
	t.Parallel()
	out, err := Run(Shell(t.Context(), `printf out; printf err >&2; exit 3`), 3)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(out.Stdout) != "out" || string(out.Stderr) != "err" {
		t.Errorf("%q, %q, %v", out.Stdout, out.Stderr, err)
	}
	out, err = Run(Shell(t.Context(), `echo too much`), 3)
	if !errors.Is(err, ErrTooMuch) || len(out.Stdout) > 3 {
		t.Errorf("%d bytes, %v", len(out.Stdout), err)
	}
	out, err = Run(Shell(t.Context(), `head -c 10000 /dev/zero | tr '\0' x >&2; printf end >&2`), 3)
	if err != nil || len(out.Stderr) != maxStderr || !strings.HasSuffix(string(out.Stderr), "xend") {
		t.Errorf("%d bytes of stderr, %v", len(out.Stderr), err)
	}
	if _, err := Run(Command(t.Context(), "/no/such/program"), 3); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing program: %v", err)
	}
}

// What is killed takes what it started with it: else the pipe of the grandchild is
// open, and the last line is written.
func TestAProgramIsKilledWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	cmd := Shell(ctx, `sh -c 'sleep 60; echo survived > survivor' & wait`)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH")}
	if _, err := Run(cmd, 1<<10); err == nil || errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("killed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "survivor")); err == nil {
		t.Error("a grandchild survived")
	}
}
