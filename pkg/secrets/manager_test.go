package secrets_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// broken is a keyring that answers every call with an error.
func broken(kind fault.Kind) func(*secrets.Config) {
	return func(c *secrets.Config) {
		c.Keyring = &storetest.Keyring{Before: func(context.Context, string, string) error {
			return fault.New(kind, "the OS keyring is broken").Hint("mend it")
		}}
	}
}

func withBackend(name string) func(*secrets.Config) {
	return func(c *secrets.Config) { c.Backend = name }
}

func TestDefaultStore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change   []func(*secrets.Config)
		want     string
		recorded bool
	}{
		"detected":                {nil, "keyring", true},
		"auto":                    {[]func(*secrets.Config){withBackend("auto")}, "keyring", true},
		"setting":                 {[]func(*secrets.Config){withBackend("file")}, "file", false},
		"setting, keyring broken": {[]func(*secrets.Config){withBackend("keyring"), broken(fault.Unavailable)}, "keyring", false},
		"variable over setting":   {[]func(*secrets.Config){withBackend("keyring"), withEnv("SVCCONN_SECRETS", "file")}, "file", false},
		"variable says auto":      {[]func(*secrets.Config){withBackend("file"), withEnv("SVCCONN_SECRETS", "auto")}, "keyring", true},
		"passphrase file":         {[]func(*secrets.Config){withEnv("SVCCONN_PASSPHRASE_FILE", "/none"), broken(fault.Unavailable)}, "file", true},
		"identity file":           {[]func(*secrets.Config){withIdentity("/none")}, "file", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			m := open(dir, test.change...)
			store, err := m.Default(t.Context())
			must(t, err)
			if store.Name() != test.want {
				t.Errorf("the default store is %s, want %s", store.Name(), test.want)
			}
			choice, err := m.Choose(t.Context())
			if err != nil || choice.Store != test.want || choice.Reason == "" {
				t.Errorf("choice %+v, error %v", choice, err)
			}
			content, err := os.ReadFile(inStore(dir, "default"))
			if recorded := err == nil && string(content) == test.want+"\n"; recorded != test.recorded {
				t.Errorf("recorded %q (error %v), want that: %t", content, err, test.recorded)
			}
		})
	}
}

func TestNoDefaultStore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*secrets.Config)
		kind   fault.Kind
		says   string
	}{
		"no keyring":        {broken(fault.Unavailable), fault.Unavailable, "mend it"},
		"locked keyring":    {broken(fault.NeedsPerson), fault.NeedsPerson, "mend it"},
		"unknown setting":   {withBackend("plaintext"), fault.Invalid, "secrets.backend"},
		"unknown variable":  {withEnv("SVCCONN_SECRETS", "Keyring"), fault.Invalid, "SVCCONN_SECRETS"},
		"empty is not file": {withBackend(""), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, err := open(dir, test.change).Default(t.Context())
			if test.kind == "" {
				must(t, err)
				return
			}
			wantFault(t, err, test.kind, test.says)
			if _, err := os.Stat(inStore(dir, "default")); !os.IsNotExist(err) {
				t.Error("a choice was recorded")
			}
		})
	}
}

// A keyring that is away tomorrow is an error, not a switch to files.
func TestRecordedDefaultStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := open(dir).Default(t.Context())
	must(t, err)
	later := open(dir, broken(fault.Unavailable), withIdentity("/some/identity"))
	store, err := later.Default(t.Context())
	must(t, err)
	if store.Name() != secrets.KeyringName {
		t.Errorf("the default became %s", store.Name())
	}
	wantFault(t, store.Put(t.Context(), key, secret.New(storetest.Canary)), fault.Unavailable, "broken")

	must(t, os.WriteFile(inStore(dir, "default"), []byte("plain\n"), 0o600))
	_, err = later.Default(t.Context())
	wantFault(t, err, fault.Failed, inStore(dir, "default"), "damaged")
}

func TestManyChooseTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var group sync.WaitGroup
	names := make([]string, 10)
	for i := range names {
		group.Go(func() {
			change := func(*secrets.Config) {}
			if i%2 == 0 { // half of the processes have no keyring
				change = withIdentity("/some/identity")
			}
			if store, err := open(dir, change).Default(t.Context()); err == nil {
				names[i] = store.Name()
			}
		})
	}
	group.Wait()
	for _, name := range names {
		if name != names[0] || name == "" {
			t.Fatalf("chosen at once: %v", names)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	m := open(t.TempDir())
	got := map[string]string{}
	for _, name := range []string{"keyring", "file"} {
		store, err := m.Named(name)
		must(t, err)
		got[name] = store.Name()
	}
	if diff := cmp.Diff(map[string]string{"keyring": "keyring", "file": "file"}, got); diff != "" {
		t.Error(diff)
	}
	_, err := m.Named("plain")
	wantFault(t, err, fault.Invalid, "plain", "keyring, file")
}
