package clientconfig

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A change is a row of steps that each leave whole files: for every client file the
// journal, folders, the file (a logout the other way round). Killed between two of
// them, some paths have their new state and the others the old one. All such mixtures
// are made here by hand.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(*setup){
		"no files":      func(*setup) {},
		"empty object":  func(s *setup) { s.docker("{ }\n") },
		"other helpers": func(s *setup) { s.docker(`{"credHelpers": {"registry.example.com": "old", "a": "b"}}`) },
		"logged in before": func(s *setup) {
			s.docker(`{"credHelpers": {"gcr.io": "gcloud"}}`)
			s.login("gcr.io")
		},
		"logged in before, no files": func(s *setup) { s.login("gcr.io") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.installed["podman"] = true
			s.write("x", "") // a home folder
			plant(s)
			out := s.tree()
			s.login(reg)
			in := s.tree()
			logout := func() { s.logout(reg) }
			for _, state := range s.between(out, in, false) {
				s.check(state, out, logout)
				s.check(state, in, func() { s.login(reg) })
				s.check(state, out, func() { s.login(reg); s.logout(reg) })
			}
			for _, state := range s.between(in, out, true) {
				s.check(state, out, logout)
				s.check(state, out, func() { s.login(reg); s.logout(reg) })
			}
		})
	}
}

// check brings the files into a state, acts, and compares.
func (s *setup) check(state, want map[string]string, act func()) {
	s.t.Helper()
	s.put(state)
	act()
	if diff := cmp.Diff(want, s.tree()); diff != "" {
		s.t.Errorf("from %v (-want +got):\n%s", state, diff)
	}
}

func (s *setup) root() string { return filepath.Dir(s.Home) }

// tree is all files but the lock and its folder, which stay.
func (s *setup) tree() map[string]string {
	all := tree(s.t, s.root())
	maps.DeleteFunc(all, func(path, _ string) bool {
		return path == "." || path == "state" || path == "state/clients" || path == "state/clients/lock"
	})
	return all
}

// put makes the files what state says.
func (s *setup) put(state map[string]string) {
	s.t.Helper()
	for path := range s.tree() {
		if err := os.RemoveAll(filepath.Join(s.root(), path)); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(state)) { // a folder before what is in it
		path, text := filepath.Join(s.root(), name), state[name]
		var err error
		if text == "dir" {
			err = os.Mkdir(path, 0o700)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// between lists every state in which a change from old to new can be cut off. The
// steps for a client file are its record, its folders, the file; a logout's are the
// same from the last to the first. Each file may be at any step.
func (s *setup) between(old, new map[string]string, logout bool) []map[string]string {
	s.t.Helper()
	common := maps.Clone(old)
	maps.DeleteFunc(common, func(path, text string) bool { return new[path] != text })
	states := []map[string]string{common}
	for _, file := range []string{s.DockerFile(), s.lastingFile()} {
		steps := s.steps(file, old, new)
		if logout {
			slices.Reverse(steps)
		}
		var next []map[string]string
		for _, state := range states {
			for done := range len(steps) + 1 {
				mixed := maps.Clone(state)
				for i, paths := range steps {
					from := old
					if i < done {
						from = new
					}
					copyPaths(mixed, from, paths)
				}
				next = append(next, mixed)
			}
		}
		states = next
	}
	return states
}

// steps are the paths that a login writes for a file, in its order.
func (s *setup) steps(file string, old, new map[string]string) [][]string {
	s.t.Helper()
	var folders []string
	for dir := filepath.Dir(file); dir != s.root() && dir != s.Home; dir = filepath.Dir(dir) {
		if name := s.name(dir); old[name] != new[name] {
			folders = append(folders, name)
		}
	}
	steps := [][]string{{s.name(s.journal().path(file))}, folders, {s.name(file)}}
	if name := s.name(file); old[name] == new[name] {
		s.t.Fatalf("nothing changes in %s", name)
	}
	return steps
}

func (s *setup) name(path string) string {
	s.t.Helper()
	name, err := filepath.Rel(s.root(), path)
	if err != nil {
		s.t.Fatal(err)
	}
	return name
}

func copyPaths(to, from map[string]string, paths []string) {
	for _, path := range paths {
		if text, ok := from[path]; ok {
			to[path] = text
		}
	}
}
