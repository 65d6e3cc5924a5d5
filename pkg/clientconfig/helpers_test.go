package clientconfig

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Keys as a front-end gets them from package registryname.
const (
	hubURL  = "https://index.docker.io/v1/"
	hubBare = "docker.io"
	reg     = "registry.example.com"
)

// canary is a secret that must turn up nowhere but where it was planted.
const canary = "cnry-Zq7fWv93xTLm"

// setup is an Env below a temporary folder, without any tool or variable.
type setup struct {
	Env
	t         *testing.T
	vars      map[string]string
	installed map[string]bool
}

func newSetup(t *testing.T) *setup {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &setup{t: t, vars: map[string]string{}, installed: map[string]bool{}}
	s.Env = Env{
		Getenv: func(name string) string { return s.vars[name] },
		LookPath: func(name string) (string, error) {
			if s.installed[name] {
				return "/usr/bin/" + name, nil
			}
			return "", exec.ErrNotFound
		},
		Home:   filepath.Join(dir, "home"),
		State:  filepath.Join(dir, "state"),
		Config: filepath.Join(dir, "set-up"),
		GOOS:   "linux",
		UID:    1 << 30, // nobody's
	}
	return s
}

// write puts a file below home, with its folders.
func (s *setup) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *setup) docker(text string) string { return s.write(".docker/config.json", text) }

func (s *setup) login(keys ...string) *Plan { s.t.Helper(); return s.loginWith(Options{}, keys...) }

func (s *setup) loginWith(opt Options, keys ...string) *Plan {
	s.t.Helper()
	p, err := PlanDockerLogin(s.Env, keys, opt)
	return s.apply(p, err)
}

func (s *setup) logout(keys ...string) *Plan {
	s.t.Helper()
	p, err := PlanDockerLogout(s.Env, keys, Options{})
	return s.apply(p, err)
}

func (s *setup) apply(p *Plan, err error) *Plan {
	s.t.Helper()
	if err == nil {
		err = p.Apply(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// noRecord fails when the journal keeps anything.
func (s *setup) noRecord() {
	s.t.Helper()
	if left := tree(s.t, string(s.journal())); len(left) > 2 { // the folder and the lock
		s.t.Errorf("the journal keeps %v", left)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree is all that is below a folder: path → content, or "dir", or "-> target".
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			found[name] = "dir"
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		default:
			found[name] = content(t, path)
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return found
}

// noCanary fails when the secret is in any of the texts.
func noCanary(t *testing.T, where string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, canary) {
			t.Errorf("%s shows a secret:\n%s", where, text)
		}
	}
}
