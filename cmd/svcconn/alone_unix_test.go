//go:build !windows

package main

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestAnSDKIsNeverMadeToWaitForAPerson: what an SDK of AWS runs asks nobody, although
// somebody sits at the terminal that it was started from, and says at once what is
// missing.
func TestAnSDKIsNeverMadeToWaitForAPerson(t *testing.T) {
	t.Parallel()
	for name, agent := range map[string]string{"with an agent": "", "without": "off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			r.write("svcconn/config.toml", "[secrets]\nbackend = \"file\"\n")
			r.types("mkdir cloud")
			r.types("SVCCONN_PASSPHRASE_FILE=$PWD/password.txt svcconn register prod --type pretend --set folder=$PWD/cloud --set key=@token.txt --no-verify")
			r.env = append(r.env, "SVCCONN_AGENT="+agent)
			stdout, stderr, code := r.atTerminal("svcconn credential --connector prod -r aws-generic --format credential-process")
			if code != 6 || stdout != "" || !strings.Contains(stderr, "error: ") || !strings.Contains(stderr, "SVCCONN_PASSPHRASE_FILE") {
				t.Errorf("exit %d, %d bytes on stdout, stderr:\n%s", code, len(stdout), stderr)
			}
		})
	}
}

// atTerminal runs a command that has a controlling terminal, at which nobody types.
func (r *reader) atTerminal(line string) (stdout, stderr string, code int) {
	r.t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		r.t.Fatal(err)
	}
	defer person.Close()
	defer tty.Close()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env, cmd.Dir = r.env, r.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && ctx.Err() != nil {
		r.t.Fatalf("$ %s\nit waits for somebody: %v\n%s", line, err, errs.String())
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
