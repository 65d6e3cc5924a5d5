package secrets

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"
)

// shell prepares a command for cmd.exe, which wants its command line as it is.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       `cmd.exe /S /C "` + command + `"`,
		CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
		HideWindow:    true,
	}
	return cmd
}

// killTree kills the command and what it started.
func killTree(cmd *exec.Cmd) error {
	return exec.Command("taskkill.exe", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
}
