package clientconfig

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// As TestKilledAnywhere, for the three files of a login to gcloud, which are written one
// after another.
func TestGcloudKilledAnywhere(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(*setup){
		"no files":         func(*setup) {},
		"an active one":    func(s *setup) { s.active("default"); s.gcloud("default", "[core]\nproject = mine\n") },
		"logged in before": func(s *setup) { s.active("default"); s.gcloudUse(true, gcloudLogin("first")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.write("x", "")
			plant(s)
			out := s.tree()
			login := func() { s.gcloudUse(true, fullGcloudLogin("prod")) }
			logout := func() { s.gcloudLogout("prod") }
			login()
			in := s.tree()
			files := []string{s.GcloudCredentials("prod"), s.gcloudFile("prod"), filepath.Join(s.GcloudFolder(), gcloudActive)}
			for _, state := range s.row(files, out, in, false) {
				s.check(state, in, login)
				s.check(state, out, func() { login(); logout() })
				if name == "no files" {
					s.check(state, out, func() { s.gcloudLogout() })
				}
			}
			for _, state := range s.row(files, in, out, true) {
				s.check(state, out, func() { login(); logout() })
				if name == "no files" {
					s.check(state, out, func() { s.gcloudLogout() })
				}
			}
		})
	}
}

// row lists every state in which a change from old to new can be cut off that goes through
// files that share folders one by one; a logout begins with the last.
func (s *setup) row(files []string, old, new map[string]string, logout bool) []map[string]string {
	s.t.Helper()
	seen := map[string]bool{}
	var steps [][]string
	for _, file := range files {
		for _, paths := range s.steps(file, old, new) {
			paths = slices.DeleteFunc(paths, func(path string) bool { return seen[path] })
			for _, path := range paths {
				seen[path] = true
			}
			steps = append(steps, paths)
		}
	}
	if logout {
		slices.Reverse(steps)
	}
	state := maps.Clone(old)
	states := []map[string]string{state}
	for _, paths := range steps {
		state = maps.Clone(state)
		for _, path := range paths {
			delete(state, path)
		}
		copyPaths(state, new, paths)
		states = append(states, state)
	}
	return states
}
