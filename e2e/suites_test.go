//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPodmanSuite runs podman's own login suite, unmodified, with its default
// authentication file leading to us. Left out are its two tests that start and
// stop a registry container, whose image is on the internet; ours stands in.
func TestPodmanSuite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "podman's own test/system/150-login.bats passes with our helper in its auth.json")
	podman := need(t, "podman")
	for _, tool := range []string{"bats", "skopeo", "jq"} {
		need(t, tool)
	}
	dir := moduleDir(t, "github.com/containers/podman/v4@v"+versionOf(podman, "--version"))
	w.startKeyring()
	w.useContainerStorage()
	pair := newAuthority(t).serverCert(t, time.Hour)
	r := w.startRegistry(setup{tls: &pair, hostname: "localhost", password: "written-to-files-by-the-suite"})
	w.file(fmt.Sprintf(`{"credHelpers": {%q: "svcconn"}}`, r.host), "xdg", "containers", "auth.json")
	w.ok("podman", "build", "--isolation", "chroot", "--tag", "localhost/e2e/testimage:1", w.buildContext("suite"))
	must(t, os.Mkdir(w.path("work"), 0o700))
	_, port, _ := strings.Cut(r.host, ":")
	w.cmd("bats", "--tap", "--filter", "^podman (login - |push )", filepath.Join(dir, "test", "system", "150-login.bats")).setenv(
		"PODMAN_TEST_IMAGE_REGISTRY=localhost", "PODMAN_TEST_IMAGE_USER=e2e", "PODMAN_TEST_IMAGE_NAME=testimage", "PODMAN_TEST_IMAGE_TAG=1",
		"PODMAN_LOGIN_WORKDIR="+w.path("work"), "PODMAN_LOGIN_USER="+r.user, "PODMAN_LOGIN_PASS="+r.password, "PODMAN_LOGIN_REGISTRY_PORT="+port,
	).within(3 * time.Minute).run().exits(0).says("ok 8 ")
	if w.audited("minted") == 0 {
		t.Error("the suite passed without asking our helper")
	}
	w.wantConnectors()
}

// moduleDir is where the Go module proxy's copy of a module lies.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	w := &world{t: t, root: suite.dir, env: append(os.Environ(), "GOFLAGS=-mod=mod")}
	var info struct{ Dir string }
	must(t, json.Unmarshal([]byte(w.ok("go", "mod", "download", "-json", module).stdout), &info))
	return info.Dir
}

// TestCraneAuth asks crane what it would send.
func TestCraneAuth(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "crane auth get prints what the helper gave it, and finds nothing for a stranger")
	need(t, "crane")
	w.ok("svcconn", "login", "docker", r.host)
	res := w.cmd("crane", "auth", "get", r.host).revealing().run().exits(0)
	var got login
	w.decode(res, &got)
	if got.Username != r.user || got.Secret != r.password {
		t.Fatal("crane has another login than was registered")
	}
	w.cmd("crane", "auth", "get", "other.example.com").run().fails().says("credentials not found in native keychain")
}

// TestSkopeoInspect is the black-box test of skopeo alone.
func TestSkopeoInspect(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "skopeo inspect and list-tags read a private repository through the helper")
	c := skopeoClient()
	c.prepare(w)
	w.ok("svcconn", "login", "docker", r.host)
	ref := r.host + "/team/app:1"
	c.make(w, ref, "")
	c.push(w, ref).run().exits(0)
	w.ok("skopeo", "inspect", "--tls-verify=false", "docker://"+ref).says(r.host + "/team/app")
	w.ok("skopeo", "list-tags", "--tls-verify=false", "docker://"+r.host+"/team/app").says(`"1"`)
}
