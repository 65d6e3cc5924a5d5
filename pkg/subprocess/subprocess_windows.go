package subprocess

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"
)

// Shell prepares a command line for cmd.exe, which wants it as it is, for Run.
func Shell(ctx context.Context, line string) *exec.Cmd {
	cmd := Command(ctx, "cmd.exe")
	cmd.SysProcAttr.CmdLine = `cmd.exe /S /C "` + line + `"`
	return cmd
}

// detached keeps a program away from our console.
func detached(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
	return cmd
}

// killTree kills the program and what it started.
func killTree(cmd *exec.Cmd) error {
	return exec.Command("taskkill.exe", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
}
