//go:build e2e && linux

package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestBadRegistration gives register what people get wrong.
func TestBadRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "what is wrong in a registration is an error with its exit code and the next step, nothing half-written")
	w.startKeyring()
	r := w.startRegistry(setup{})
	password := w.file(r.password, "password")
	website := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("<html>hello</html>")) }))
	defer website.Close()
	valid := map[string]string{"registry": r.host, "username": r.user, "password": "@" + password}
	for _, c := range []struct {
		name, kind string
		set        map[string]string
		more       []string
		code       int
		says       []string
	}{
		{name: "unknown type", kind: "dokcer", code: 2, says: []string{"dokcer", "docker"}},
		{name: "unknown method", more: []string{"--auth-method", "pasword"}, code: 2, says: []string{"pasword", "password"}},
		{name: "unknown field", set: map[string]string{"usrname": "ada"}, code: 2, says: []string{"usrname", "username"}},
		{name: "missing field", set: map[string]string{"username": ""}, code: 2, says: []string{"username"}},
		{name: "secret in argv", set: map[string]string{"password": "literal-in-argv"}, code: 2, says: []string{"password", "@"}},
		{name: "malformed registry", set: map[string]string{"registry": "not a registry"}, code: 2, says: []string{"registry"}},
		{name: "repository as registry", set: map[string]string{"registry": "user/repo"}, code: 2, says: []string{"user/repo"}},
		{name: "unreachable registry", set: map[string]string{"registry": closedPort(t)}, code: 5, says: []string{"refused"}},
		{name: "not a registry", set: map[string]string{"registry": strings.TrimPrefix(website.URL, "http://")}, code: -1, says: []string{"registry"}},
		{name: "missing file", set: map[string]string{"password": "@/no/such/file"}, code: -1, says: []string{"/no/such/file"}},
		{name: "expiry in the past", more: []string{"--expires-at", "2001-01-01T00:00:00Z"}, code: 2, says: []string{"2001"}},
		{name: "unknown flag", more: []string{"--pasword", "x"}, code: 2, says: []string{"pasword"}},
	} {
		args := []string{"svcconn", "register", "hub", "--type", or(c.kind, "docker")}
		res := w.cmd(append(append(args, setFlags(valid, c.set)...), c.more...)...).run().fails().says(c.says...)
		if c.code >= 0 && res.code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s", c.name, res.code, c.code, res.output())
		}
		if strings.Contains(res.output(), "literal-in-argv") {
			t.Errorf("%s: repeats the secret", c.name)
		}
	}
	must(t, os.Remove(password))
	w.wantConnectors()
	w.wantKeyring(0)
}

// setFlags are --set flags of the valid values, some replaced; "" leaves one out.
func setFlags(valid, instead map[string]string) []string {
	values := map[string]string{}
	for _, m := range []map[string]string{valid, instead} {
		for name, value := range m {
			values[name] = value
		}
	}
	var flags []string
	for name, value := range values {
		if value != "" {
			flags = append(flags, "--set", name+"="+value)
		}
	}
	return flags
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

// TestNameTaken registers two connectors of one name.
func TestNameTaken(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "a name that is taken is refused, and the connector that has it stays as it was")
	before := w.files(w.config)
	items := len(w.kept())
	w.register("hub", r).fails().says("hub", "update")
	if after := w.files(w.config); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	w.wantKeyring(items)
}

// TestBadStdin gives the helper what no client should send.
func TestBadStdin(t *testing.T) {
	t.Parallel()
	w, r := registered(t, "the helper answers empty, oversized and binary input and unknown verbs with an error, quickly")
	const absent = "credentials not found in native keychain"
	helper := "docker-credential-svcconn"
	w.cmd(helper, "get").run().exits(1).prints("no credentials server URL")
	w.cmd(helper, "erase").input(" \n").run().exits(1).prints("no credentials server URL")
	w.cmd(helper, "store").input(`{"ServerURL":"","Username":"a","Secret":"b"}`).run().exits(1).prints("no credentials server URL")
	w.cmd(helper, "store").input(`{"ServerURL":"` + r.host + `","Username":"","Secret":"b"}`).run().exits(1).prints("no credentials username")
	w.cmd(helper, "store").input("not json").run().exits(1)
	w.cmd(helper, "get").input("\x00\xff\xfe\x80 \x1b[31m").run().exits(1)
	w.cmd(helper, "get").input(strings.Repeat("a", 40<<20)).run().exits(1)
	w.cmd(helper, "store").input(strings.Repeat("{", 40<<20)).run().exits(1)
	w.cmd(helper, "get").input("other.example.com").run().exits(1).prints(absent)
	w.cmd(helper, "get").input("127.0.0.1.evil.example.com").run().exits(1).prints(absent)
	w.cmd(helper, "frobnicate").input(r.host).run().exits(1).says("unknown action: frobnicate")
	w.cmd(helper).run().exits(1).says("usage")
	w.cmd(helper, "list").input("unused\x00\xff").run().exits(0).says(r.host)
	w.cmd(helper, "erase").input("other.example.com").run().exits(0)
	w.ok(helper, "version")
	w.wantLogin(r.host, r)
}
