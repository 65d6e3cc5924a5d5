//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/svcconn/svcconn/pkg/secrets/keyringtest"
)

// world is one person's machine: everything that a program can find by its
// environment lies below root, and nothing of the real person's.
type world struct {
	t      *testing.T
	root   string // short, since socket paths are limited to 107 bytes
	bin    string // links to the programs under test
	docker string // the folder of docker's configuration
	config string // SVCCONN_CONFIG_DIR
	env    []string
	prefix []string // put before every command: how to enter a mount namespace

	keyring *keyringtest.Keyring // nil before startKeyring

	mu      sync.Mutex
	secrets []canary
	printed []record // what the commands printed
	named   int      // how many unique names were given
}

// newWorld makes a world for a test, and puts the test into the table with a line
// on what it shows. Its end searches it for secrets and ends its processes.
func newWorld(t *testing.T, shows string) *world {
	t.Helper()
	report(t, shows)
	root, err := os.MkdirTemp(suite.dir, "w")
	must(t, err)
	w := &world{t: t, root: root, bin: filepath.Join(root, "bin"), docker: filepath.Join(root, "home", ".docker"), config: filepath.Join(root, "svcconn")}
	for _, dir := range []string{"home", "home/.docker", "svcconn", "xdg", "tmp", "bin"} {
		must(t, os.Mkdir(filepath.Join(root, dir), 0o700))
	}
	w.env = []string{
		"HOME=" + w.path("home"), "PATH=" + w.bin + ":" + os.Getenv("PATH"), "TMPDIR=" + w.path("tmp"), "LANG=C.UTF-8",
		"XDG_RUNTIME_DIR=" + w.path("xdg"), "SVCCONN_CONFIG_DIR=" + w.config,
		"DOCKER_HOST=unix://" + w.path("no-engine.sock"), "DOCKER_BUILDKIT=0",
	}
	w.install(suite.bin)
	t.Cleanup(w.end)
	return w
}

// path is a place in this world.
func (w *world) path(elem ...string) string {
	return filepath.Join(append([]string{w.root}, elem...)...)
}

// install links the programs of a folder into the world. The links tell this
// world's processes from all others, by /proc/PID/exe.
func (w *world) install(from string) {
	w.t.Helper()
	for _, program := range programs {
		target := filepath.Join(w.bin, program)
		must(w.t, removeIfThere(target))
		must(w.t, os.Link(filepath.Join(from, program), target))
	}
}

// setenv changes the environment of all further commands; "" removes a variable.
func (w *world) setenv(name, value string) {
	w.env = slices.DeleteFunc(w.env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	if value != "" {
		w.env = append(w.env, name+"="+value)
	}
}

func (w *world) setenvPair(kv string) {
	name, value, _ := strings.Cut(kv, "=")
	w.setenv(name, value)
}

// end checks what every world promises, then removes it.
func (w *world) end() {
	w.searchForSecrets()
	w.endProcesses()
	if w.t.Failed() {
		w.logTranscript()
	}
	os.RemoveAll(w.root)
}

// file writes a file of the world and returns its path.
func (w *world) file(content string, elem ...string) string {
	w.t.Helper()
	path := w.path(elem...)
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(w.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// read returns a file's content, "" where there is none.
func (w *world) read(path string) string {
	w.t.Helper()
	content, err := os.ReadFile(path)
	if !os.IsNotExist(err) {
		must(w.t, err)
	}
	return string(content)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !os.IsNotExist(err) {
		return err
	}
	return nil
}

// unique makes a name that the world has not used yet.
func (w *world) unique(prefix string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.named++
	return fmt.Sprintf("%s%d", prefix, w.named)
}
