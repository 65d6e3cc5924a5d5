//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// inNamespace runs all further commands of the world in a mount namespace of its
// own, made by a script. It returns a path by which the test sees a file there.
// Whatever is mounted there vanishes with the world.
func (w *world) inNamespace(script string) func(path string) string {
	w.t.Helper()
	need(w.t, "unshare")
	need(w.t, "nsenter")
	holder := w.serve(w.unique("namespace"), "", func(log string) bool { return log == "ready\n" },
		"unshare", "--mount", "--propagation", "private", "sh", "-ec", script+"\necho ready\nexec sleep infinity")
	pid := strconv.Itoa(holder.cmd.Process.Pid)
	w.prefix = []string{"nsenter", "--mount", "--wd=" + w.root, "--target", pid}
	return func(path string) string { return filepath.Join("/proc", pid, "root", path) }
}

// TestFullDisk has the file system of the configuration run full.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "on a full disk register and update fail with a clear error, nothing half-written, the old state whole")
	w.startKeyring()
	r, other := w.startRegistry(setup{}), w.startRegistry(setup{})
	inside := w.inNamespace("mount -t tmpfs -o size=256k,mode=700 none " + w.config)
	w.register("hub", r).exits(0)
	items := len(w.kept())
	before := w.files(inside(w.config))
	w.cmd("sh", "-c", "cat /dev/zero >"+filepath.Join(w.config, "ballast")).run().fails().says("no space")
	w.register("other", other).exits(1).says("no space left")
	w.cmd("svcconn", "update", "hub", "--label", "team=a").run().exits(1).says("no space left")
	w.wantConnectors("hub")
	w.wantLogin(r.host, r)
	w.wantKeyring(items)
	w.ok("rm", filepath.Join(w.config, "ballast"))
	if after := w.files(inside(w.config)); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
	w.register("other", other).exits(0)
	w.wantConnectors("hub", "other")
}

// files lists the connector files of a folder with their contents.
func (w *world) files(dir string) string {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "connectors"))
	must(w.t, err)
	list := ""
	for _, entry := range entries {
		list += fmt.Sprintf("%s\n%s\n", entry.Name(), w.read(filepath.Join(dir, "connectors", entry.Name())))
	}
	return list
}

// TestReadOnlyConfig has the configuration on a read-only file system, with the
// state elsewhere, as configuration management does it.
func TestReadOnlyConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "with a read-only configuration folder get works and register says what is read-only")
	w.setenv("SVCCONN_STATE_DIR", w.path("state"))
	w.setenv("SVCCONN_RUNTIME_DIR", w.path("run"))
	w.startKeyring()
	r, other := w.startRegistry(setup{}), w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	items := len(w.kept())
	w.ok("svcconn", "agent", "stop")
	w.inNamespace(readOnly(w.config))
	w.wantLogin(r.host, r)
	w.register("other", other).exits(1).says("read-only", w.config)
	w.cmd("svcconn", "delete", "hub", "--yes").run().exits(1).says("read-only")
	w.wantConnectors("hub")
	w.wantKeyring(items)
	w.wantLogin(r.host, r)
}

// TestReadOnlyContainer has everything of svcconn's on a read-only file system and
// no agent; the audit log alone needs a place.
func TestReadOnlyContainer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "in a read-only container SVCCONN_AGENT=off gets the login once SVCCONN_STATE_DIR can be written, and says so before")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r).exits(0)
	w.ok("svcconn", "agent", "stop")
	w.inNamespace(readOnly(w.config))
	w.setenv("SVCCONN_AGENT", "off")
	w.get(r.host).run().exits(1).says("read-only", "SVCCONN_STATE_DIR")
	w.setenv("SVCCONN_STATE_DIR", w.path("state"))
	w.wantLogin(r.host, r)
}

func readOnly(dir string) string {
	return fmt.Sprintf("mount --bind %[1]s %[1]s; mount -o remount,bind,ro %[1]s", dir)
}
