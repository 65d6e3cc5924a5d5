//go:build !windows

package registry

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

// target is a file outside the folder, of the folder's volume.
func (d *Dir) target() string { return filepath.Join(filepath.Dir(d.path), "elsewhere.txt") }

func (d *Dir) putTarget(t *testing.T, text string) {
	t.Helper()
	must(t, os.WriteFile(d.target(), []byte(text), 0o600))
}

var linkSteps = []step{
	{"a link that leads nowhere", func(t *testing.T, d *Dir) {
		must(t, os.MkdirAll(d.path, 0o700))
		must(t, os.Symlink(d.target(), d.fileOf("s")))
	}, "s!"},
	{"now it leads to a file", func(t *testing.T, d *Dir) { d.putTarget(t, described("1")) }, "s=1"},
	{"which is edited at once", func(t *testing.T, d *Dir) { d.putTarget(t, described("2")) }, "s=2"},
	{"it looks old", func(t *testing.T, d *Dir) { settle(t, d.target()) }, "s=2"},
	{"and is edited, with its time set back", func(t *testing.T, d *Dir) { d.putTarget(t, described("3")); settle(t, d.target()) }, "s=3"},
	{"and replaced", func(t *testing.T, d *Dir) {
		must(t, os.WriteFile(d.target()+".new", []byte(described("4")), 0o600))
		must(t, os.Rename(d.target()+".new", d.target()))
	}, "s=4"},
	{"the file takes the place of the link", func(t *testing.T, d *Dir) { must(t, os.Rename(d.target(), d.fileOf("s"))) }, "s=4"},
	{"a second name elsewhere", func(t *testing.T, d *Dir) { must(t, os.Link(d.fileOf("s"), d.target())); settle(t, d.fileOf("s")) }, "s=4"},
	{"by which it is edited", func(t *testing.T, d *Dir) { d.putTarget(t, described("5")) }, "s=5"},
	{"and again, when it looks old", func(t *testing.T, d *Dir) {
		settle(t, d.target())
		d.snapshot(t)
		d.putTarget(t, described("6"))
		settle(t, d.target())
	}, "s=6"},
	{"a pipe", func(t *testing.T, d *Dir) { must(t, syscall.Mkfifo(d.fileOf("p"), 0o600)) }, "s=6 p!"},
	{"the folder becomes a link", func(t *testing.T, d *Dir) {
		must(t, os.Rename(d.path, d.path+".1"))
		must(t, os.Symlink(d.path+".1", d.path))
	}, "s=6 p!"},
	{"to another one", func(t *testing.T, d *Dir) {
		must(t, os.Mkdir(d.path+".2", 0o700))
		must(t, os.WriteFile(filepath.Join(d.path+".2", "t.toml"), []byte(described("1")), 0o600))
		must(t, os.Remove(d.path))
		must(t, os.Symlink(d.path+".2", d.path))
	}, "t=1"},
}

func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			follow(t, open(t, prepare), linkSteps)
		})
	}
}

func TestFileIsEditedWithoutBeingClosed(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			d.put(t, "a", described("1"))
			d.snapshot(t)
			file, err := os.OpenFile(d.fileOf("a"), os.O_WRONLY, 0)
			must(t, err)
			defer file.Close()
			for _, text := range []string{"2", "3"} {
				_, err = file.WriteAt([]byte(described(text)), 0)
				must(t, err)
				if got := summary(d.snapshot(t)); got != "a="+text {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

func TestFolderOfOthers(t *testing.T) {
	t.Parallel()
	for mode, prepare := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := open(t, prepare)
			d.put(t, "a", described("1"))
			d.snapshot(t)
			d.snapshot(t)
			for _, perm := range []os.FileMode{0o770, 0o702, 0o777} {
				must(t, os.Chmod(d.path, perm))
				if _, err := d.Snapshot(t.Context()); !fault.Is(err, fault.Denied) || fault.HintOf(err) != "chmod go-w "+d.path {
					t.Errorf("%o: got %v, hint %q", perm, err, fault.HintOf(err))
				}
			}
			if _, err := d.Create(t.Context(), Connector{Name: "b", Type: "docker"}); !fault.Is(err, fault.Denied) {
				t.Errorf("Create: got %v", err)
			}
			must(t, os.Chmod(d.path, 0o755))
			if got := summary(d.snapshot(t)); got != "a=1" {
				t.Errorf("got %s", got)
			}
			if os.Geteuid() != 0 {
				return // only root may give files away
			}
			must(t, os.Chown(d.path, 4711, -1))
			if _, err := d.Snapshot(t.Context()); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "uid 4711") {
				t.Errorf("got %v", err)
			}
		})
	}
}
