package clientconfig

import (
	"os"
	"path/filepath"

	"github.com/svcconn/svcconn/pkg/fault"
)

// KubeCommand is the absolute path by which kubectl shall call KubePlugin, so that
// programs find it that are not started from a shell. It stands beside svcconn, whose
// executable is self; a link to it in PATH is preferred, since that stays where it is
// when a package manager installs another version.
func KubeCommand(env Env, self string) (string, error) {
	path, err := programPath(env, self, KubePlugin)
	return path, fault.WithHint(err, "install all three binaries into one folder, or say --bare-command to have kubectl look for it in PATH")
}

// programPath is the absolute path of one of the three programs.
func programPath(env Env, self, program string) (string, error) {
	name := program
	if env.GOOS == "windows" {
		name += ".exe"
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	beside := filepath.Join(filepath.Dir(self), name)
	there, err := os.Stat(beside)
	found, notFound := env.LookPath(program)
	if notFound == nil {
		if found, notFound = filepath.Abs(found); notFound == nil && err == nil {
			inPath, failed := os.Stat(found)
			if failed != nil || !os.SameFile(there, inPath) {
				return beside, nil
			}
		}
	}
	switch {
	case notFound == nil:
		return found, nil
	case err == nil:
		return beside, nil
	}
	return "", fault.New(fault.Failed, "the program %s is neither beside svcconn nor in PATH", program)
}
