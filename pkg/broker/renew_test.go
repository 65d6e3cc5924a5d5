package broker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/filelock"
	"github.com/svcconn/svcconn/pkg/secret"
)

// rotating is a draft of a connector whose secret is replaced at every use.
func rotating(name string) Draft {
	var values field.Values
	values.Set("domain", "d")
	values.Set("only", "registry.example.com")
	return Draft{Name: name, Spec: connector.Spec{Type: "rotating", Values: values}}
}

// loggedIn registers one with a person at hand.
func (w *world) loggedIn(name string) (*Broker, Verification) {
	w.t.Helper()
	b := w.anotherWith(&visitor{})
	v, err := b.Register(w.t.Context(), rotating(name), true)
	if err != nil {
		w.t.Fatal(err)
	}
	return b, v
}

func (w *world) file(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dirs.Config, "connectors", name+".toml"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// stored is the ticket that is in the secret store.
func (w *world) stored(name string) string {
	w.t.Helper()
	c, err := w.Find(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	bundle, err := w.bundle(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return bundle["ticket"].Reveal()
}

// A login at register is stored in the first bundle, and every use after that in the
// same one: the file does not change.
func TestRenewedSecretsAreStoredInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, _ := w.loggedIn("hub")
	turnstile := &w.cloud.turnstile
	if got := w.stored("hub"); got == "" || got != turnstile.now {
		t.Fatalf("after the login %q is stored, want %q", got, turnstile.now)
	}
	before, accounts := w.file("hub"), w.keyring.accounts()
	for range 3 {
		if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err != nil {
			t.Fatal(err)
		}
		w.Forget(t.Context(), "")
		if v, err := b.Verify(t.Context(), "hub", "", "", false); err != nil || v.Err != nil {
			t.Fatal(err, v.Err)
		}
		if got := w.stored("hub"); got != turnstile.now {
			t.Fatalf("%q is stored, want %q", got, turnstile.now)
		}
	}
	if turnstile.logins != 1 || turnstile.uses != 7 {
		t.Errorf("%d logins, %d uses", turnstile.logins, turnstile.uses)
	}
	if w.file("hub") != before || len(w.keyring.accounts()) != len(accounts) {
		t.Error("the file or the keys in the keyring changed")
	}
	w.noCanary()
}

// noCanary looks for secrets in every file.
func (w *world) noCanary() {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Dir(w.dirs.Config), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), canary) {
			w.t.Errorf("%s has a secret", path)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// A token that is good for one use is spent once, however many processes want it.
func TestOneTimeTokensAreUsedOnceByManyProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, v := w.loggedIn("hub")
	var wg sync.WaitGroup
	for i := range 8 {
		b := w.another()
		wg.Go(func() {
			for range 3 {
				b.Forget(t.Context(), "")
				if i%2 == 0 {
					if _, err := b.Credential(t.Context(), Request{Connector: "hub"}); err != nil {
						t.Error(err)
					}
				} else if v, err := b.Verify(t.Context(), "hub", "", "", true); err != nil || v.Err != nil {
					t.Error(err, v.Err)
				}
			}
		})
	}
	wg.Wait()
	if got := &w.cloud.turnstile; got.logins != 1 || got.uses != 25 || w.stored("hub") != got.now {
		t.Errorf("%d logins, %d uses", got.logins, got.uses)
	}
	if err := w.Delete(t.Context(), v.Connector); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(w.dirs.State, "login")); err != nil || len(left) != 0 {
		t.Errorf("deleting leaves %v, %v", left, err)
	}
}

// What was renewed is stored even if the use of it failed.
func TestRenewedSecretsAreStoredAfterAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, _ := w.loggedIn("hub")
	turnstile := &w.cloud.turnstile
	turnstile.down = fault.New(fault.Unavailable, "the service behind is down")
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Credential: %v", err)
	}
	if v, err := w.Verify(t.Context(), "hub", "", "", false); err != nil || !fault.Is(v.Err, fault.Unavailable) {
		t.Errorf("Verify: %v, %v", err, v.Err)
	}
	old, err := b.Find(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	change := DraftOf(old)
	change.Description = "changed"
	if _, err := b.Update(t.Context(), old, change, true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Update: %v", err)
	}
	turnstile.down = nil
	if got := w.stored("hub"); got != turnstile.now {
		t.Errorf("%q is stored, want %q", got, turnstile.now)
	}
	if _, err := b.Update(t.Context(), old, change, true); err != nil {
		t.Errorf("Update: %v", err)
	}
	if got := w.stored("hub"); got != turnstile.now || turnstile.logins != 1 {
		t.Errorf("%q is stored, want %q; %d logins", got, turnstile.now, turnstile.logins)
	}
}

