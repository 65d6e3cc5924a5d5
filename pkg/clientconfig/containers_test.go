package clientconfig

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goos       string
		vars       map[string]string
		docker     string
		containers []string
	}{
		"linux, nothing set": {"linux", nil, "H/.docker/config.json",
			[]string{"/run/containers/1073741824/auth.json", "H/.config/containers/auth.json", "H/.docker/config.json"}},
		"linux, all set": {"linux", map[string]string{"XDG_RUNTIME_DIR": "H", "XDG_CONFIG_HOME": "H/c", "DOCKER_CONFIG": "H/d"}, "H/d/config.json",
			[]string{"H/containers/auth.json", "H/c/containers/auth.json", "H/d/config.json"}},
		"linux, no runtime folder": {"linux", map[string]string{"XDG_RUNTIME_DIR": "H/none"}, "H/.docker/config.json",
			[]string{"H/.config/containers/auth.json", "H/.docker/config.json"}},
		"override": {"linux", map[string]string{"XDG_RUNTIME_DIR": "H", "REGISTRY_AUTH_FILE": "H/a"}, "H/.docker/config.json",
			[]string{"H/a", "H/.config/containers/auth.json", "H/.docker/config.json"}},
		"macOS": {"darwin", map[string]string{"XDG_RUNTIME_DIR": "H", "XDG_CONFIG_HOME": "H/c"}, "H/.docker/config.json",
			[]string{"H/.config/containers/auth.json", "H/.docker/config.json"}},
		"Windows": {"windows", nil, "H/.docker/config.json",
			[]string{"H/.config/containers/auth.json", "H/.docker/config.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.write("x", "")
			s.GOOS = c.goos
			for k, v := range c.vars {
				s.vars[k] = strings.Replace(v, "H", s.Home, 1)
			}
			got := append([]string{s.DockerFile()}, s.ContainersFiles()...)
			for i := range got {
				got[i] = strings.Replace(got[i], s.Home, "H", 1)
			}
			if diff := cmp.Diff(append([]string{c.docker}, c.containers...), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Which of podman's files a login writes: the one that lasts, and what would win over
// it. Each case ends as it began.
func TestContainersFilesThatAreWritten(t *testing.T) {
	t.Parallel()
	const lasting, volatile, override = ".config/containers/auth.json", "run/containers/auth.json", "own.json"
	login := func(key string) string { return `{"auths": {"` + key + `": {"auth": "eDp5"}}}` }
	for name, c := range map[string]struct {
		prepare func(s *setup)
		opt     Options
		key     string
		want    []string
	}{
		"no such tool":       {func(*setup) {}, Options{}, reg, nil},
		"asked for":          {func(*setup) {}, Options{Containers: true}, reg, []string{lasting}},
		"podman":             {func(s *setup) { s.installed["podman"] = true }, Options{}, reg, []string{lasting}},
		"buildah":            {func(s *setup) { s.installed["buildah"] = true }, Options{}, reg, []string{lasting}},
		"a file is there":    {func(s *setup) { s.write(lasting, "{}") }, Options{}, reg, []string{lasting}},
		"no address for it":  {func(s *setup) { s.write(lasting, "{}") }, Options{}, hubURL, nil},
		"volatile, nothing":  {func(s *setup) { s.write(volatile, "{}") }, Options{}, reg, []string{lasting}},
		"volatile, empty":    {func(s *setup) { s.write(volatile, "") }, Options{}, reg, []string{lasting, volatile}},
		"volatile, marker":   {func(s *setup) { s.write(volatile, `{"auths": {"`+reg+`": {}}}`) }, Options{}, reg, []string{lasting}},
		"volatile, login":    {func(s *setup) { s.write(volatile, login(reg)) }, Options{}, reg, []string{lasting, volatile}},
		"volatile, address":  {func(s *setup) { s.write(volatile, login("https://"+reg+"/v1/")) }, Options{}, reg, []string{lasting, volatile}},
		"volatile, other":    {func(s *setup) { s.write(volatile, login("x"+reg)) }, Options{}, reg, []string{lasting}},
		"volatile, part":     {func(s *setup) { s.write(volatile, login(reg+"/team")) }, Options{}, reg, []string{lasting}},
		"volatile, Hub":      {func(s *setup) { s.write(volatile, login(hubURL)) }, Options{}, hubBare, []string{lasting, volatile}},
		"volatile, helper":   {func(s *setup) { s.write(volatile, `{"credHelpers": {"`+reg+`": "x"}}`) }, Options{}, reg, []string{lasting, volatile}},
		"override":           {func(s *setup) { s.vars["REGISTRY_AUTH_FILE"] = s.write(override, "{}") }, Options{}, reg, []string{override, lasting}},
		"override is docker": {func(s *setup) { s.vars["REGISTRY_AUTH_FILE"] = s.docker("{}") }, Options{}, reg, []string{lasting}},
		"only the default":   {func(s *setup) { s.installed["podman"] = true }, Options{Default: true}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.write("run/x", "")
			s.vars["XDG_RUNTIME_DIR"] = filepath.Join(s.Home, "run")
			c.prepare(s)
			before := tree(t, s.Home)
			var keys []string
			if c.key != "" {
				keys = []string{c.key}
			}
			got := s.loginWith(c.opt, keys...).Changes()
			if diff := cmp.Diff(c.want, s.containersFiles(got)); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			for _, f := range ExplainDocker(s.Env, keys) {
				if !f.Leads {
					t.Errorf("got %+v", f)
				}
			}
			delete(s.vars, "REGISTRY_AUTH_FILE") // a logout knows where the login wrote
			s.logout()
			if diff := cmp.Diff(before, tree(t, s.Home)); diff != "" {
				t.Errorf("after logout (-want +got):\n%s", diff)
			}
		})
	}
}

// containersFiles are the files of podman's among the changes, below home.
func (s *setup) containersFiles(changes []Change) []string {
	var files []string
	for _, change := range changes {
		if change.Tool == Containers {
			files = append(files, strings.TrimPrefix(change.File, s.Home+"/"))
		}
	}
	return files
}

// A file of podman's that nobody can read stops the login before anything is changed.
func TestBrokenContainersFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{".config/containers/auth.json", "run/containers/auth.json"} {
		s := newSetup(t)
		s.vars["XDG_RUNTIME_DIR"] = filepath.Join(s.Home, "run")
		broken := s.write(name, "{")
		file := s.docker("{}")
		if _, err := PlanDockerLogin(s.Env, []string{reg}, Options{}); err == nil || !strings.Contains(err.Error(), broken) {
			t.Errorf("got %v", err)
		}
		if got := content(t, file); got != "{}" {
			t.Errorf("got %s", got)
		}
	}
}

// A logout finds the file of a login whose DOCKER_CONFIG is not set any more.
func TestLogoutWhereLoginWrote(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.docker(tabbed)
	s.vars["DOCKER_CONFIG"] = filepath.Join(s.Home, "elsewhere")
	s.login(reg)
	delete(s.vars, "DOCKER_CONFIG")
	all, err := Pointers(s.Env)
	want := []Pointer{{Docker, filepath.Join(s.Home, "elsewhere", "config.json"), reg}}
	if diff := cmp.Diff(want, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	s.logout(reg)
	if diff := cmp.Diff(map[string]string{".": "dir", ".docker": "dir", ".docker/config.json": tabbed}, tree(t, s.Home)); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
}
