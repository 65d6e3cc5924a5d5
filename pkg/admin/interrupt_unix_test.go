//go:build linux || darwin

package admin

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/proc"
)

// However a hidden prompt is interrupted, svcconn says so, exits with 130, and
// leaves the terminal as it was.
func TestInterruptedPrompt(t *testing.T) {
	t.Parallel()
	for name, interrupt := range map[string]func(*exec.Cmd, io.Writer) error{
		"Ctrl-C":  func(_ *exec.Cmd, person io.Writer) error { _, err := person.Write([]byte("half\x03")); return err },
		"SIGINT":  func(cmd *exec.Cmd, _ io.Writer) error { return cmd.Process.Signal(os.Interrupt) },
		"SIGTERM": func(cmd *exec.Cmd, _ io.Writer) error { return cmd.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			person, tty, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer person.Close()
			defer tty.Close()
			before := termios(t, tty)
			var stderr strings.Builder
			cmd := exec.CommandContext(t.Context(), programAtTerminal, "register", "x", "--type", "docker", "--set", "username=ci")
			cmd.Env = append(os.Environ(), "SVCCONN_CONFIG_DIR="+t.TempDir())
			cmd.Stderr, cmd.ExtraFiles = &stderr, []*os.File{tty}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			shown := answer(t, person, "password: ", "")
			<-shown
			if hidden := termios(t, tty); hidden.Lflag&unix.ECHO != 0 {
				t.Error("the terminal shows what is typed")
			}
			if err := interrupt(cmd, person); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != proc.Interrupted || stderr.String() != "svcconn: error: interrupted\n" {
				t.Errorf("exit code %d, %q", code, stderr.String())
			}
			if after := termios(t, tty); *after != *before {
				t.Errorf("the terminal is not as it was: %+v, was %+v", after, before)
			}
		})
	}
}
