// Package paths finds the folders that svcconn keeps its things in. All of them
// can be moved by environment variables, and moving the configuration alone
// moves everything, so that a second set-up is one variable away.
//
// It links the standard library only: the thin front-ends need the runtime
// folder, where the agent's socket is.
package paths

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Dirs are the folders of one set-up, all absolute.
type Dirs struct {
	Config  string // config.toml and connectors/: fit to be read, diffed, edited
	State   string // audit log, encrypted secrets, what login changed
	Runtime string // the agent's socket and locks
}

// Resolve finds the folders from the environment: SVCCONN_CONFIG_DIR,
// SVCCONN_STATE_DIR and SVCCONN_RUNTIME_DIR first. Where only the first of them is
// set, the other two are "state" and "run" inside it. Without any, they are the
// platform's: the XDG base directories, ~/Library on macOS, AppData on Windows.
// Nothing is created.
func Resolve(getenv func(string) string) (Dirs, error) {
	return resolve(getenv, runtime.GOOS)
}

func resolve(getenv func(string) string, goos string) (Dirs, error) {
	dirs, err := platform(getenv, goos)
	if config := getenv("SVCCONN_CONFIG_DIR"); config != "" {
		dirs = Dirs{Config: config, State: filepath.Join(config, "state"), Runtime: filepath.Join(config, "run")}
		err = nil
	}
	override(&dirs.State, getenv("SVCCONN_STATE_DIR"))
	override(&dirs.Runtime, getenv("SVCCONN_RUNTIME_DIR"))
	if err != nil {
		return Dirs{}, err
	}
	for _, dir := range []*string{&dirs.Config, &dirs.State, &dirs.Runtime} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return Dirs{}, fault.New(fault.Failed, "cannot tell the current folder: %w", err)
		}
	}
	return dirs, nil
}

func override(dir *string, value string) {
	if value != "" {
		*dir = value
	}
}

func platform(getenv func(string) string, goos string) (Dirs, error) {
	if goos == "windows" {
		return windows(getenv)
	}
	home := getenv("HOME")
	if home == "" {
		return Dirs{}, fault.New(fault.Failed, "cannot find the home folder: HOME is not set").
			Hint("set HOME, or SVCCONN_CONFIG_DIR to the folder that svcconn shall use")
	}
	if goos == "darwin" {
		base := filepath.Join(home, "Library", "Application Support", "svcconn")
		return Dirs{Config: base, State: filepath.Join(base, "state"), Runtime: filepath.Join(home, "Library", "Caches", "svcconn", "run")}, nil
	}
	return xdg(getenv, home), nil
}

// xdg follows the XDG Base Directory Specification 0.8: relative paths in the
// variables are ignored.
func xdg(getenv func(string) string, home string) Dirs {
	base := func(name, fallback string) string {
		if dir := getenv(name); filepath.IsAbs(dir) {
			return dir
		}
		return fallback
	}
	dirs := Dirs{
		Config: filepath.Join(base("XDG_CONFIG_HOME", filepath.Join(home, ".config")), "svcconn"),
		State:  filepath.Join(base("XDG_STATE_HOME", filepath.Join(home, ".local", "state")), "svcconn"),
	}
	dirs.Runtime = filepath.Join(dirs.State, "run")
	if run := base("XDG_RUNTIME_DIR", ""); run != "" {
		if info, err := os.Stat(run); err == nil && info.IsDir() {
			dirs.Runtime = filepath.Join(run, "svcconn")
		}
	}
	return dirs
}

func windows(getenv func(string) string) (Dirs, error) {
	roaming, local := getenv("AppData"), getenv("LocalAppData")
	if roaming == "" || local == "" {
		return Dirs{}, fault.New(fault.Failed, "cannot find the user's folders: AppData and LocalAppData are not set").
			Hint("set SVCCONN_CONFIG_DIR to the folder that svcconn shall use")
	}
	return Dirs{
		Config:  filepath.Join(roaming, "svcconn"),
		State:   filepath.Join(local, "svcconn", "state"),
		Runtime: filepath.Join(local, "svcconn", "run"),
	}, nil
}
