//go:build !windows

package secrets

import (
	"context"
	"os/exec"
	"syscall"
)

// shell prepares a command in a session of its own: it can be killed with all that it
// starts, and gets an error instead of being stopped when it wants our terminal.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// killTree kills the command's process group.
func killTree(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
