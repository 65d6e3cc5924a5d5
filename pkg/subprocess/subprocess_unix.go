//go:build !windows

package subprocess

import (
	"context"
	"os/exec"
	"syscall"
)

// Shell prepares a command line of the system's shell for Run.
func Shell(ctx context.Context, line string) *exec.Cmd {
	return Command(ctx, "/bin/sh", "-c", line)
}

// detached gives a program a session of its own: it can be killed with all that it
// starts, and gets an error instead of being stopped when it wants our terminal.
func detached(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// killTree kills the program's process group.
func killTree(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
