package clientconfig

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What we made goes with us, unless somebody uses it by then.
func TestFileAndFoldersThatWereNotThere(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.vars["DOCKER_CONFIG"] = filepath.Join(s.Home, "a", "b")
	s.login(reg)
	for path, want := range map[string]fs.FileMode{
		s.DockerFile(): 0o600,
		s.Home:         fs.ModeDir | 0o700,
		s.Home + "/a":  fs.ModeDir | 0o700, s.Home + "/a/b": fs.ModeDir | 0o700,
		s.journal().path(s.DockerFile()): 0o600,
		string(s.journal()):              fs.ModeDir | 0o700,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	s.logout()
	if _, err := os.Stat(s.Home); !os.IsNotExist(err) {
		t.Errorf("left %v", tree(t, s.Home))
	}

	s.login(reg)
	s.write("a/other", "")
	s.login("second.example.com")
	s.logout()
	want := map[string]string{".": "dir", "a": "dir", "a/other": ""}
	if diff := cmp.Diff(want, tree(t, s.Home)); diff != "" {
		t.Errorf("a folder in use (-want +got):\n%s", diff)
	}

	s.login(reg)
	s.write("a/b/config.json", `{"auths": {}, "credHelpers": {"registry.example.com": "svcconn"}}`)
	s.logout()
	if got := content(t, s.DockerFile()); got != `{"auths": {}}` {
		t.Errorf("a file in use: got %s", got)
	}
	s.noRecord()
	s.login(reg)
	s.logout()
	if got := content(t, s.DockerFile()); got != `{"auths": {}}` {
		t.Errorf("the file is not ours any more, but: %s", got)
	}
}

// Folders that two files share, or that went and came again, go as well.
func TestFoldersGoFromTheInnermost(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("x", "")
	s.installed["podman"] = true
	s.vars["DOCKER_CONFIG"] = filepath.Join(s.Home, ".config", "docker")
	s.login(reg)
	s.logout()
	want := map[string]string{".": "dir", "x": ""}
	if diff := cmp.Diff(want, tree(t, s.Home)); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}

	s.installed["podman"] = false
	if err := os.Mkdir(filepath.Join(s.Home, ".config"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.login(reg)
	if err := os.RemoveAll(filepath.Join(s.Home, ".config")); err != nil {
		t.Fatal(err)
	}
	s.login(reg)
	s.logout()
	if diff := cmp.Diff(want, tree(t, s.Home)); diff != "" {
		t.Errorf("come again (-want +got):\n%s", diff)
	}
}

func TestPermissionsStay(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o644, 0o600, 0o664, 0o200} {
		s := newSetup(t)
		file := s.docker("{}")
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if mode&0o400 == 0 && os.Geteuid() != 0 {
			continue // only root reads it
		}
		for _, change := range []func(...string) *Plan{s.login, s.logout} {
			change(reg)
			if info, err := os.Stat(file); err != nil || info.Mode() != mode {
				t.Errorf("got %v, %v; want %v", info.Mode(), err, mode)
			}
		}
	}
}

// Dotfiles are often links; docker writes through them, so do we.
func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]func(s *setup) (target string){
		"file": func(s *setup) string {
			target := s.write("dotfiles/docker.json", "{}\n")
			s.link("../dotfiles/docker.json", ".docker/config.json")
			return target
		},
		"absolute, twice": func(s *setup) string {
			target := s.write("dotfiles/docker.json", "{}\n")
			s.link(target, "dotfiles/link")
			s.link(filepath.Join(s.Home, "dotfiles/link"), ".docker/config.json")
			return target
		},
		"folder": func(s *setup) string {
			target := s.write("dotfiles/config.json", "{}\n")
			s.link("dotfiles", ".docker")
			return target
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			target := link(s)
			before := tree(t, s.Home)
			p := s.login(reg)
			if got := p.Changes()[0].File; got != target {
				t.Errorf("changed %s, want %s", got, target)
			}
			if !strings.Contains(content(t, target), reg) {
				t.Errorf("the target has %s", content(t, target))
			}
			s.logout()
			if diff := cmp.Diff(before, tree(t, s.Home)); diff != "" {
				t.Errorf("after logout (-want +got):\n%s", diff)
			}
		})
	}
}

// A link that leads nowhere yet is written through as well, and found again.
func TestSymbolicLinkToNothing(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("dotfiles/x", "")
	s.link("../dotfiles/docker.json", ".docker/config.json")
	s.link(s.Home, "home") // and one on the way, so that names differ
	s.Home = filepath.Join(s.Home, "home")
	before := tree(t, s.Home+"/")
	s.login(reg)
	if got := content(t, s.Home+"/dotfiles/docker.json"); !strings.Contains(got, reg) {
		t.Errorf("the target has %s", got)
	}
	s.logout()
	if diff := cmp.Diff(before, tree(t, s.Home+"/")); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
	s.link("loop", "dotfiles/loop")
	s.vars["DOCKER_CONFIG"] = s.Home + "/dotfiles/loop"
	if _, err := PlanDockerLogin(s.Env, []string{reg}, Options{}); err == nil {
		t.Error("a link to itself: got no error")
	}
}

// link makes a symbolic link below home.
func (s *setup) link(target, name string) {
	s.t.Helper()
	path := filepath.Join(s.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		s.t.Fatal(err)
	}
}

// A folder that is reached by a link before it exists has the same name afterwards.
func TestFileBelowLinkedHome(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.write("real/x", "")
	s.link("real", "linked")
	s.Home = filepath.Join(s.Home, "linked")
	s.login(reg)
	s.logout()
	if diff := cmp.Diff(map[string]string{".": "dir", "x": ""}, tree(t, s.Home+"/")); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
}
