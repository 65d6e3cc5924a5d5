package agentclient

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// FindSvcconn returns the svcconn beside our own executable, links resolved, else
// the one in PATH.
func FindSvcconn() (string, error) {
	name := "svcconn"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	if found, err := exec.LookPath("svcconn"); err == nil {
		return filepath.Abs(found)
	}
	return "", fault.New(fault.Failed, "the program svcconn is neither beside this one nor in PATH").
		Hint("install all three binaries into one folder, or add the folder of svcconn to PATH")
}

// kept are the variables of the starting shell that an agent gets: who and where
// the user is, how to reach the keyring and the network, and svcconn's own. No
// credential variable is among them: what one shell has set must not decide what
// others get.
var kept = []string{
	"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TMP", "TEMP",
	"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
	// Windows needs these to run anything.
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME",
	"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "HOMEDRIVE", "HOMEPATH",
}

// keptPrefixes are families of such variables.
var keptPrefixes = []string{"SVCCONN_", "XDG_", "LC_"}

// AgentEnv is the part of an environment that an agent may have.
func AgentEnv(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if mayKeep(strings.ToUpper(name)) {
			out = append(out, kv)
		}
	}
	return out
}

func mayKeep(name string) bool {
	for _, k := range kept {
		if name == k {
			return true
		}
	}
	for _, prefix := range keptPrefixes {
		if strings.HasPrefix(name, prefix) && name != "SVCCONN_AGENT" {
			return true
		}
	}
	return false
}
