//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestPasswordPrompt leaves the password out on a terminal.
func TestPasswordPrompt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "register asks for the password on a terminal and does not show it")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.cmd("svcconn", "register", "hub", "--type", "docker", "--set", "registry="+r.host, "--set", "username="+r.user).
		onTerminal(answer{"password", r.password}).exits(0)
	w.wantLogin(r.host, r)
}

// TestNobodyThere leaves the password out where nobody can be asked.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "without a terminal register asks nothing: it says at once how to give the password")
	w.startKeyring()
	r := w.startRegistry(setup{})
	w.cmd("svcconn", "register", "hub", "--type", "docker", "--set", "registry="+r.host, "--set", "username="+r.user).
		within(10*time.Second).run().fails().says("password", "--set password=@")
	w.wantConnectors()
}

// TestAmbiguous has two connectors for one registry.
func TestAmbiguous(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "two connectors for one registry are an error that names both, settled by login --connector")
	second := *r
	w.register("second", &second).exits(0)
	w.get(r.host).run().exits(1).says("hub", "second", "--connector")
	w.cmd("svcconn", "credential", "--resource-type", "docker-registry", "--resource-name", r.host, "--format", "json").run().exits(7).says("hub", "second")
	w.ok("docker-credential-svcconn", "list").prints("{}")
	w.ok("svcconn", "login", "docker", "--connector", "second", r.host)
	w.wantLogin(r.host, r)
	w.ok("svcconn", "explain", r.host).says("second")
}

// TestMachineReadable reads as a script does: JSON on stdout alone, failures as
// JSON on stderr, exit codes that tell them apart.
func TestMachineReadable(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "-o json: results on stdout, failures as kind, message and hint on stderr, exit codes as documented")
	for _, argv := range [][]string{
		{"list"}, {"describe", "hub"}, {"verify", "hub"}, {"list-resources"}, {"list-types"}, {"explain", r.host}, {"agent", "status"},
	} {
		res := w.ok(append(append([]string{"svcconn"}, argv...), "-o", "json")...)
		if !json.Valid([]byte(res.stdout)) {
			t.Errorf("%s: stdout is not JSON:\n%s", res.line, res.stdout)
		}
	}
	for _, c := range []struct {
		argv []string
		kind string
		code int
	}{
		{[]string{"describe", "hubb"}, "not-found", 3},
		{[]string{"describe-type", "dokcer"}, "not-found", 3},
		{[]string{"list", "--sort", "nonsense"}, "invalid", 2},
	} {
		res := w.cmd(append(append([]string{"svcconn"}, c.argv...), "-o", "json")...).run()
		var failure struct {
			Error struct{ Kind, Message, Hint string }
		}
		lines := strings.Split(strings.TrimSpace(res.stderr), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &failure); err != nil {
			t.Errorf("%s: the last line of stderr is not JSON: %v\n%s", res.line, err, res.stderr)
		}
		if res.code != c.code || failure.Error.Kind != c.kind || failure.Error.Message == "" || strings.TrimSpace(res.stdout) != "" {
			t.Errorf("%s: exit code %d, %+v, stdout %q; want %d, kind %s", res.line, res.code, failure, res.stdout, c.code, c.kind)
		}
	}
}
