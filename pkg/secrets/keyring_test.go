package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

const key = "connector/1"

var errBroken = errors.New("the keyring broke")

// failing makes a keyring fail: at its nth call, for one call or from then on, before
// or after the call has taken effect.
type failing struct {
	at      int
	forever bool
	after   bool
	calls   int
	failed  bool
}

func (f *failing) install(k *storetest.Keyring) {
	hook := func(context.Context, string, string) error {
		f.calls++
		if f.calls == f.at || f.forever && f.calls > f.at {
			f.failed = true
			return errBroken
		}
		return nil
	}
	if f.after {
		k.After = hook
	} else {
		k.Before = hook
	}
}

// Wherever a Put stops, the old or the new value is there, whole; what comes next
// repairs it, and Delete leaves nothing.
func TestPutSurvivesFailureAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, old := range []int{0, 10, 300, 900} {
		for _, fresh := range []int{12, 400, 700} {
			for _, mode := range []failing{{}, {after: true}, {forever: true}, {forever: true, after: true}} {
				t.Run(fmt.Sprintf("%d to %d, forever %t, after %t", old, fresh, mode.forever, mode.after), func(t *testing.T) {
					t.Parallel()
					for step := 1; ; step++ {
						mode.at = step
						if !putFails(t, old, fresh, mode) {
							break
						}
					}
				})
			}
		}
	}
}

// putFails replaces a value while the keyring fails, checks what holds then, and
// reports whether there was a failure.
func putFails(t *testing.T, oldSize, freshSize int, mode failing) bool {
	t.Helper()
	keyring := &storetest.Keyring{}
	store := secrets.OpenKeyringStore(keyring, t.TempDir(), 128)
	old, fresh := storetest.Value(oldSize, "old"), storetest.Value(freshSize, "fresh")
	if oldSize > 0 {
		must(t, store.Put(t.Context(), key, old))
	}
	before := keyring.Accounts()
	mode.install(keyring)
	putErr := store.Put(t.Context(), key, fresh)
	keyring.Before, keyring.After = nil, nil

	got, err := store.Get(t.Context(), key)
	if after := keyring.Accounts(); putErr != nil && !mode.forever && !got.Equal(fresh) && !slices.Equal(before, after) {
		t.Errorf("step %d: not stored, but left %v after %v", mode.at, after, before)
	}
	switch {
	case putErr == nil && (err != nil || !got.Equal(fresh)):
		t.Errorf("step %d: stored, but not to be read: %v", mode.at, err)
	case putErr != nil && !errors.Is(putErr, errBroken):
		t.Errorf("step %d: %v, want the cause", mode.at, putErr)
	case fault.Is(err, fault.NotFound) && oldSize == 0, err == nil && (got.Equal(old) || got.Equal(fresh)):
	default:
		t.Errorf("step %d: neither the old nor the new value: %v", mode.at, err)
	}
	if mode.at%2 == 0 { // a second Put repairs as well as a Delete does
		third := storetest.Value(200, "third")
		must(t, store.Put(t.Context(), key, third))
		wantValue(t, store, key, third.Reveal())
		if kept := keyring.Accounts(); len(kept) != 1+3 {
			t.Errorf("step %d: a header and 3 parts are kept as %v", mode.at, kept)
		}
	}
	deleteSurvives(t, store, keyring)
	return mode.failed
}

// deleteSurvives deletes with a failure at every step, and then without.
func deleteSurvives(t *testing.T, store secrets.Store, keyring *storetest.Keyring) {
	t.Helper()
	for step := 1; ; step += 2 {
		mode := failing{at: step, forever: true}
		mode.install(keyring)
		err := store.Delete(t.Context(), key)
		keyring.Before = nil
		if !mode.failed {
			must(t, err)
			break
		}
		if err == nil {
			t.Errorf("a failure at step %d of a deletion was not reported", step)
		}
		if _, err := store.Get(t.Context(), key); err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("half deleted at step %d: %v", step, err)
		}
	}
	if left := keyring.Accounts(); len(left) != 0 {
		t.Errorf("left after deletion: %v", left)
	}
}

