package clientconfig

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The tools whose files this package knows. Containers is podman, skopeo and
// buildah, which share their files and the code that reads them.
const (
	Docker     = "docker"
	Containers = "containers"
)

// Env is what decides where the tools keep their files. All fields are needed.
type Env struct {
	Getenv   func(string) string               // the person's environment, not the agent's
	LookPath func(name string) (string, error) // finds a program in the person's PATH
	Home     string                            // the home folder
	State    string                            // paths.Dirs.State; the journal is in "clients" below it
	Config   string                            // paths.Dirs.Config; the credential files for gcloud are in "gcloud" below it
	GOOS     string                            // runtime.GOOS
	UID      int                               // os.Getuid
}

// DockerFile is docker's configuration file: $DOCKER_CONFIG/config.json, else
// ~/.docker/config.json. It need not exist.
func (e Env) DockerFile() string {
	if dir := e.Getenv("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json")
	}
	return filepath.Join(e.Home, ".docker", "config.json")
}

// ContainersFiles are the files in which podman, skopeo and buildah look for a
// registry, in their order; docker's is the last. None need exist.
func (e Env) ContainersFiles() []string {
	first := e.volatileFile()
	if file := e.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		first = file
	}
	files := []string{first, e.lastingFile(), e.DockerFile()}
	if first == "" {
		files = files[1:]
	}
	return slices.Compact(files)
}

// volatileFile is where `podman login` writes on Linux, gone after a reboot; ""
// elsewhere, and where its folder cannot be (the tools skip it then as well).
func (e Env) volatileFile() string {
	if e.GOOS != "linux" {
		return ""
	}
	dir := e.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return filepath.Join("/run/containers", strconv.Itoa(e.UID), "auth.json")
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return filepath.Join(dir, "containers", "auth.json")
}

// lastingFile is the first file in the tools' order that survives a reboot. Off
// Linux that is the one that `podman login` writes, wherever XDG_CONFIG_HOME points.
func (e Env) lastingFile() string {
	if dir := e.Getenv("XDG_CONFIG_HOME"); dir != "" && e.GOOS == "linux" {
		return filepath.Join(dir, "containers", "auth.json")
	}
	return filepath.Join(e.Home, ".config", "containers", "auth.json")
}

// ownContainersFiles are the files that are podman's, skopeo's and buildah's alone
// and may hold a pointer. REGISTRY_AUTH_FILE does not hide the other two: it may be
// set in this shell only.
func (e Env) ownContainersFiles() []string {
	all := []string{e.Getenv("REGISTRY_AUTH_FILE"), e.lastingFile(), e.volatileFile()}
	return slices.DeleteFunc(all, func(file string) bool { return file == "" })
}

// usesContainers reports whether podman, skopeo or buildah is installed or has left
// a file.
func (e Env) usesContainers() bool {
	return e.installed("podman") || e.installed("skopeo") || e.installed("buildah") ||
		slices.ContainsFunc(e.ownContainersFiles(), func(file string) bool {
			_, err := os.Stat(file)
			return err == nil
		})
}

func (e Env) installed(program string) bool {
	_, err := e.LookPath(program)
	return err == nil
}
