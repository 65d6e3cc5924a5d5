package secrets_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

// hanging is a keyring whose calls hang until it is let go.
func hanging() (keyring *storetest.Keyring, calls *atomic.Int32, letGo chan struct{}) {
	calls, letGo = new(atomic.Int32), make(chan struct{})
	return &storetest.Keyring{Before: func(context.Context, string, string) error {
		calls.Add(1)
		<-letGo
		return nil
	}}, calls, letGo
}

func TestHungKeyringIsCalledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keyring, calls, letGo := hanging()
		guard := secrets.NewGuard(keyring, 3*time.Second)
		start := time.Now()
		first := guard.Set(t.Context(), "a", secret.New(storetest.Canary))
		wantFault(t, first, fault.NeedsPerson, "3s", "locked", `secrets.backend = "file"`)
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("gave up after %s, want 3s", waited)
		}
		for range 50 {
			if _, err := guard.Get(t.Context(), "a"); !errors.Is(err, first) {
				t.Fatalf("while it hangs: %v, want the same error", err)
			}
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("further calls waited %s", waited-3*time.Second)
		}
		if calls.Load() != 1 {
			t.Errorf("%d calls reached the keyring while it hung, want 1", calls.Load())
		}
		close(letGo)
		synctest.Wait()
		if _, err := guard.Get(t.Context(), "a"); err != nil {
			t.Errorf("after it came back: %v", err)
		}
	})
}

func TestGuardKeepsToContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keyring, calls, letGo := hanging()
		guard := secrets.NewGuard(keyring, 3*time.Second)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantFault(t, wait(guard, short), fault.Unavailable, "no time")
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		wantFault(t, wait(guard, cancelled), fault.Interrupted)
		// The caller who waits for the turn has a time-out too.
		wantFault(t, wait(guard, t.Context()), fault.NeedsPerson, "3s")
		if calls.Load() != 1 {
			t.Errorf("%d calls, want 1", calls.Load())
		}
		close(letGo)
		synctest.Wait()
		must(t, guard.Set(t.Context(), "a", secret.New("b")))
	})
}

func wait(keyring secrets.Keyring, ctx context.Context) error {
	_, err := keyring.Get(ctx, "a")
	return err
}

func TestGuardCallsOneAtATime(t *testing.T) {
	t.Parallel()
	var under, most atomic.Int32
	keyring := &storetest.Keyring{
		Before: func(context.Context, string, string) error {
			most.Store(max(most.Load(), under.Add(1)))
			return nil
		},
		After: func(context.Context, string, string) error { under.Add(-1); return nil },
	}
	guard := secrets.NewGuard(keyring, time.Minute)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { _ = guard.Set(t.Context(), "a", secret.New("b")) })
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d calls at once", most.Load())
	}
}
