package clientconfig

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The real tools, a registry that wants a login, and a helper that has one.
type realTools struct {
	*setup
	host  string
	short string // a folder with a short name, for sockets and podman
	mu    sync.Mutex
	user  string // who logged in last
}

const helperUser = "from-the-helper"

func newRealTools(t *testing.T) *realTools {
	t.Helper()
	r := &realTools{setup: newSetup(t)}
	r.LookPath = exec.LookPath
	registry := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(registry.Close)
	r.host = strings.TrimPrefix(registry.URL, "http://")
	var err error
	if r.short, err = os.MkdirTemp("", "cc"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(r.short) })
	listener, err := net.Listen("unix", r.short+"/docker.sock")
	if err != nil {
		t.Fatal(err)
	}
	daemon := httptest.NewUnstartedServer(http.HandlerFunc(r.serveDocker))
	_ = daemon.Listener.Close()
	daemon.Listener = listener
	daemon.Start()
	t.Cleanup(daemon.Close)
	r.write("run/x", "")
	r.vars["XDG_RUNTIME_DIR"] = filepath.Join(r.Home, "run")
	for _, name := range []string{"svcconn", "other"} {
		path := r.write("bin/docker-credential-"+name, "#!/bin/sh\nread -r url\n"+
			`echo "{\"ServerURL\":\"$url\",\"Username\":\"`+helperUser+`-`+name+`\",\"Secret\":\"s\"}"`+"\n")
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *realTools) serve(w http.ResponseWriter, request *http.Request) {
	user, _, ok := request.BasicAuth()
	if !ok || user == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.mu.Lock()
	r.user = user
	r.mu.Unlock()
	r.came(user)
	w.WriteHeader(http.StatusNotFound) // no images here
}

// serveDocker is a docker daemon as far as `docker pull` hands it its login.
func (r *realTools) serveDocker(w http.ResponseWriter, request *http.Request) {
	if strings.HasSuffix(request.URL.Path, "/_ping") {
		w.Header().Set("API-Version", "1.41")
		return
	}
	var login struct{ Username string }
	text, err := base64.URLEncoding.DecodeString(request.Header.Get("X-Registry-Auth"))
	if err == nil && json.Unmarshal(text, &login) == nil {
		r.came(login.Username)
	}
	w.WriteHeader(http.StatusNotFound)
}

func (r *realTools) came(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user = user
}

// run starts a tool and returns as whom it came to the registry; "" is as nobody.
func (r *realTools) run(command ...string) string {
	r.t.Helper()
	r.came("")
	cmd := exec.CommandContext(r.t.Context(), command[0], command[1:]...)
	cmd.Env = []string{"HOME=" + r.Home, "PATH=" + filepath.Join(r.Home, "bin") + ":" + os.Getenv("PATH"), "DOCKER_HOST=unix://" + r.short + "/docker.sock",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + r.short + "/no-bus"} // or podman, without root, starts one that stays
	for name, value := range r.vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, _ := cmd.CombinedOutput() // there is no image, so it fails; what counts is who asked
	r.t.Logf("%s: %s", command[0], out)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.user
}

// pull is the command by which a tool asks the registry for an image.
func (r *realTools) pull(tool string) []string {
	image := r.host + "/team/app:1"
	store := []string{"--root", r.short + "/root", "--runroot", r.short + "/run", "--storage-driver", "vfs"}
	switch tool {
	case "skopeo":
		return []string{"skopeo", "inspect", "--tls-verify=false", "docker://" + image}
	case "podman":
		store = append(store, "--tmpdir", r.short+"/tmp")
	case "docker":
		return []string{"docker", "pull", image}
	}
	return append(append([]string{tool}, store...), "pull", "--tls-verify=false", image)
}

func needTool(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil && runtime.GOOS == "linux" {
		return
	}
	message := "needs " + tool + " on Linux: apt-get install docker.io skopeo podman buildah"
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// After a login every tool asks svcconn, be there a plain-text login of podman's or
// not, before and after a reboot; after a logout none does.
func TestToolsComeToUs(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"skopeo", "podman", "buildah", "docker"} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			needTool(t, tool)
			r := newRealTools(t)
			r.write("run/containers/auth.json", r.plain("runtime"))
			r.docker(`{"credHelpers": {"` + r.host + `": "other"}}`)
			who := func() string { return r.run(r.pull(tool)...) }
			before := who()
			r.login(r.host)
			if got := who(); got != helperUser+"-svcconn" {
				t.Errorf("after login it comes as %q", got)
			}
			if err := os.RemoveAll(filepath.Join(r.Home, "run", "containers")); err != nil {
				t.Fatal(err)
			}
			if got := who(); got != helperUser+"-svcconn" {
				t.Errorf("after a reboot it comes as %q", got)
			}
			r.logout()
			r.write("run/containers/auth.json", r.plain("runtime"))
			if got := who(); got != before {
				t.Errorf("after logout it comes as %q, before as %q", got, before)
			}
		})
	}
}

