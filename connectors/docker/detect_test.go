package docker

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// machine is a home with files and helpers.
type machine struct {
	files   map[string]string            // path below home → content
	env     map[string]string            // HOME in a value is the home
	helpers map[string]map[string]string // helper → server → "USER:SECRET"
	broken  map[string]string            // helper → what it prints when it fails
	calls   []string
}

func (m *machine) host(t *testing.T) connector.Host {
	t.Helper()
	home := t.TempDir()
	for path, text := range m.files {
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return connector.Host{
		Home:   home,
		Getenv: func(name string) string { return strings.ReplaceAll(m.env[name], "HOME", home) },
		Run:    m.run,
	}
}

// run plays the credential helpers.
func (m *machine) run(ctx context.Context, c connector.Command) (connector.Finished, error) {
	m.calls = append(m.calls, strings.Join(append([]string{c.Program}, c.Args...), " ")+" "+string(c.Stdin))
	helper := strings.TrimPrefix(c.Program, "docker-credential-")
	if out, broken := m.broken[helper]; broken {
		return connector.Finished{Stdout: []byte(out), Failure: "exit status 1"}, nil
	}
	logins, known := m.helpers[helper]
	if !known {
		return connector.Finished{}, fmt.Errorf("exec: %q: executable file not found in $PATH", c.Program)
	}
	if c.Args[0] == "list" {
		var out []string
		for server, login := range logins {
			user, _, _ := strings.Cut(login, ":")
			out = append(out, fmt.Sprintf("%q:%q", server, user))
		}
		return connector.Finished{Stdout: []byte("{" + strings.Join(out, ",") + "}")}, ctx.Err()
	}
	login, ok := logins[string(c.Stdin)]
	if !ok {
		return connector.Finished{Stdout: []byte("credentials not found in native keychain\n"), Failure: "exit status 1"}, nil
	}
	user, secret, _ := strings.Cut(login, ":")
	return connector.Finished{Stdout: fmt.Appendf(nil, `{"ServerURL":%q,"Username":%q,"Secret":%q}`, c.Stdin, user, secret)}, ctx.Err()
}

func auth(user, password string) string {
	return fmt.Sprintf(`{"auth":%q}`, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

// show renders what was found, homes apart: "REGISTRY USER:PASSWORD from SOURCE".
func show(found []connector.Detected, home string) (logins, notes []string) {
	for _, d := range found {
		line := fmt.Sprintf("%s %s:%s from %s", registry.Get(d.Spec.Values), username.Get(d.Spec.Values), password.Get(d.Spec.Values).Reveal(), d.Source.Description)
		if d.Source.PlainText {
			line += fmt.Sprintf(" [%s %s]", d.Source.File, d.Source.Key)
		}
		logins = append(logins, strings.ReplaceAll(line, home, "~"))
		for _, note := range d.Notes {
			notes = append(notes, strings.ReplaceAll(note, home, "~"))
		}
	}
	return logins, notes
}

const (
	config = ".docker/config.json"
	podman = ".config/containers/auth.json"
)

var detections = map[string]struct {
	machine       machine
	hints         map[string]string
	logins, notes []string
}{
	"plain text": {
		machine: machine{files: map[string]string{config: `{"auths":{
			"https://index.docker.io/v1/":` + auth("me", "p:w") + `,
			"https://index.docker.io/v1/access-token":` + auth("me", "no") + `,
			"GHCR.io":{"username":"ci","password":"pat"},
			"az.azurecr.io":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("0000:")) + `","identitytoken":"idt"},
			"old.example.com":` + auth("old", "pw\x00\x00") + `,
			"marked.example.com":{}}}`}},
		logins: []string{
			"az.azurecr.io <token>:idt from ~/.docker/config.json (auths) [~/.docker/config.json az.azurecr.io]",
			"docker.io me:p:w from ~/.docker/config.json (auths) [~/.docker/config.json https://index.docker.io/v1/]",
			"ghcr.io ci:pat from ~/.docker/config.json (auths) [~/.docker/config.json GHCR.io]",
			"old.example.com old:pw from ~/.docker/config.json (auths) [~/.docker/config.json old.example.com]",
		},
	},
	"helpers": {
		machine: machine{
			files: map[string]string{config: `{"auths":{"a.example.com":{},"b.example.com":{}},"credsStore":"pass",
				"credHelpers":{"ghcr.io":"gh","gcr.io":"gcloud","quay.io/team":"gh","r.example.com":"svcconn"}}`},
			helpers: map[string]map[string]string{
				"pass":   {"https://index.docker.io/v1/": "me:pw", "a.example.com": "ci:x", "ghcr.io": "me:other"},
				"gh":     {"ghcr.io": "me:pat"},
				"gcloud": {},
			},
		},
		logins: []string{
			"a.example.com ci:x from docker-credential-pass (credsStore of ~/.docker/config.json)",
			"docker.io me:pw from docker-credential-pass (credsStore of ~/.docker/config.json)",
			"ghcr.io me:pat from docker-credential-gh (credHelpers of ~/.docker/config.json)",
		},
		notes: []string{
			"~/.docker/config.json has a login for quay.io/team alone; it was left alone, since connectors reach registries as a whole.",
			"docker-credential-svcconn (credHelpers of ~/.docker/config.json) is svcconn itself; it was not asked.",
			"docker-credential-pass (credsStore of ~/.docker/config.json) also has a login for ghcr.io, as me; it was left alone, since that of docker-credential-gh (credHelpers of ~/.docker/config.json) comes first.",
		},
	},
	"podman beside docker": {
		machine: machine{
			files: map[string]string{
				config:                     `{"auths":{"ghcr.io":` + auth("me", "one") + `}}`,
				podman:                     `{"auths":{"ghcr.io":` + auth("me", "two") + `,"quay.io":` + auth("me", "three") + `,"quay.io/team":` + auth("bot", "four") + `}}`,
				"run/containers/auth.json": `{"auths":{"docker.io":` + auth("me", "five") + `}}`,
			},
			env: map[string]string{"XDG_RUNTIME_DIR": "HOME/run"},
		},
		logins: []string{
			"docker.io me:five from ~/run/containers/auth.json (auths) [~/run/containers/auth.json docker.io]",
			"ghcr.io me:one from ~/.docker/config.json (auths) [~/.docker/config.json ghcr.io]",
			"quay.io me:three from ~/.config/containers/auth.json (auths) [~/.config/containers/auth.json quay.io]",
		},
		notes: []string{
			"~/.config/containers/auth.json (auths) also has a login for ghcr.io, as me; it was left alone, since that of ~/.docker/config.json (auths) comes first.",
			"~/.config/containers/auth.json has a login for quay.io/team alone; it was left alone, since connectors reach registries as a whole.",
		},
	},
	"places by environment": {
		machine: machine{
			files: map[string]string{"d/config.json": `{"auths":{"a.example.com":` + auth("me", "one") + `}}`, "auth.json": `{"auths":{"b.example.com":` + auth("me", "two") + `}}`, podman: `{"auths":`},
			env:   map[string]string{"DOCKER_CONFIG": "HOME/d", "REGISTRY_AUTH_FILE": "HOME/auth.json"},
		},
		logins: []string{
			"a.example.com me:one from ~/d/config.json (auths) [~/d/config.json a.example.com]",
			"b.example.com me:two from ~/auth.json (auths) [~/auth.json b.example.com]",
		},
	},
	"one registry": {
		machine: machine{
			files:   map[string]string{config: `{"auths":{"bad.example.com":{"auth":"!"},"not a registry":{"auth":"!"}},"credsStore":"pass"}`},
			helpers: map[string]map[string]string{"pass": {"https://index.docker.io/v1/": "me:pw", "ghcr.io": "me:pat"}},
		},
		hints:  map[string]string{"registry": "https://GHCR.io/", "insecure": "true"},
		logins: []string{"ghcr.io me:pat from docker-credential-pass (credsStore of ~/.docker/config.json)"},
	},
	"one file": {
		machine: machine{files: map[string]string{config: `{`, "other/config.json": `{"auths":{"ghcr.io":` + auth("me", "pat") + `}}`}},
		hints:   map[string]string{"config": "~/other"},
		logins:  []string{"ghcr.io me:pat from ~/other/config.json (auths) [~/other/config.json ghcr.io]"},
	},
	"a broken helper hides nothing": {
		machine: machine{
			files:  map[string]string{config: `{"auths":{"ghcr.io":` + auth("me", "pat") + `,"x.example.com":{"auth":"Og=="},"user/repo":` + auth("a", "b") + `},"credsStore":"desktop","credHelpers":{"quay.io":"../evil"}}`},
			broken: map[string]string{"desktop": "keychain locked"},
		},
		logins: []string{"ghcr.io me:pat from ~/.docker/config.json (auths) [~/.docker/config.json ghcr.io]"},
		notes: []string{
			"~/.docker/config.json has a credHelpers that is no helper's name; it was not asked.",
			`~/.docker/config.json has a login for "user/repo", which is not a registry; it was left alone.`,
			"~/.docker/config.json (auths) has a login for x.example.com without user name or password; it was left alone.",
			"credsStore of ~/.docker/config.json: credential helper docker-credential-desktop: error listing credentials - err: exit status 1, out: `keychain locked`.",
		},
	},
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for what, test := range detections {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			host := test.machine.host(t)
			found, err := Type().Detect(t.Context(), host, test.hints)
			if err != nil {
				t.Fatal(err)
			}
			logins, notes := show(found, host.Home)
			if diff := cmp.Diff(test.logins, logins); diff != "" {
				t.Errorf("logins:\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes:\n%s", diff)
			}
			for _, d := range found {
				if _, err := (connector.Types{Type()}).Check(d.Spec); err != nil || insecure.Get(d.Spec.Values) != (test.hints["insecure"] != "") {
					t.Errorf("%s: %v", d.Source.Description, err)
				}
			}
			for _, call := range test.machine.calls {
				if strings.Contains(call, "svcconn") || strings.Contains(call, "evil") {
					t.Errorf("ran %s", call)
				}
			}
		})
	}
}

func TestDetectFails(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		machine     machine
		hints       map[string]string
		kind        fault.Kind
		words, hint string
	}{
		"nothing there":         {machine{}, nil, fault.NotFound, "there is no configuration", "docker login"},
		"nothing in it":         {machine{files: map[string]string{config: " \n"}}, nil, fault.NotFound, "looked in ", "docker login"},
		"not this one":          {machine{files: map[string]string{config: `{"auths":{"ghcr.io":` + auth("me", "x") + `}}`}}, map[string]string{"registry": "quay.io"}, fault.NotFound, "no login to quay.io", "docker login"},
		"only namespaces":       {machine{files: map[string]string{config: `{"auths":{"quay.io/a":` + auth("me", "x") + `}}`}}, nil, fault.NotFound, "quay.io/a alone", "docker login"},
		"no such file":          {machine{}, map[string]string{"config": "~/none.json"}, fault.NotFound, "none.json", "path of docker's"},
		"cut off":               {machine{files: map[string]string{config: "{\"auths\":{\n\"ghcr.io\":{\"password\":\"" + canary}}, nil, fault.Invalid, "line 2: it is not valid JSON", "mend the file"},
		"of another shape":      {machine{files: map[string]string{config: "{\n\"auths\":{\"ghcr.io\":{\"password\":123456789}}}"}}, nil, fault.Invalid, "line 2: auths", "mend the file"},
		"not base64":            {machine{files: map[string]string{config: `{"auths":{"ghcr.io":{"auth":"` + canary + `!"}}}`}}, nil, fault.Invalid, "auths: ghcr.io: its auth is not", ""},
		"no colon":              {machine{files: map[string]string{config: `{"auths":{"ghcr.io":{"auth":"` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"}}}`}}, nil, fault.Invalid, "its auth is not", ""},
		"unknown hint":          {machine{}, map[string]string{"regsitry": "ghcr.io"}, fault.Invalid, "regsitry", "registry"},
		"a bad hint":            {machine{}, map[string]string{"registry": "user/repo"}, fault.Invalid, "user/repo", "docker.io"},
		"insecure for all":      {machine{}, map[string]string{"insecure": "true"}, fault.Invalid, "none was named", "registry=HOST"},
		"a helper is missing":   {machine{files: map[string]string{config: `{"credHelpers":{"ghcr.io":"gh"}}`}}, nil, fault.Failed, "credential helper docker-credential-gh", "docker-credential-gh get"},
		"a helper prints junk":  {machine{files: map[string]string{config: `{"credsStore":"x"}`}, helpers: map[string]map[string]string{"x": {"a.example.com": ""}}, broken: map[string]string{"x": `{"Secret":"` + canary + `"}`}}, nil, fault.Failed, "credential helper docker-credential-x", ""},
		"a helper has no login": {machine{files: map[string]string{config: `{"credHelpers":{"ghcr.io":"gh"}}`}, helpers: map[string]map[string]string{"gh": {}}}, nil, fault.NotFound, "no login", "docker login"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := Type().Detect(t.Context(), test.machine.host(t), test.hints)
			refused(t, err, test.kind, test.words, test.hint)
		})
	}
}

func TestDetectUnreadable(t *testing.T) {
	t.Parallel()
	m := machine{files: map[string]string{".docker/config.json/is/a/folder": ""}}
	_, err := Type().Detect(t.Context(), m.host(t), nil)
	refused(t, err, fault.Failed, filepath.Join(".docker", "config.json"), "readable")
}

func TestDetectHelperHangs(t *testing.T) {
	t.Parallel()
	m := machine{files: map[string]string{".docker/config.json": `{"credsStore":"pass"}`}}
	host := m.host(t)
	ctx, cancel := context.WithCancel(t.Context())
	host.Run = func(ctx context.Context, _ connector.Command) (connector.Finished, error) {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("a helper may run for ever")
		}
		cancel()
		<-ctx.Done()
		return connector.Finished{}, ctx.Err()
	}
	_, err := Type().Detect(ctx, host, nil)
	refused(t, err, fault.Interrupted, "docker-credential-pass", "")
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = Type().Detect(late, host, nil)
	refused(t, err, fault.Unavailable, "docker-credential-pass did not answer in time", "unlock the keyring")
	host.Run = nil
	_, err = Type().Detect(t.Context(), host, nil)
	refused(t, err, fault.NotFound, "no programs may be run here", "docker login")
}

// Whatever is in a file, reading it ends in logins that can be registered or in an
// error that can be shown.
func FuzzConfigFile(f *testing.F) {
	f.Add(`{"auths":{"ghcr.io":{"auth":"bWU6cGF0"},"quay.io/a":{"identitytoken":"x"}},"credsStore":"","credHelpers":{"a.b":""}}`)
	f.Add(`{"auths":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m := machine{files: map[string]string{"config.json": text}}
		found, err := Type().Detect(t.Context(), m.host(t), map[string]string{"config": "~/config.json"})
		if err == nil && len(found) == 0 {
			t.Fatal("neither logins nor an error")
		}
		for _, d := range found {
			if _, err := registry.Parse(registry.Get(d.Spec.Values)); err != nil || username.Get(d.Spec.Values) == "" || password.Get(d.Spec.Values).IsEmpty() {
				t.Fatalf("%+v", d)
			}
		}
	})
}
