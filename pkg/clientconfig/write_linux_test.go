package clientconfig

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

// asNobody runs f without root's right to write everything.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Geteuid() == 0 { // the file system's idea of us, of this thread alone
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Fatal(err)
			}
		}()
	}
	f()
}

// Where writing is not allowed, the error says so and nothing is changed.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path string // below home's parent
		mode fs.FileMode
		hint string
	}{
		"folder":       {"home/.docker", 0o555, "change it by hand as --dry-run shows"},
		"file":         {"home/.docker/config.json", 0o444, "change it by hand as --dry-run shows"},
		"state folder": {"state", 0o555, "SVCCONN_STATE_DIR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			root := filepath.Dir(s.Home)
			s.docker("{}")
			for _, dir := range []string{root, s.Home, s.State, s.Home + "/.docker", filepath.Dir(root)} {
				if err := errors.Join(os.MkdirAll(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, c.path), 0o700) }) // or the folder stays behind
			if err := errors.Join(os.Chmod(s.DockerFile(), 0o666), os.Chmod(filepath.Join(root, c.path), c.mode)); err != nil {
				t.Fatal(err)
			}
			before := tree(t, s.Home)
			asNobody(t, func() {
				p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
				if err == nil {
					err = p.Apply(t.Context())
				}
				if err == nil || !strings.Contains(err.Error(), c.path) || !strings.Contains(fault.HintOf(err), c.hint) {
					t.Errorf("got %v; hint: %s", err, fault.HintOf(err))
				}
			})
			if diff := cmp.Diff(before, tree(t, s.Home)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker("{}")
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		_, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
		if !errors.Is(err, fs.ErrPermission) || fault.HintOf(err) == "" {
			t.Errorf("got %v; hint: %s", err, fault.HintOf(err))
		}
	})
}

// Somebody else's file stays somebody else's, or is not written.
func TestOwnerStays(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have files of two owners")
	}
	s := newSetup(t)
	file := s.docker("{}")
	if err := os.Chown(file, 1234, 2345); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(...string) *Plan{s.login, s.logout} {
		change(reg)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 1234 || stat.Gid != 2345 {
			t.Errorf("owner is %d:%d", stat.Uid, stat.Gid)
		}
	}
	for _, dir := range []string{filepath.Dir(filepath.Dir(s.Home)), filepath.Dir(s.Home), s.Home, filepath.Dir(file), s.State, string(s.journal())} {
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(file, 0o666), os.Chmod(s.journal().lock(), 0o666)); err != nil {
		t.Fatal(err)
	}
	before := tree(t, s.Home)
	asNobody(t, func() {
		p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
		if err == nil {
			err = p.Apply(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "for its owner") {
			t.Errorf("got %v", err)
		}
	})
	if diff := cmp.Diff(before, tree(t, s.Home)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// On a full disk nothing is half-written, be it the tool's or ours.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, full := range []string{"home", "state"} {
		t.Run(full, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			dir := filepath.Join(filepath.Dir(s.Home), full)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
				t.Skipf("needs the right to mount a small disk: %v", err)
			}
			t.Cleanup(func() {
				// Detached, since a program that another test starts may hold its files for an instant.
				if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			s.docker(tabbed)
			if err := os.MkdirAll(string(s.journal()), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("the disk is not full: %v", err)
			}
			before := tree(t, s.Home)
			p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
			if err == nil {
				err = p.Apply(t.Context())
			}
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fault.HintOf(err), "free some space") {
				t.Errorf("got %v; hint: %s", err, fault.HintOf(err))
			}
			if diff := cmp.Diff(before, tree(t, s.Home)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
				t.Fatal(err)
			}
			s.login(reg)
			s.logout()
			if got := content(t, s.DockerFile()); got != tabbed {
				t.Errorf("with space again: got %s", got)
			}
		})
	}
}

// The second of two files cannot be written: the error says that the first is done,
// and a logout takes it back.
func TestSecondFileFails(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	first := s.docker("{}")
	second := s.write(".config/containers/auth.json", "{}")
	p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(second, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(t.Context()); err == nil || !strings.Contains(err.Error(), first+" is done already") || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	s.logout()
	if got := content(t, first) + content(t, second); got != "{}{}" {
		t.Errorf("after logout: got %s", got)
	}
}
