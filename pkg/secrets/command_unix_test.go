//go:build !windows

package secrets_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func TestResolveCommand(t *testing.T) {
	t.Parallel()
	from := secrets.Sources{Env: []string{"PATH=/usr/bin:/bin", "TOKEN=from the environment"}}
	for command, want := range map[string]string{
		"echo a":                          "a",
		"printf 'a\\r\\n'":                "a",
		"printf 'a\\n\\n'":                "a\n",
		`printf %s "$TOKEN"`:              "from the environment",
		`printf %s "${HOME-no home}"`:     "no home",
		"cat; echo no input":              "no input",
		"echo warning >&2; echo a":        "a",
		"exec 2>&-; printf '\\377\\000x'": "\xff\x00x",
	} {
		got, err := resolve(t, "cmd:"+command, from)
		if err != nil || got.Reveal() != want {
			t.Errorf("%s: %q, error %v; want %q", command, got.Reveal(), err, want)
		}
	}
}

func TestCommandHasOnlyTheGivenEnvironment(t *testing.T) {
	t.Parallel()
	got, err := resolve(t, "cmd:echo ${HOME-none}", secrets.Sources{})
	if err != nil || got.Reveal() != "none" {
		t.Errorf("HOME is %q, error %v", got.Reveal(), err)
	}
}

// A command that wants our terminal gets an error: it would be stopped otherwise, as a
// background job is.
func TestCommandHasNoTerminal(t *testing.T) {
	inChild(t, func(t *testing.T) {
		tty, err := os.Open("/dev/tty")
		must(t, err) // we have one
		defer tty.Close()
		got, err := resolve(t, "cmd:(exec </dev/tty) 2>/dev/null || echo none", secrets.Sources{})
		if err != nil || got.Reveal() != "none" {
			t.Errorf("the terminal is %q, error %v", got.Reveal(), err)
		}
	}, func(child *exec.Cmd) {
		ours, theirs, err := pty.Open()
		must(t, err)
		t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
		child.Stdin = theirs
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	})
}

func TestCommandsThatFail(t *testing.T) {
	t.Parallel()
	secretFile := write(t, "s", storetest.Canary)
	from := secrets.Sources{Env: []string{"PATH=/usr/bin:/bin", "FILE=" + secretFile}}
	for command, test := range map[string]struct {
		kind fault.Kind
		says string
	}{
		"true":                            {fault.Invalid, "empty"},
		"echo":                            {fault.Invalid, "empty"},
		"exit 3":                          {fault.Failed, "exit status 3"},
		"kill -9 $$":                      {fault.Failed, "killed"},
		"no-such-program":                 {fault.Failed, "no-such-program"},
		"seq 9 >&2; exit 1":               {fault.Failed, ": 7; 8; 9"},
		"printf 'a\\033[2Jb' >&2; exit 1": {fault.Failed, "a [2Jb"},
		`cat "$FILE"; exit 1`:             {fault.Failed, "exit status 1"},
		// What goes to both streams, whole or in part, is not repeated.
		`cat "$FILE"; cat "$FILE" >&2; exit 1`:                   {fault.Failed, "exit status 1"},
		`cat "$FILE"; echo "got $(cat "$FILE")" >&2; exit 1`:     {fault.Failed, "exit status 1"},
		`cat "$FILE" "$FILE"; echo "$(cat "$FILE")" >&2; exit 1`: {fault.Failed, "exit status 1"},
		"yes":                         {fault.Invalid, "larger than 1 MiB"},
		strings.Repeat("# long ", 50): {fault.Invalid, "…`"},
	} {
		got, err := resolve(t, "cmd:"+command, from)
		wantFault(t, err, test.kind, test.says)
		if !got.IsEmpty() {
			t.Errorf("%s: an error, and %d bytes", command, got.Len())
		}
	}
}

func TestCommandTimeout(t *testing.T) {
	t.Parallel()
	from := secrets.Sources{Env: []string{"PATH=/usr/bin:/bin"}, CommandTimeout: 50 * time.Millisecond}
	_, err := resolve(t, "cmd:echo "+storetest.Canary[:6]+"; sleep 100", from)
	wantFault(t, err, fault.Unavailable, "did not end in time")
}

// A command that is killed takes with it what it has started.
func TestCancelledCommand(t *testing.T) {
	t.Parallel()
	alive := filepath.Join(t.TempDir(), "alive")
	must(t, syscall.Mkfifo(alive, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	dead := make(chan error)
	go func() {
		// The grandchild holds the writing end: the file ends when it does.
		file, err := os.Open(alive)
		if err == nil {
			defer file.Close()
			_, err = io.ReadFull(file, make([]byte, len("up\n")))
		}
		cancel()
		if err == nil {
			_, err = io.Copy(io.Discard, file)
		}
		dead <- err
	}()
	command := fmt.Sprintf("(exec 3>%s; echo up >&3; exec sleep 100) & sleep 100", alive)
	_, err := secrets.Resolve(ctx, secrets.Reference{Scheme: secrets.FromCommand, Target: command}, secrets.Sources{Env: []string{"PATH=/usr/bin:/bin"}})
	wantFault(t, err, fault.Interrupted, "stopped")
	must(t, <-dead)
}

func TestCommandThatLeavesSomethingBehind(t *testing.T) {
	t.Parallel()
	_, err := resolve(t, "cmd:sleep 100 & echo a", secrets.Sources{Env: []string{"PATH=/usr/bin:/bin"}})
	wantFault(t, err, fault.Failed, "left something behind")
}

func TestReadFileFromPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(path, 0o600))
	both, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := secrets.ReadFile(ctx, path)
		result <- err
	}()
	cancel() // nobody writes, nobody closes
	wantFault(t, <-result, fault.Interrupted, path)

	must(t, both.Close())
}

// A shell's <(command) is a pipe of that kind.
func TestReadFileFromInheritedPipe(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	must(t, err)
	defer reader.Close()
	_, err = writer.WriteString(storetest.Canary + "\n")
	must(t, err)
	must(t, writer.Close())
	got, err := secrets.ReadFile(t.Context(), fmt.Sprintf("/dev/fd/%d", reader.Fd()))
	if err != nil || got.Reveal() != storetest.Canary {
		t.Errorf("read %d bytes, error %v", got.Len(), err)
	}
}
