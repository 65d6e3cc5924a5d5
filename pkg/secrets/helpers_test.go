package secrets_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// passphrase is what the file stores of the tests are locked with: a canary too.
const passphrase = storetest.Canary + " correct horse"

// env makes a Getenv of names and values.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// answer is a person who knows the passphrase.
func answer(text string) secrets.Ask {
	return func(context.Context, string, bool) (secret.Text, error) { return secret.New(text), nil }
}

// open opens a Manager over a folder with what tests have in common.
func open(dir string, change ...func(*secrets.Config)) *secrets.Manager {
	config := secrets.Config{StateDir: dir, Getenv: env(), Keyring: &storetest.Keyring{}, WorkFactor: 2, Ask: answer(passphrase)}
	for _, f := range change {
		f(&config)
	}
	return secrets.Open(config)
}

func withAsk(ask secrets.Ask) func(*secrets.Config) {
	return func(c *secrets.Config) { c.Ask = ask }
}

func withIdentity(path string) func(*secrets.Config) {
	return func(c *secrets.Config) { c.IdentityFile = path }
}

func withEnv(pairs ...string) func(*secrets.Config) {
	return func(c *secrets.Config) { c.Getenv = env(pairs...) }
}

// fileStore is the file store of a Manager.
func fileStore(t *testing.T, m *secrets.Manager) secrets.Store {
	t.Helper()
	store, err := m.Named(secrets.FileName)
	must(t, err)
	return store
}

// write writes a private file into a folder of its own and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// stored lists what a file store keeps for keys.
func stored(dir string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		files, err := os.ReadDir(filepath.Join(dir, "secrets"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		var names []string
		for _, file := range files {
			if strings.Contains(file.Name(), ".secret.age") {
				names = append(names, file.Name())
			}
		}
		return names
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault checks the kind, that the message and the advice say each text, and that
// neither has a secret.
func wantFault(t *testing.T, err error, kind fault.Kind, texts ...string) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error is %v (%s), want one of kind %s", err, fault.KindOf(err), kind)
		return
	}
	said := err.Error() + "\n" + fault.HintOf(err)
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("error says %q, which lacks %q", said, text)
		}
	}
	if strings.Contains(said, storetest.Canary) {
		t.Errorf("error says a secret: %q", said)
	}
	if fault.HintOf(err) == "" && slices.Contains([]fault.Kind{fault.NeedsPerson, fault.Unavailable, fault.Denied}, kind) {
		t.Errorf("error %q has no advice", said)
	}
}

func wantValue(t *testing.T, store secrets.Store, key, want string) {
	t.Helper()
	got, err := store.Get(t.Context(), key)
	if err != nil || got.Reveal() != want {
		t.Errorf("reading %s: %d bytes, error %v; want %d bytes", key, got.Len(), err, len(want))
	}
}
