//go:build e2e && linux

package e2e

import (
	"strings"
	"testing"

	protocol "github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
)

// oracle is docker's own client library, run against our helper.
func (w *world) oracle() protocol.ProgramFunc {
	env := map[string]string{}
	for _, kv := range w.env {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	return protocol.NewShellProgramFuncWithEnv(w.find("docker-credential-svcconn"), &env)
}

// TestOracle covers the protocol as docker's own library speaks it: every verb,
// and the errors that it knows by their text.
func TestOracle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "docker-credential-helpers' client stores, gets, lists and erases, and recognises our errors")
	w.startKeyring()
	program, host := w.oracle(), "registry.example.com"
	if _, err := protocol.Get(program, host); !credentials.IsErrCredentialsNotFound(err) {
		t.Fatalf("get of an unknown host: %v", err)
	}
	if err := protocol.Erase(program, host); err != nil {
		t.Fatalf("erase of an unknown host: %v", err)
	}
	stored := credentials.Credentials{ServerURL: host, Username: "ada", Secret: w.secret()}
	must(t, protocol.Store(program, &stored))
	list, err := protocol.List(program)
	must(t, err)
	if len(list) != 1 || list[host] != "ada" {
		t.Fatalf("list: %v", list)
	}
	got, err := protocol.Get(program, host)
	must(t, err)
	if got.Username != stored.Username || got.Secret != stored.Secret {
		t.Fatal("get gives another login than was stored")
	}
	must(t, protocol.Erase(program, host))
	if _, err := protocol.Get(program, host); !credentials.IsErrCredentialsNotFound(err) {
		t.Fatalf("get after erase: %v", err)
	}
	w.wantConnectors()
	w.wantKeyring(0)
}

// TestOracleErrors covers the messages that the library turns into its own errors.
func TestOracleErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "docker-credential-helpers' client recognises a missing server URL and a missing user name")
	w.startKeyring()
	program := w.oracle()
	if _, err := protocol.Get(program, ""); !credentials.IsCredentialsMissingServerURLMessage(quoted(err)) {
		t.Errorf("get without server URL: %v", err)
	}
	if err := protocol.Erase(program, ""); !credentials.IsCredentialsMissingServerURLMessage(quoted(err)) {
		t.Errorf("erase without server URL: %v", err)
	}
	for text, c := range map[string]credentials.Credentials{
		"no credentials server URL": {Username: "ada", Secret: "x"},
		"no credentials username":   {ServerURL: "registry.example.com", Secret: "x"},
	} {
		if err := protocol.Store(program, &c); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("store of %q: %v", text, err)
		}
	}
	list, err := protocol.List(program)
	if err != nil || len(list) != 0 {
		t.Errorf("list of nothing: %v, %v", list, err)
	}
}

// quoted is the helper's output as the library's error has it: after "out: `".
func quoted(err error) string {
	if err == nil {
		return ""
	}
	_, text, _ := strings.Cut(err.Error(), "out: `")
	return strings.TrimSuffix(text, "`")
}

// TestOracleSpellings covers the ways in which clients write a registry.
func TestOracleSpellings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "every spelling of a registry, Docker Hub's among them, reaches the same login")
	w.startKeyring()
	program := w.oracle()
	for stored, spellings := range map[string][]string{
		"registry.example.com": {"registry.example.com:443", "https://registry.example.com", "http://registry.example.com/", "https://registry.example.com/v1/",
			"https://registry.example.com/v2/", "registry.example.com/team/app", "REGISTRY.example.com", "registry.example.com."},
		"https://index.docker.io/v1/": {"docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1", "https://registry-1.docker.io/v2/"},
	} {
		secret := w.secret()
		must(t, protocol.Store(program, &credentials.Credentials{ServerURL: stored, Username: "ada", Secret: secret}))
		for _, spelling := range append(spellings, stored) {
			if got, err := protocol.Get(program, spelling); err != nil || got.Secret != secret {
				t.Errorf("get %q after store %q: %v", spelling, stored, err)
			}
		}
	}
	for _, stranger := range []string{"registry.example.com.evil.tld", "evil.registry.example.com", "registry.example.com:5000", "registry.example.com@evil.tld", "docker.io.evil.tld"} {
		if _, err := protocol.Get(program, stranger); err == nil {
			t.Errorf("%q is handed a login that is not its own", stranger)
		}
	}
}

// TestOracleSizes covers secrets beyond what a pipe, a line or a keyring item holds.
func TestOracleSizes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "secrets from 1 byte to 200 KiB come back byte by byte, also with characters that JSON escapes")
	w.startKeyring()
	program := w.oracle()
	for _, size := range []int{1, 2560, 4096, 64<<10 - 1, 64<<10 + 1, 200 << 10} {
		secret := strings.Repeat("\"<&>\\\u2028é ", size/12) + strings.Repeat("x", size%12)
		c := credentials.Credentials{ServerURL: "registry.example.com", Username: "ada", Secret: secret}
		must(t, protocol.Store(program, &c))
		if got, err := protocol.Get(program, c.ServerURL); err != nil || got.Secret != secret {
			t.Errorf("%d bytes do not come back: %v", size, err)
		}
	}
	must(t, protocol.Erase(program, "registry.example.com"))
	w.wantKeyring(0)
}
