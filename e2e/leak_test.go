//go:build e2e && linux

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNoLeak takes every way that a secret can go in, with all three programs and
// every child of theirs writing down its arguments and environment.
func TestNoLeak(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "no secret is in argv or environment of any process of ours, nor in any file, log or output")
	trace := w.traceStarts()
	w.startKeyring()
	basic, tokens := w.startRegistry(setup{}), w.startRegistry(setup{tokens: true})
	w.register("file", basic).exits(0)
	args := []string{"svcconn", "register", "stdin", "--type", "docker", "--set", "registry=" + tokens.host, "--set", "username=" + tokens.user, "--set", "password=-"}
	w.cmd(args...).input(tokens.password).run().exits(0)
	w.cmd("docker-credential-svcconn", "store").input(`{"ServerURL":"other.example.com","Username":"ada","Secret":"` + w.plainSecret() + `"}`).run().exits(0)
	for _, argv := range [][]string{
		{"svcconn", "list", "-o", "json"}, {"svcconn", "describe", "file", "-o", "yaml"}, {"svcconn", "verify", "stdin"}, {"svcconn", "list-resources"},
		{"svcconn", "describe", "file", "--client", "--resource-type", "docker-registry", "--resource-name", basic.host},
		{"svcconn", "explain", basic.host}, {"svcconn", "agent", "status"}, {"svcconn", "login", "docker", basic.host}, {"docker-credential-svcconn", "list"},
	} {
		w.ok(argv...)
	}
	w.wantLogin(basic.host, basic)
	w.wantLogin(tokens.host, tokens)
	wrong := *basic
	wrong.password = w.secret()
	w.register("wrong", &wrong).exits(4)
	if w.read(trace) == "" {
		t.Fatal("nothing was traced")
	}
}

// plainSecret is a secret that needs no escaping.
func (w *world) plainSecret() string { return w.secret()[9:] }

// traceStarts puts a script in the place of each program, twice deep, so that the
// children of programs are traced as well: a program looks for svcconn beside
// itself. It returns the file of what was started with what environment.
func (w *world) traceStarts() string {
	w.t.Helper()
	trace := w.path("trace")
	outer, inner := w.bin, filepath.Join(w.bin, "inner")
	must(w.t, os.MkdirAll(filepath.Join(inner, "real"), 0o700))
	for _, program := range programs {
		must(w.t, os.Rename(filepath.Join(outer, program), filepath.Join(inner, "real", program)))
		script(w.t, filepath.Join(outer, program), trace, filepath.Join(inner, program))
		must(w.t, os.Link(filepath.Join(inner, "real", program), filepath.Join(inner, program)))
	}
	must(w.t, os.Remove(filepath.Join(inner, "svcconn")))
	script(w.t, filepath.Join(inner, "svcconn"), trace, filepath.Join(inner, "real", "svcconn"))
	return trace
}

// script writes a shell script that notes its arguments and environment and
// becomes another program.
func script(t *testing.T, path, notes, program string) {
	t.Helper()
	text := "#!/bin/sh\n{ echo \"$0\" \"$@\"; env; } >>" + notes + "\nexec " + program + " \"$@\"\n"
	must(t, os.WriteFile(path, []byte(text), 0o700))
}

// TestAgentEnvironment has the shell that happens to start the agent hold a
// password and another account's keys.
func TestAgentEnvironment(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "the agent inherits no credential variables of the shell that started it")
	w.ok("svcconn", "agent", "stop")
	const key = "AKIAE2EFOREIGNKEY000"
	w.get(r.host).setenv("AWS_ACCESS_KEY_ID="+key, "DOCKER_AUTH_CONFIG={}", "MY_PASSWORD="+w.secret()).run().exits(0)
	environ := w.read("/proc/" + strconv.Itoa(w.agent().PID) + "/environ")
	for _, foreign := range []string{key, "DOCKER_AUTH_CONFIG", "MY_PASSWORD"} {
		if strings.Contains(environ, foreign) {
			t.Errorf("the agent's environment has %s", foreign)
		}
	}
}

// TestEnvironmentSecret registers with the password in an environment variable,
// read once; the agent must not keep the variable.
func TestEnvironmentSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a password from an environment variable is stored once and lives in no process's environment after")
	w.startKeyring()
	r := w.startRegistry(setup{})
	args := []string{"svcconn", "register", "hub", "--type", "docker", "--set", "registry=" + r.host, "--set", "username=" + r.user, "--set", "password=env:REGISTRY_PASSWORD"}
	w.cmd(args...).setenv("REGISTRY_PASSWORD=" + r.password).run().exits(0)
	w.wantLogin(r.host, r)
}