func TestKeyringThatKeepsNothing(t *testing.T) {
	t.Parallel()
	keyring := &storetest.Keyring{}
	keyring.After = func(ctx context.Context, operation, account string) error {
		if operation == "set" {
			return keyring.Delete(ctx, account) // the prompt was dismissed
		}
		return nil
	}
	store := secrets.OpenKeyringStore(keyring, t.TempDir(), 128)
	for _, size := range []int{10, 500} {
		wantFault(t, store.Put(t.Context(), key, storetest.Value(size, "v")), fault.NeedsPerson, "did not keep")
	}
}

func TestDamagedKeyringEntries(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*testing.T, *storetest.Keyring){
		"foreign header": func(t *testing.T, k *storetest.Keyring) {
			must(t, k.Set(t.Context(), key, secret.New(storetest.Canary)))
		},
		"foreign part": func(t *testing.T, k *storetest.Keyring) {
			must(t, k.Set(t.Context(), key+".a.2", secret.New(storetest.Canary)))
		},
		"missing part": func(t *testing.T, k *storetest.Keyring) { must(t, k.Delete(t.Context(), key+".a.2")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keyring := &storetest.Keyring{}
			store := secrets.OpenKeyringStore(keyring, t.TempDir(), 128)
			must(t, store.Put(t.Context(), key, storetest.Value(500, "v")))
			damage(t, keyring)
			_, err := store.Get(t.Context(), key)
			wantFault(t, err, fault.Failed, key, "damaged", "svcconn update")
			must(t, store.Put(t.Context(), key, storetest.Value(900, "w")))
			wantValue(t, store, key, storetest.Value(900, "w").Reveal())
		})
	}
}

// Another process replaces the value between a reader's calls.
func TestReadDuringReplacement(t *testing.T) {
	t.Parallel()
	keyring, dir := &storetest.Keyring{}, t.TempDir()
	reader, writer := secrets.OpenKeyringStore(keyring, dir, 128), secrets.OpenKeyringStore(keyring, dir, 128)
	must(t, writer.Put(t.Context(), key, storetest.Value(500, "old")))
	fresh := storetest.Value(300, "fresh")
	var replaced atomic.Bool
	keyring.Before = func(_ context.Context, _, account string) error {
		if account == key+".a.3" && !replaced.Swap(true) {
			return writer.Put(t.Context(), key, fresh)
		}
		return nil
	}
	wantValue(t, reader, key, fresh.Reveal())
}

func TestReadOfOneEntryIsOneCall(t *testing.T) {
	t.Parallel()
	keyring := &storetest.Keyring{}
	store := secrets.OpenKeyringStore(keyring, t.TempDir(), 2560)
	must(t, store.Put(t.Context(), key, storetest.Value(1000, "v")))
	mode := failing{}
	mode.install(keyring)
	wantValue(t, store, key, storetest.Value(1000, "v").Reveal())
	if mode.calls != 1 {
		t.Errorf("%d calls, want 1", mode.calls)
	}
}

// A commit that hangs may happen later, when a person has answered the prompt.
func TestCommitThatHangs(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]bool{"happens later": true, "never happens": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				keyring, answered := &storetest.Keyring{}, make(chan struct{})
				store := secrets.OpenKeyringStore(keyring, dir, 128)
				old, fresh := storetest.Value(300, "old"), storetest.Value(400, "fresh")
				must(t, store.Put(t.Context(), key, old))
				keyring.Before = func(_ context.Context, operation, account string) error {
					if operation != "set" || account != key {
						return nil
					}
					<-answered
					if happens {
						return nil
					}
					return errBroken
				}
				wantFault(t, store.Put(t.Context(), key, fresh), fault.NeedsPerson, "did not answer")
				close(answered)
				synctest.Wait()
				want := old
				if happens {
					want = fresh
				}
				wantValue(t, store, key, want.Reveal())
				keyring.Before = nil
				must(t, store.Delete(t.Context(), key))
				if left := keyring.Accounts(); len(left) != 0 {
					t.Errorf("left after deletion: %v", left)
				}
			})
		})
	}
}
