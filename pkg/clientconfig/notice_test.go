package clientconfig

import (
	"strings"
	"testing"
)

func TestNotices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goos, file string
		installed  string
		opt        Options
		key        string
		want       string // one notice has this; "" is none
	}{
		"nothing to say":        {"linux", "{}", "", Options{}, reg, ""},
		"pass":                  {"linux", "{}", "pass docker-credential-pass docker-credential-secretservice", Options{}, reg, `"credsStore": "pass"`},
		"pass without helper":   {"linux", "{}", "pass docker-credential-secretservice", Options{}, reg, ""},
		"secretservice":         {"linux", `{"auths": {}, "credsStore": ""}`, "docker-credential-secretservice", Options{}, reg, `"credsStore": "secretservice"`},
		"osxkeychain":           {"darwin", "{}", "docker-credential-osxkeychain", Options{}, reg, `"credsStore": "osxkeychain"`},
		"wincred":               {"windows", "{}", "docker-credential-wincred", Options{}, reg, `"credsStore": "wincred"`},
		"some other system":     {"freebsd", "{}", "docker-credential-pass pass", Options{}, reg, ""},
		"has a store":           {"linux", `{"credsStore": "x"}`, "docker-credential-secretservice", Options{}, reg, ""},
		"has a helper":          {"linux", `{"credHelpers": {"a": "b"}}`, "docker-credential-secretservice", Options{}, reg, ""},
		"has a login":           {"linux", `{"auths": {"a": {}}}`, "docker-credential-secretservice", Options{}, reg, ""},
		"we are the store":      {"linux", "{}", "docker-credential-secretservice", Options{Default: true}, reg, ""},
		"is logged in already":  {"linux", `{"credHelpers": {"registry.example.com": "svcconn"}}`, "docker-credential-secretservice", Options{}, reg, ""},
		"remote podman and Hub": {"darwin", "{}", "podman", Options{}, hubURL, "podman's remote client"},
		"remote podman":         {"darwin", "{}", "podman", Options{}, reg, ""},
		"local podman and Hub":  {"linux", "{}", "podman", Options{}, hubURL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.GOOS = c.goos
			file := s.docker(c.file)
			for _, program := range strings.Fields(c.installed) {
				s.installed[program] = true
			}
			p, err := PlanDockerLogin(s.Env, []string{c.key}, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(p.Notices(), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) || c.want != "" && !strings.Contains(got, file) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
