package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Keyring is an OS keyring in memory, for secrets.Config.Keyring. The zero value is
// empty and ready to use, by several goroutines too.
type Keyring struct {
	// Before, if set, is called before each call takes effect, with the operation
	// ("get", "set", "delete") and the account. What it returns is the call's error,
	// and keeps the call from having an effect; it may also block.
	Before func(ctx context.Context, operation, account string) error
	// After is the same after the call has taken effect.
	After func(ctx context.Context, operation, account string) error

	mu      sync.Mutex
	entries map[string]secret.Text
}

// Get implements secrets.Keyring.
func (k *Keyring) Get(ctx context.Context, account string) (value secret.Text, err error) {
	err = k.do(ctx, "get", account, func() error {
		var found bool
		value, found = k.entries[account]
		return k.unless(found)
	})
	return value, err
}

// Set implements secrets.Keyring.
func (k *Keyring) Set(ctx context.Context, account string, value secret.Text) error {
	return k.do(ctx, "set", account, func() error {
		if k.entries == nil {
			k.entries = map[string]secret.Text{}
		}
		k.entries[account] = value
		return nil
	})
}

// Delete implements secrets.Keyring.
func (k *Keyring) Delete(ctx context.Context, account string) error {
	return k.do(ctx, "delete", account, func() error {
		_, found := k.entries[account]
		delete(k.entries, account)
		return k.unless(found)
	})
}

// Accounts lists the entries, sorted.
func (k *Keyring) Accounts() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.entries))
}

func (k *Keyring) do(ctx context.Context, operation, account string, effect func() error) error {
	if k.Before != nil {
		if err := k.Before(ctx, operation, account); err != nil {
			return err
		}
	}
	k.mu.Lock()
	err := effect()
	k.mu.Unlock()
	if k.After != nil {
		if err := k.After(ctx, operation, account); err != nil {
			return err
		}
	}
	return err
}

func (k *Keyring) unless(found bool) error {
	if found {
		return nil
	}
	return fault.New(fault.NotFound, "the keyring has no such entry")
}