// plain is a file with a plain-text login for the registry.
func (r *realTools) plain(user string) string { return r.plainAt(r.host, user) }

func (r *realTools) plainAt(key, user string) string {
	return fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, key, base64.StdEncoding.EncodeToString([]byte(user+":x")))
}

// What ExplainDocker says is what the tools do.
func TestExplainAgreesWithTools(t *testing.T) {
	t.Parallel()
	needTool(t, "skopeo")
	needTool(t, "docker")
	const dockers, lasting, volatile = ".docker/config.json", ".config/containers/auth.json", "run/containers/auth.json"
	helpers := func(r *realTools, name string) string { return fmt.Sprintf(`{"credHelpers": {%q: %q}}`, r.host, name) }
	for name, prepare := range map[string]func(r *realTools){
		"docker's file":           func(r *realTools) { r.docker(helpers(r, helper)) },
		"docker's file, any case": func(r *realTools) { r.docker(strings.ToLower(helpers(r, helper))) },
		"docker's file, other":    func(r *realTools) { r.docker(helpers(r, "other")) },
		"docker's store":          func(r *realTools) { r.docker(`{"credsStore": "svcconn"}`) },
		"docker's plain text":     func(r *realTools) { r.docker(r.plain("plain")) },
		"docker's old plain text": func(r *realTools) { r.docker(r.plainAt("http://"+r.host+"/v1/", "plain")) },
		"store and plain text":    func(r *realTools) { r.docker(strings.Replace(r.plain("plain"), "{", `{"credsStore": "svcconn", `, 1)) },
		"exempt from the store":   func(r *realTools) { r.docker(strings.Replace(helpers(r, ""), "{", `{"credsStore": "svcconn", `, 1)) },
		"byte order mark":         func(r *realTools) { r.docker("\ufeff" + helpers(r, helper)) },
		"comment":                 func(r *realTools) { r.docker("// no\n" + helpers(r, helper)) },
		"DOCKER_CONFIG": func(r *realTools) {
			r.vars["DOCKER_CONFIG"] = filepath.Dir(r.write("d/config.json", helpers(r, helper)))
		},
		"lasting":             func(r *realTools) { r.write(lasting, helpers(r, helper)) },
		"volatile":            func(r *realTools) { r.write(volatile, helpers(r, helper)) },
		"volatile plain text": func(r *realTools) { r.write(lasting, helpers(r, helper)); r.write(volatile, r.plain("plain")) },
		"volatile address": func(r *realTools) {
			r.write(lasting, helpers(r, helper))
			r.write(volatile, r.plainAt("https://"+r.host+"/v1/", "plain"))
		},
		"volatile plain elsewhere": func(r *realTools) {
			r.write(lasting, helpers(r, helper))
			r.write(volatile, r.plainAt("x"+r.host, "plain"))
		},
		"volatile marker": func(r *realTools) {
			r.write(lasting, helpers(r, helper))
			r.write(volatile, fmt.Sprintf(`{"auths": {%q: {}}}`, r.host))
		},
		"volatile empty file":     func(r *realTools) { r.write(lasting, helpers(r, helper)); r.write(volatile, "") },
		"lasting before docker's": func(r *realTools) { r.write(lasting, helpers(r, "other")); r.docker(helpers(r, helper)) },
		"helper before plain text": func(r *realTools) {
			r.write(lasting, strings.TrimSuffix(helpers(r, helper), "}")+","+r.plain("plain")[1:])
		},
		"REGISTRY_AUTH_FILE": func(r *realTools) { r.vars["REGISTRY_AUTH_FILE"] = r.write("a.json", helpers(r, helper)) },
		"variable of docker": func(r *realTools) {
			r.docker(helpers(r, helper))
			if dockerSince(r.t, 28, 3) {
				r.vars["DOCKER_AUTH_CONFIG"] = r.plain("variable")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRealTools(t)
			prepare(r)
			r.checkExplained()
		})
	}
}

func (r *realTools) checkExplained() {
	r.t.Helper()
	findings := ExplainDocker(r.Env, []string{r.host})
	for i, tool := range []string{"docker", "skopeo"} {
		if got := r.run(r.pull(tool)...); findings[i].Leads != (got == helperUser+"-svcconn") {
			r.t.Errorf("%s comes as %q, but: %+v", tool, got, findings[i])
		}
	}
}

// dockerSince reports whether the installed docker is of the version or a later one.
func dockerSince(t *testing.T, major, minor int) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "--version").Output()
	var gotMajor, gotMinor int
	if _, scan := fmt.Sscanf(string(out), "Docker version %d.%d", &gotMajor, &gotMinor); err != nil || scan != nil {
		t.Fatalf("docker --version: %s, %v", out, err)
	}
	return gotMajor > major || gotMajor == major && gotMinor >= minor
}
