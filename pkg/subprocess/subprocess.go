// Package subprocess runs programs of others: without a terminal, with bounded output,
// and killed together with what they have started when they take too long.
//
// It refuses to pass an environment on by itself: whoever runs a program says what it
// may see.
package subprocess

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// ErrTooMuch is returned for a program that writes more than it may.
var ErrTooMuch = errors.New("too much output")

const (
	// outputGrace is how long the output of a program is waited for after its end,
	// where something that it has left behind holds the output open.
	outputGrace = time.Second
	// maxStderr is how much of the end of stderr is kept.
	maxStderr = 4 << 10
)

// Output is what a program wrote.
type Output struct {
	Stdout []byte
	Stderr []byte // its end
}

// Command prepares a program, a name in PATH or a path, for Run. Fill in what else it
// needs; its environment is empty.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return detached(exec.CommandContext(ctx, name, args...))
}

// Run runs a prepared program to its end, or until its context is done. What it wrote
// is returned beside an error too; of stdout no more than maxStdout bytes, or the
// error is ErrTooMuch. A program that left something behind which holds its output
// open is exec.ErrWaitDelay.
func Run(cmd *exec.Cmd, maxStdout int) (Output, error) {
	stdout, stderr := &head{limit: maxStdout}, &tail{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return killTree(cmd) }
	cmd.WaitDelay = outputGrace
	if cmd.Env == nil { // nil would be our own environment
		cmd.Env = []string{}
	}
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		_ = killTree(cmd)
	}
	if stdout.full {
		err = ErrTooMuch
	}
	return Output{[]byte(stdout.String()), stderr.kept}, err
}

// head keeps the beginning of what is written to it, and refuses the rest.
type head struct {
	strings.Builder
	limit int
	full  bool
}

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	if h.Len()+len(p) > h.limit {
		h.full = true
		return 0, ErrTooMuch
	}
	return h.Builder.Write(p)
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	kept  []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}
