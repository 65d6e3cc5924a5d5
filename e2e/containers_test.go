//go:build e2e && linux

package e2e

import (
	"fmt"
	"testing"
)

// The ways in which podman and skopeo find a helper; both ignore credsStore.
var containersConfigs = map[string]func(w *world, host string){
	"auth.json": func(w *world, host string) {
		w.file(fmt.Sprintf(`{"credHelpers": {%q: "svcconn"}}`, host), "xdg", "containers", "auth.json")
	},
	"registries.conf": func(w *world, _ string) {
		w.file(`credential-helpers = ["svcconn"]`+"\n", "home", ".config", "containers", "registries.conf")
	},
}

// TestContainersLogin covers podman and skopeo, whose login and logout are their
// own code, not docker's.
func TestContainersLogin(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"podman", "skopeo", "buildah"} {
		for key, configure := range containersConfigs {
			t.Run(tool+"/"+key, func(t *testing.T) {
				t.Parallel()
				containersLogin(t, tool, configure)
			})
		}
	}
}

func containersLogin(t *testing.T, tool string, configure func(*world, string)) {
	w := newWorld(t, tool+" login stores, --get-login reads, logout and logout --all erase through the helper")
	need(t, tool)
	w.useContainerStorage()
	w.startKeyring()
	r := w.startRegistry(setup{tokens: true})
	configure(w, r.host)
	signIn := func() {
		t.Helper()
		w.cmd(tool, "login", "--tls-verify=false", "--username", r.user, "--password-stdin", r.host).input(r.password).run().exits(0)
		w.wantLogin(r.host, r)
	}
	signIn()
	w.ok(tool, "login", "--get-login", r.host).prints(r.user)
	w.ok(tool, "logout", r.host)
	w.wantConnectors()
	signIn()
	w.ok(tool, "logout", "--all")
	w.wantConnectors()
	w.wantKeyring(0)
	w.cmd(tool, "login", "--get-login", r.host).run().fails()
}

// TestContainersRead covers a connector that was registered, reached through each
// file that podman and skopeo read.
func TestContainersRead(t *testing.T) {
	t.Parallel()
	for key, configure := range containersConfigs {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "skopeo and podman read a registered login through "+key)
			w.startKeyring()
			r := w.startRegistry(setup{})
			w.register("hub", r).exits(0)
			c := skopeoClient()
			c.prepare(w)
			c.make(w, r.host+"/team/app:1", "")
			c.push(w, r.host+"/team/app:1").run().refused()
			configure(w, r.host)
			c.push(w, r.host+"/team/app:1").run().exits(0)
			podman := podmanClient()
			podman.prepare(w)
			podman.pull(w, r.host+"/team/app:1").run().exits(0)
		})
	}
}

// TestHelm covers helm, which reads helpers through oras-go.
func TestHelm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "helm (oras-go) pushes and pulls a chart, and its registry login and logout store and erase")
	need(t, "helm")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.setenv("HELM_REGISTRY_CONFIG", w.file(fmt.Sprintf(helperConfigs["credHelpers"], r.host), "helm", "config.json"))
	w.cmd("helm", "registry", "login", "--plain-http", "--username", r.user, "--password-stdin", r.host).input(r.password).run().exits(0)
	w.wantLogin(r.host, r)
	w.file("apiVersion: v2\nname: chart\nversion: 1.0.0\n", "chart", "Chart.yaml")
	w.ok("helm", "package", w.path("chart"))
	w.ok("helm", "push", "--plain-http", w.path("chart-1.0.0.tgz"), "oci://"+r.host+"/charts")
	w.ok("helm", "pull", "--plain-http", "oci://"+r.host+"/charts/chart", "--version", "1.0.0", "--destination", w.path("tmp"))
	w.ok("helm", "registry", "logout", r.host)
	w.wantConnectors()
	w.cmd("helm", "pull", "--plain-http", "oci://"+r.host+"/charts/chart", "--version", "1.0.0").run().refused()
}
