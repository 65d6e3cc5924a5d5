//go:build !windows

package agentclient

import (
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func userTag() string { return strconv.Itoa(os.Getuid()) }

// unsafeDir says why a folder must not hold the agent's socket, or "".
func unsafeDir(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return "it is not a folder"
	case ok && int(stat.Uid) != os.Getuid():
		return "it belongs to another user"
	case info.Mode().Perm()&0o077 != 0:
		return "others have access to it"
	}
	return ""
}

// detach lets the agent outlive the terminal of whoever starts it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
