//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// listed is what the tests read of `svcconn list -o json`.
type listed struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Type          string         `json:"type"`
	Configuration map[string]any `json:"configuration"`
	Secrets       []string       `json:"secrets"`
}

// agentStatus is what the tests read of `svcconn agent status -o json`.
type agentStatus struct {
	Running bool   `json:"running"`
	PID     int    `json:"pid"`
	Release string `json:"release"`
	Socket  string `json:"socket"`
	Kept    []any  `json:"kept"`
}

// registerArgs is the command that registers a registry, its password in a file.
func (w *world) registerArgs(name string, r *registry, more ...string) []string {
	password := w.file(r.password+"\n", w.unique("password"))
	args := []string{"svcconn", "register", name, "--type", "docker",
		"--set", "registry=" + r.host, "--set", "username=" + r.user, "--set", "password=@" + password}
	return append(args, more...)
}

// setArgs are the flags that set fields, but for empty ones; the values of secret ones are
// in files that removePasswords removes.
func (w *world) setArgs(fields map[string]string, secret map[string]bool) (args []string) {
	for field, value := range fields {
		if secret[field] {
			value = "@" + w.file(value, w.unique("password"))
		}
		if value != "" {
			args = append(args, "--set", field+"="+value)
		}
	}
	return args
}

// register runs a registration and removes the password file again.
func (w *world) register(name string, r *registry, more ...string) result {
	w.t.Helper()
	defer w.removePasswords()
	return w.cmd(w.registerArgs(name, r, more...)...).run()
}

// removePasswords removes the files that registerArgs made.
func (w *world) removePasswords() {
	files, _ := filepath.Glob(w.path("password*"))
	for _, file := range files {
		must(w.t, os.Remove(file))
	}
}

// connectors are the registered connectors.
func (w *world) connectors() []listed {
	w.t.Helper()
	var list []listed
	w.decode(w.ok("svcconn", "list", "-o", "json"), &list)
	return list
}

// wantConnectors requires these names and no others to be registered.
func (w *world) wantConnectors(names ...string) {
	w.t.Helper()
	var got []string
	for _, c := range w.connectors() {
		got = append(got, c.Name)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		w.t.Fatalf("registered connectors: %q, want %q", got, names)
	}
}

// wantKeyring requires the keyring to hold this many items.
func (w *world) wantKeyring(items int) {
	w.t.Helper()
	if got := w.kept(); len(got) != items {
		w.t.Fatalf("the keyring has %d items, want %d: %q", len(got), items, got)
	}
}

func (w *world) agent() agentStatus {
	w.t.Helper()
	var status agentStatus
	w.decode(w.ok("svcconn", "agent", "status", "-o", "json"), &status)
	return status
}

func (w *world) decode(res result, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(res.stdout), into); err != nil {
		w.t.Fatalf("%s: stdout is not the JSON that was asked for: %v\n%s", res.line, err, res.output())
	}
}

// login is what docker gets from a credential helper.
type login struct{ ServerURL, Username, Secret string }

// get asks the helper as docker does; what it prints is secret.
func (w *world) get(host string) *call {
	return w.cmd("docker-credential-svcconn", "get").input(host).revealing()
}

// wantLogin requires the helper to give the registry's own login.
func (w *world) wantLogin(host string, r *registry) {
	w.t.Helper()
	res := w.get(host).run().exits(0)
	var got login
	w.decode(res, &got)
	if got.Username != r.user || got.Secret != r.password {
		w.t.Fatalf("the helper gives another login for %s than was registered", host)
	}
}

// audited counts the entries of the audit log with an outcome.
func (w *world) audited(outcome string) int {
	w.t.Helper()
	count := 0
	for line := range strings.Lines(w.read(filepath.Join(w.config, "state", "audit.jsonl"))) {
		var entry struct {
			Outcome string `json:"outcome"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			w.t.Fatalf("the audit log has a line that is not JSON: %v", err)
		}
		if entry.Outcome == outcome {
			count++
		}
	}
	return count
}
