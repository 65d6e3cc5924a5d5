package clientconfig

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplainDocker(t *testing.T) {
	t.Parallel()
	const plain = `"auth": "` + canary + `"`
	for name, c := range map[string]struct {
		file   string
		env    string
		leads  bool
		reason string
	}{
		"no file":            {"", "", false, "the file does not exist"},
		"nothing":            {"{}", "", false, "there is no entry for registry.example.com, and no credsStore"},
		"ours":               {`{"credHelpers": {"registry.example.com": "svcconn"}, "credsStore": "x", "auths": {"registry.example.com": {` + plain + `}}}`, "", true, "credHelpers names svcconn"},
		"another's":          {`{"credHelpers": {"registry.example.com": "ecr-login"}, "credsStore": "svcconn"}`, "", false, "credHelpers names ecr-login"},
		"our store":          {`{"credHelpers": {"other": "x"}, "credsStore": "svcconn"}`, "", true, "credsStore names svcconn"},
		"another store":      {`{"credsStore": "desktop"}`, "", false, "credsStore names desktop"},
		"exempt from store":  {`{"credHelpers": {"registry.example.com": ""}, "credsStore": "svcconn"}`, "", false, "there is no entry for registry.example.com, and no credsStore"},
		"plain text":         {`{"auths": {"registry.example.com": {` + plain + `}}}`, "", false, "auths holds a plain-text login for registry.example.com"},
		"old plain text":     {`{"auths": {"https://registry.example.com/v1/": {"identityToken": "` + canary + `"}}}`, "", false, "auths holds a plain-text login for https://registry.example.com/v1/"},
		"marker":             {`{"auths": {"registry.example.com": {"username": "x"}}}`, "", false, "there is no entry for registry.example.com, and no credsStore"},
		"environment":        {`{"credsStore": "svcconn"}`, `{"auths": {"registry.example.com": {` + plain + `}}}`, false, "DOCKER_AUTH_CONFIG holds a plain-text login, which docker prefers to every helper since 28.3"},
		"environment, other": {`{"credsStore": "svcconn"}`, `{"auths": {"other": {` + plain + `}}}`, true, "credsStore names svcconn"},
		"environment, odd":   {`{"credsStore": "svcconn"}`, `{"auths": {"registry.example.com": {` + plain + `, "x": 1}}}`, true, "credsStore names svcconn"},
		"environment, empty": {`{"credsStore": "svcconn"}`, `{"auths": {"registry.example.com": {}}}`, true, "credsStore names svcconn"},
		"environment, bad":   {`{"credsStore": "svcconn"}`, canary, true, "credsStore names svcconn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			if c.file != "" {
				s.docker(c.file)
			}
			s.vars["DOCKER_AUTH_CONFIG"] = c.env
			want := []Finding{{Docker, s.DockerFile(), reg, c.leads, c.reason}}
			if diff := cmp.Diff(want, ExplainDocker(s.Env, []string{reg})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainContainers(t *testing.T) {
	t.Parallel()
	const lasting, volatile = ".config/containers/auth.json", "run/containers/auth.json"
	ours, plain := `{"credHelpers": {"docker.io": "svcconn"}}`, `{"auths": {"https://index.docker.io/v1/": {"auth": "`+canary+`"}}}`
	for name, c := range map[string]struct {
		files  map[string]string
		file   string
		leads  bool
		reason string
	}{
		"nothing":            {nil, lasting, false, "there is no entry for docker.io, nor in any other file that is read"},
		"lasting":            {map[string]string{lasting: ours}, lasting, true, "credHelpers names svcconn"},
		"docker's":           {map[string]string{".docker/config.json": ours}, ".docker/config.json", true, "credHelpers names svcconn"},
		"docker's store":     {map[string]string{".docker/config.json": `{"credsStore": "svcconn"}`}, lasting, false, "there is no entry for docker.io, nor in any other file that is read"},
		"earlier login":      {map[string]string{lasting: ours, volatile: plain}, volatile, false, "auths holds a plain-text login for https://index.docker.io/v1/"},
		"login and helper":   {map[string]string{lasting: strings.TrimSuffix(ours, "}") + "," + plain[1:]}, lasting, true, "credHelpers names svcconn"},
		"empty file":         {map[string]string{lasting: ours, volatile: "\n"}, volatile, false, "the file is empty, not even {}, which these tools do not read"},
		"another helper":     {map[string]string{lasting: `{"credHelpers": {"docker.io": "x"}}`}, lasting, false, "credHelpers names x"},
		"REGISTRY_AUTH_FILE": {map[string]string{lasting: ours, "own.json": "{}"}, "own.json", false, "there is no entry for docker.io, nor in any other file that is read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.installed["podman"] = true
			s.write("run/x", "")
			s.vars["XDG_RUNTIME_DIR"] = filepath.Join(s.Home, "run")
			for path, text := range c.files {
				s.write(path, text)
			}
			if _, ok := c.files["own.json"]; ok {
				s.vars["REGISTRY_AUTH_FILE"] = filepath.Join(s.Home, "own.json")
			}
			got := ExplainDocker(s.Env, []string{hubBare, hubURL})
			if len(got) != 2 || got[0].Key != hubURL {
				t.Fatalf("got %+v", got)
			}
			want := Finding{Containers, filepath.Join(s.Home, c.file), hubBare, c.leads, c.reason}
			if diff := cmp.Diff(want, got[1]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	s := newSetup(t)
	s.installed["podman"] = true
	broken := s.write(lasting, "{")
	if got := ExplainDocker(s.Env, []string{reg}); got[1].Leads || got[1].File != broken || !strings.Contains(got[1].Reason, "line 1") {
		t.Errorf("broken file: got %+v", got)
	}
	if got := ExplainDocker(s.Env, nil); got != nil {
		t.Errorf("no keys: got %+v", got)
	}
}

// One file that cannot be read hides no pointer in another.
func TestPointersBesideABrokenFile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	broken := s.docker("{")
	file := s.write(".config/containers/auth.json", `{"credHelpers": {"a": "svcconn", "b": "x", "c": "svcconn"}, "credsStore": "svcconn"}`)
	all, err := Pointers(s.Env)
	want := []Pointer{{Containers, file, "a"}, {Containers, file, "c"}, {Containers, file, ""}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("got %v", err)
	}
}
