//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogoutRestores has files of docker's and podman's with a person's own
// layout and keys in them.
func TestLogoutRestores(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "login docker changes only our entry; logout docker restores both files byte by byte")
	need(t, "skopeo")
	docker := w.file("{\n\t\"auths\": {},\n\t\"HttpHeaders\": { \"X-Meta\": \"a\" },   \"psFormat\":\"table\"\n}", "home", ".docker", "config.json")
	podman := w.file("{ \"auths\" : { } }\n", "home", ".config", "containers", "auth.json")
	session := w.file("{\"auths\":{}}", "xdg", "containers", "auth.json")
	all := func() string { return w.read(docker) + w.read(podman) + w.read(session) }
	before := all()
	w.ok("svcconn", "login", "docker", "--dry-run", r.host).says(r.host)
	if after := all(); after != before {
		t.Fatalf("--dry-run changed a file:\n%s", after)
	}
	w.ok("svcconn", "login", "docker", r.host)
	for _, file := range []string{docker, podman} {
		if text := w.read(file); !strings.Contains(text, r.host) || !strings.Contains(text, `"svcconn"`) {
			t.Errorf("%s does not lead to us:\n%s", file, text)
		}
	}
	w.ok("skopeo", "login", "--get-login", r.host).prints(r.user)
	w.ok("svcconn", "login", "docker", r.host)
	w.ok("svcconn", "logout", "docker", r.host)
	if after := all(); after != before {
		t.Fatalf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestCredsStore has us as docker's store for everything.
func TestCredsStore(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		w, r := registered(t, "as credsStore the helper serves what is registered and leaves other registries to anonymous pulls")
		w.useEngine()
		w.file(`{"credsStore": "svcconn"}`, "home", ".docker", "config.json")
		need(t, "skopeo")
		other := w.startRegistry(setup{tokens: true, publicRepo: "open/app", password: "public"})
		open := other.host + "/open/app:1"
		w.ok("skopeo", "copy", "--dest-tls-verify=false", "--dest-creds=ada:public", "docker-archive:"+w.imageFile(open), "docker://"+open)
		w.ok(docker, "pull", open)
		w.ok(docker, "rmi", open)
		c := dockerClient("", docker)
		ref := r.host + "/team/app:1"
		c.make(w, ref, w.unique("store-"+r.host[len("127.0.0.1:"):]))
		c.push(w, ref).run().exits(0)
		c.drop(w, ref)
		c.pull(w, ref).run().exits(0)
	})
}

// TestDockerConfigVariable has DOCKER_CONFIG set, which moves docker's file and,
// for podman and skopeo, takes the place of their own.
func TestDockerConfigVariable(t *testing.T) {
	t.Parallel()
	for _, c := range []client{podmanClient(), craneClient(), skopeoClient()} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, r := registered(t, "login docker honours DOCKER_CONFIG, and "+c.name+" finds us through it")
			c.prepare(w)
			w.setenv("DOCKER_CONFIG", w.path("elsewhere"))
			w.ok("svcconn", "login", "docker", r.host)
			ref := r.host + "/team/app:1"
			c.make(w, ref, w.unique("moved"))
			c.push(w, ref).run().exits(0)
		})
	}
}

// TestAutoConfigure moves a login that docker keeps in clear text.
func TestAutoConfigure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "register --auto-configure moves docker's clear-text login into the keyring")
	w.startKeyring()
	r := w.startRegistry(setup{})
	auth := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	file := w.file(fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, r.host, auth), "home", ".docker", "config.json")
	w.ok("svcconn", "register", "hub", "--type", "docker", "--auto-configure", "--set", "registry="+r.host)
	w.wantLogin(r.host, r)
	if strings.Contains(w.read(file), auth) {
		t.Errorf("the login is still in %s", file)
	}
}

// TestHandEdit changes a connector's file with an editor.
func TestHandEdit(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "a connector's file edited by hand is in force at the next get; a broken one is reported, the others work")
	other := w.startRegistry(setup{})
	w.register("other", other).exits(0)
	w.wantLogin(r.host, r)
	file := filepath.Join(w.config, "connectors", "hub.toml")
	w.file(strings.ReplaceAll(w.read(file), r.user, "grace"), "svcconn", "connectors", "hub.toml")
	var got login
	w.decode(w.get(r.host).run().exits(0), &got)
	if got.Username != "grace" {
		t.Fatalf("after the edit the helper gives user name %q", got.Username)
	}
	w.file("this is = not [ TOML\n", "svcconn", "connectors", "hub.toml")
	w.wantLogin(other.host, other)
	w.cmd("svcconn", "describe", "hub").run().fails().says("hub.toml", "1")
}
