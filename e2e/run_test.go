//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// call is a command to be run in a world.
type call struct {
	w       *world
	argv    []string
	env     []string
	stdin   string
	limit   time.Duration // a command that takes longer counts as hanging
	reveals bool          // it is meant to print a secret on stdout
}

// result is what a command did.
type result struct {
	t              *testing.T
	line           string
	code           int
	stdout, stderr string
	took           time.Duration
}

// record is what a command printed where no secret may be.
type record struct{ line, output string }

func (w *world) cmd(argv ...string) *call {
	return &call{w: w, argv: argv, limit: time.Minute}
}

// ok runs a command that has to succeed.
func (w *world) ok(argv ...string) result {
	w.t.Helper()
	return w.cmd(argv...).run().exits(0)
}

func (c *call) input(text string) *call          { c.stdin = text; return c }
func (c *call) setenv(kv ...string) *call        { c.env = append(c.env, kv...); return c }
func (c *call) within(limit time.Duration) *call { c.limit = limit; return c }
func (c *call) revealing() *call                 { c.reveals = true; return c }
func (c *call) String() string                   { return strings.Join(c.argv, " ") }

// run executes the command in a process group of its own. One that hangs, or that
// leaves a background process holding its output, fails the test. It may be called
// from any goroutine.
func (c *call) run() result {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), c.limit)
	defer cancel()
	cmd := c.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	res := result{t: c.w.t, line: c.String(), code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start)}
	c.w.note(c, res.stdout, res.stderr)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		c.w.t.Errorf("%s: still running after %v\n%s", c, c.limit, res.output())
	case errors.Is(err, exec.ErrWaitDelay):
		c.w.t.Errorf("%s: a process that it left behind holds its output", c)
	case err != nil && !errors.As(err, &exit):
		c.w.t.Errorf("%s: %v", c, err)
	}
	return res
}

// killed runs the command and kills it after a while, if it has not ended by then.
func (c *call) killed(after time.Duration) {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), after)
	defer cancel()
	if err := c.command(ctx).Run(); err != nil && ctx.Err() == nil {
		c.w.t.Fatalf("%s: %v", c, err)
	}
}

// command prepares the process; the programs under test are found by the world's
// own PATH, as exec.Command looks at the test's.
func (c *call) command(ctx context.Context) *exec.Cmd {
	argv := append(append([]string{}, c.w.prefix...), c.argv...)
	if len(c.w.prefix) == 0 {
		argv[0] = c.w.find(argv[0])
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(append([]string{}, c.w.env...), c.env...)
	cmd.Dir = c.w.root
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func (w *world) find(name string) string {
	for _, program := range programs {
		if name == program {
			return filepath.Join(w.bin, name)
		}
	}
	return name
}

// note keeps what a command printed, but for the secret that it was meant to.
func (w *world) note(c *call, stdout, stderr string) {
	if c.reveals {
		stdout = "(not shown)\n"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.printed = append(w.printed, record{c.String(), stdout + stderr})
}

func (w *world) logTranscript() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.printed[max(0, len(w.printed)-12):] {
		w.t.Logf("$ %s\n%s", r.line, r.output)
	}
}

func (r result) output() string { return r.stdout + r.stderr }

// exits requires an exit code.
func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%s: exit code %d, want %d\nstdout: %s\nstderr: %s", r.line, r.code, code, r.stdout, r.stderr)
	}
	return r
}

// fails requires any exit code but 0.
func (r result) fails() result {
	r.t.Helper()
	if r.code == 0 {
		r.t.Fatalf("%s: succeeded and should not\n%s", r.line, r.output())
	}
	return r
}

// says requires texts in what was printed, case aside.
func (r result) says(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(strings.ToLower(r.output()), strings.ToLower(text)) {
			r.t.Fatalf("%s: does not say %q\nstdout: %s\nstderr: %s", r.line, text, r.stdout, r.stderr)
		}
	}
	return r
}

// refused requires a failure for want of credentials, in any client's words.
func (r result) refused() result {
	r.t.Helper()
	r.fails()
	for _, words := range []string{"unauthorized", "authentication required", "denied", "no basic auth credentials", "basic credential not found", "403 forbidden", "403 (forbidden)"} {
		if strings.Contains(strings.ToLower(r.output()), words) {
			return r
		}
	}
	r.t.Fatalf("%s: fails, but not for want of credentials\n%s", r.line, r.output())
	return r
}

// prints requires stdout to be exactly this, white space around it aside.
func (r result) prints(text string) result {
	r.t.Helper()
	if got := strings.TrimSpace(r.stdout); got != text {
		r.t.Fatalf("%s: prints %q, want %q\nstderr: %s", r.line, got, text, r.stderr)
	}
	return r
}