// Without a person the error says how to log in, and with one that fills a connector
// that had no secrets at all.
func TestALoginThatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Register(t.Context(), rotating("hub"), true); !fault.Is(err, fault.NeedsPerson) || !strings.Contains(fault.HintOf(err), "--no-verify") {
		t.Errorf("Register without a person: %v, hint %q", err, fault.HintOf(err))
	}
	if _, err := w.Register(t.Context(), rotating("hub"), false); err != nil {
		t.Fatal(err)
	}
	_, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if !fault.Is(err, fault.NeedsPerson) || !strings.Contains(fault.HintOf(err), "svcconn verify hub") {
		t.Errorf("Credential: %v, hint %q", err, fault.HintOf(err))
	}
	person := &visitor{}
	b := w.anotherWith(person)
	for range 2 {
		if v, err := b.Verify(t.Context(), "hub", "", "", false); err != nil || v.Err != nil || v.Identity.Name != "jane" {
			t.Fatal(err, v.Err)
		}
	}
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err != nil || person.browsers != 1 {
		t.Errorf("%v after %d browsers", err, person.browsers)
	}
	if orphans, err := w.pending.List(); err != nil || len(orphans) != 0 || len(w.keyring.accounts()) != 1 {
		t.Errorf("the journal has %v, %v; the keyring %v", orphans, err, w.keyring.accounts())
	}
}

// While one person logs in, another waits for that, and who has nobody is told.
func TestOneLoginAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Register(t.Context(), rotating("hub"), false); err != nil {
		t.Fatal(err)
	}
	started, finish := make(chan struct{}), make(chan struct{})
	first, second := &visitor{open: func() error { close(started); <-finish; return nil }}, &visitor{}
	var wg sync.WaitGroup
	verify := func(p *visitor) {
		b := w.anotherWith(p)
		wg.Go(func() {
			if v, err := b.Verify(t.Context(), "hub", "", "", false); err != nil || v.Err != nil {
				t.Error(err, v.Err)
			}
		})
	}
	verify(first)
	<-started
	w.patience = time.Millisecond
	_, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), "under way") {
		t.Errorf("Credential during a login: %v", err)
	}
	verify(second)
	close(finish)
	wg.Wait()
	if first.browsers != 1 || second.browsers != 0 {
		t.Errorf("%d and %d browsers", first.browsers, second.browsers)
	}
}

func TestWaitingForALoginEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, v := w.loggedIn("hub")
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); err != nil {
		t.Fatal(err)
	}
	lock, err := filelock.Acquire(t.Context(), w.turnFile(v.Connector))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	person := &visitor{tell: cancel}
	if got, err := w.anotherWith(person).Verify(ctx, "hub", "", "", false); err != nil || !fault.Is(got.Err, fault.Interrupted) || len(person.told) != 1 {
		t.Errorf("%v, %v, told %q", err, got.Err, person.told)
	}
}

func TestRenewedSecretsThatCannotBeStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.loggedIn("hub")
	w.keyring.break_(errors.New("full"), nil)
	_, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if err == nil || !strings.Contains(err.Error(), "not stored") || fault.HintOf(err) == "" || strings.Contains(err.Error(), canary) {
		t.Errorf("Credential: %v", err)
	}
	v, err := w.another().Verify(t.Context(), "hub", "", "", false)
	if err != nil || v.Err == nil || v.Identity != nil {
		t.Errorf("Verify: %v, %+v", err, v)
	}
}

// A reference is not svcconn's to replace.
func TestAReferenceIsNotRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "ticket")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.cloud.turnstile.now = "x"
	d := rotating("hub")
	d.Refer("ticket", "file:"+file)
	if _, err := w.Register(t.Context(), d, true); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "reference") {
		t.Errorf("Register: %v", err)
	}
	if _, err := w.Register(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	w.cloud.turnstile.now = "x"
	if _, err := w.Credential(t.Context(), Request{Connector: "hub"}); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.HintOf(err), "--unset ticket") {
		t.Errorf("Credential: %v, hint %q", err, fault.HintOf(err))
	}
}

// A ticket that a person gives is replaced by the one that verifying brought.
func TestAGivenSecretThatIsRenewedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, v := w.loggedIn("hub")
	w.cloud.turnstile.now = "given-" + canary
	change := DraftOf(v.Connector)
	change.Keep = nil
	change.Spec.Values.SetSecret("ticket", secret.New("given-"+canary))
	if _, err := b.Update(t.Context(), v.Connector, change, true); err != nil {
		t.Fatal(err)
	}
	if got := &w.cloud.turnstile; w.stored("hub") != got.now || got.logins != 1 {
		t.Errorf("%d logins, stored %q, want %q", got.logins, w.stored("hub"), got.now)
	}
}
