package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/keyringtest"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// use sets the environment of a child.
func use(t *testing.T, env []string) {
	t.Helper()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		must(t, os.Setenv(name, value))
	}
}

func TestRealKeyringConformance(t *testing.T) {
	inChild(t, func(t *testing.T) {
		k := keyringtest.StartKeyring(t)
		use(t, k.Env)
		var opened atomic.Int32
		storetest.Run(t, func(t *testing.T) storetest.Subject {
			service, dir := fmt.Sprint("test-", opened.Add(1)), t.TempDir()
			return storetest.Subject{
				Store:   secrets.OpenKeyringStore(secrets.OSKeyring(service), dir, secrets.EntryLimit),
				Kept:    func(*testing.T) []string { return k.Accounts(service) },
				Folders: []string{dir, k.Folder},
			}
		})
	})
}

// realKeyring opens a Manager over the keyring of the environment.
func realKeyring(t *testing.T, change ...func(*secrets.Config)) (*secrets.Manager, secrets.Store) {
	t.Helper()
	m := open(t.TempDir(), slices.Insert(change, 0, func(c *secrets.Config) { c.Keyring, c.Timeout = nil, time.Minute })...)
	store, err := m.Named(secrets.KeyringName)
	must(t, err)
	return m, store
}

func TestLockedKeyring(t *testing.T) {
	inChild(t, func(t *testing.T) {
		k := keyringtest.StartKeyring(t)
		use(t, k.Env)
		m, store := realKeyring(t)
		long := storetest.Value(200_000, "long")
		must(t, store.Put(t.Context(), key, secret.New(storetest.Canary)))
		must(t, store.Put(t.Context(), "long/1", long))
		k.Lock()
		_, getErr := store.Get(t.Context(), key)
		_, defaultErr := m.Default(t.Context())
		for what, err := range map[string]error{
			"get": getErr, "default": defaultErr, "delete": store.Delete(t.Context(), key),
			"put": store.Put(t.Context(), "new/1", secret.New(storetest.Canary)),
		} {
			t.Log(what)
			wantFault(t, err, fault.NeedsPerson, "the OS keyring is locked: its collection login", "unlock", `secrets.backend = "file"`)
		}
		k.Unlock()
		wantValue(t, store, key, storetest.Canary)
		wantValue(t, store, "long/1", long.Reveal())
		must(t, store.Delete(t.Context(), key))
		must(t, store.Delete(t.Context(), "long/1"))
		if left := k.Accounts("svcconn"); len(left) != 0 {
			t.Errorf("left after deletion: %v", left)
		}
		if choice, err := m.Choose(t.Context()); err != nil || choice.Store != secrets.KeyringName {
			t.Errorf("choice %+v, error %v", choice, err)
		}
	})
}

func TestNoKeyring(t *testing.T) {
	inChild(t, func(t *testing.T) {
		noBus := []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + t.TempDir() + "/none"}
		for says, env := range map[string][]string{"no D-Bus session bus": noBus, "Secret Service": keyringtest.StartBus(t)} {
			use(t, env)
			m, store := realKeyring(t)
			_, getErr := store.Get(t.Context(), key)
			_, defaultErr := m.Default(t.Context())
			for _, err := range []error{getErr, defaultErr, store.Put(t.Context(), key, secret.New(storetest.Canary)), store.Delete(t.Context(), key)} {
				wantFault(t, err, fault.Unavailable, "the OS keyring is not available", says, `secrets.backend = "file"`, "SVCCONN_SECRETS=file", "gnome-keyring")
			}
		}
	})
}

// A service that has the name and never answers is what a keyring behind an open
// prompt looks like.
func TestKeyringThatNeverAnswers(t *testing.T) {
	inChild(t, func(t *testing.T) {
		env := keyringtest.StartBus(t)
		use(t, env)
		_, address, _ := strings.Cut(env[0], "=")
		silent := make(chan struct{})
		conn, err := dbus.Connect(address, dbus.WithIncomingInterceptor(func(m *dbus.Message) {
			if m.Type == dbus.TypeMethodCall {
				<-silent
			}
		}))
		must(t, err)
		defer conn.Close()
		defer close(silent)
		_, err = conn.RequestName("org.freedesktop.secrets", 0)
		must(t, err)
		_, store := realKeyring(t, func(c *secrets.Config) { c.Timeout = 100 * time.Millisecond })
		_, err = store.Get(t.Context(), key)
		wantFault(t, err, fault.NeedsPerson, "did not answer within 100ms", "unlock")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = store.Get(ctx, key)
		wantFault(t, err, fault.Interrupted)
	})
}

func TestKeyringThatGoesAway(t *testing.T) {
	inChild(t, func(t *testing.T) {
		var store secrets.Store
		t.Run("there", func(t *testing.T) { // the keyring ends with this part
			use(t, keyringtest.StartKeyring(t).Env)
			_, store = realKeyring(t)
			must(t, store.Put(t.Context(), key, secret.New(storetest.Canary)))
			wantValue(t, store, key, storetest.Canary)
		})
		_, err := store.Get(t.Context(), key)
		wantFault(t, err, fault.Unavailable, "the OS keyring is not available")
	})
}

func TestErrorsOfGoKeyring(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"not there":        {keyring.ErrNotFound, fault.NotFound},
		"too big":          {keyring.ErrSetDataTooBig, fault.Failed},
		"no platform":      {keyring.ErrUnsupportedPlatform, fault.Unavailable},
		"locked item":      {dbus.Error{Name: "org.freedesktop.Secret.Error.IsLocked"}, fault.NeedsPerson},
		"dismissed prompt": {errors.New("failed to unlock correct collection '/x'"), fault.NeedsPerson},
		"service gone":     {dbus.Error{Name: "org.freedesktop.DBus.Error.NoReply", Body: []any{"no reply"}}, fault.Unavailable},
	} {
		if got := secrets.ExplainKeyring(test.err); !fault.Is(got, test.kind) || !strings.Contains(got.Error(), "the OS keyring") {
			t.Errorf("%s: %v, want kind %s", name, got, test.kind)
		}
	}
	if err := secrets.ExplainKeyring(nil); err != nil {
		t.Error(err)
	}
}
