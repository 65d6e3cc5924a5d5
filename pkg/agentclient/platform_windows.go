package agentclient

import (
	"io/fs"
	"os/exec"
	"syscall"
)

// userTag is empty: the temporary folder of Windows is the user's own.
func userTag() string { return "user" }

// unsafeDir leaves the check to the access list that the folder inherits from the
// user's profile.
func unsafeDir(info fs.FileInfo) string {
	if !info.IsDir() {
		return "it is not a folder"
	}
	return ""
}

// Process creation flags of the Windows API that package syscall does not name.
const detachedProcess = 0x00000008

// detach lets the agent outlive the console of whoever starts it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}
