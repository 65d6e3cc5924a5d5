//go:build e2e && linux

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// The two ways in which docker's configuration can lead to us.
var helperConfigs = map[string]string{
	"credHelpers": `{"credHelpers": {%q: "svcconn"}}`,
	"credsStore":  `{"credsStore": "svcconn", "HttpHeaders": {"X-E2E": %q}}`,
}

// eachDockerCLI runs a test for every docker CLI of the machine.
func eachDockerCLI(t *testing.T, test func(t *testing.T, docker string)) {
	t.Parallel()
	if len(dockerCLIs()) == 0 {
		need(t, "docker")
	}
	for version, path := range dockerCLIs() {
		t.Run("docker-"+version, func(t *testing.T) { t.Parallel(); test(t, path) })
	}
}

// TestDockerLogin is for those who never heard of `svcconn register`: the CLI's
// own login registers a connector and its logout deletes it.
func TestDockerLogin(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		for key, config := range helperConfigs {
			for _, engine := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/engine=%t", key, engine), func(t *testing.T) {
					t.Parallel()
					dockerLogin(t, docker, config, engine)
				})
			}
		}
	})
}

func dockerLogin(t *testing.T, docker, config string, engine bool) {
	w := newWorld(t, "docker login with its own prompts registers a connector, docker logout deletes it and its secret")
	if engine {
		w.useEngine()
	}
	w.startKeyring()
	r := w.startRegistry(setup{})
	file := w.file(fmt.Sprintf(config, r.host), "home", ".docker", "config.json")
	w.cmd(docker, "login", r.host).onTerminal(answer{"Username", r.user}, answer{"Password", r.password}).exits(0).says("Login Succeeded")
	if list := w.connectors(); len(list) != 1 || list[0].Type != "docker" || list[0].Configuration["registry"] != r.host {
		t.Fatalf("docker login registered %+v", list)
	}
	w.wantLogin(r.host, r)
	if strings.Contains(w.read(file), `"auth"`) {
		t.Fatalf("docker keeps the login itself: %s", w.read(file))
	}
	w.ok(docker, "logout", r.host)
	w.wantConnectors()
	w.wantKeyring(0)
	w.get(r.host).run().exits(1).prints("credentials not found in native keychain")
}

// TestDockerLoginEcho covers docker's habit to store what it was just handed out,
// even when the login with it failed.
func TestDockerLoginEcho(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		for _, engine := range []bool{true, false} {
			t.Run(fmt.Sprintf("engine=%t", engine), func(t *testing.T) {
				t.Parallel()
				dockerLoginEcho(t, docker, engine)
			})
		}
	})
}

func dockerLoginEcho(t *testing.T, docker string, engine bool) {
	w := newWorld(t, "docker login with a known login changes nothing, for the helper's store of it is recognised")
	if engine {
		w.useEngine()
	}
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.register("hub", r, "--label", "team=a").exits(0)
	w.ok("svcconn", "login", "docker", r.host)
	file := filepath.Join(w.config, "connectors", "hub.toml")
	before, items := w.read(file), len(w.kept())
	if again := w.cmd(docker, "login", r.host); engine {
		again.run().exits(0).says("Login Succeeded")
	} else { // it tries the engine, stores what it was handed out all the same, then asks
		again.onTerminal(answer{"Username", ""}, answer{"Password", r.password}).exits(0).says("Login Succeeded")
	}
	if after := w.read(file); after != before || before == "" {
		t.Fatalf("docker login changed the connector from\n%s\nto\n%s", before, after)
	}
	w.wantConnectors("hub")
	w.wantKeyring(items)
	w.wantLogin(r.host, r)
}

// TestDockerLoginWrongPassword types a wrong password at docker's own prompt.
func TestDockerLoginWrongPassword(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		w := newWorld(t, "docker login with a wrong password registers nothing")
		w.startKeyring()
		r := w.startRegistry(setup{})
		w.file(fmt.Sprintf(helperConfigs["credHelpers"], r.host), "home", ".docker", "config.json")
		w.cmd(docker, "login", r.host).onTerminal(answer{"Username", r.user}, answer{"Password", w.secret()}).fails()
		w.wantConnectors()
		w.wantKeyring(0)
	})
}

// TestIdentityToken has a token server that answers docker login with an identity
// token, which docker stores under the user name <token> and uses for pulls.
func TestIdentityToken(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		w := newWorld(t, "an identity token that docker login got is kept, and docker pushes and pulls with it")
		w.useEngine()
		w.startKeyring()
		r := w.startRegistry(setup{tokens: true, identity: true})
		w.file(fmt.Sprintf(helperConfigs["credHelpers"], r.host), "home", ".docker", "config.json")
		w.cmd(docker, "login", r.host).onTerminal(answer{"Username", r.user}, answer{"Password", r.password}).exits(0).says("Login Succeeded")
		var got login
		w.decode(w.get(r.host).run().exits(0), &got)
		if got.Username != "<token>" || got.Secret == r.password {
			t.Fatalf("the helper gives user name %q instead of the identity token's", got.Username)
		}
		c := dockerClient("", docker)
		ref := r.host + "/team/app:1"
		c.make(w, ref, w.unique("identity-"))
		c.push(w, ref).run().exits(0)
		c.drop(w, ref)
		c.pull(w, ref).run().exits(0)
	})
}
