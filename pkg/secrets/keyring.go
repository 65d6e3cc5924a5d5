package secrets

import (
	"context"
	"errors"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Keyring is what the keyring store needs of an OS keyring: entries of limited size
// by account name, each replaced at once or not at all. An entry that is not there
// is fault.NotFound for Get and Delete. Calls may hang: the store guards them.
type Keyring interface {
	Get(ctx context.Context, account string) (secret.Text, error)
	Set(ctx context.Context, account string, value secret.Text) error
	Delete(ctx context.Context, account string) error
}

// keyringStore is the Store over a keyring. The format is in chunks.go.
//
// The parts of a set are written upwards and deleted downwards, so that they are 1…k
// at any instant: though a keyring cannot be listed, whatever a killed process
// left is found by counting up to the first gap.
type keyringStore struct {
	entries Keyring
	limit   int // bytes an entry takes
	lock    func(context.Context) (release func(), err error)
}

// Name implements Store.
func (s *keyringStore) Name() string { return KeyringName }

// Get implements Store.
func (s *keyringStore) Get(ctx context.Context, key string) (secret.Text, error) {
	if err := checkKey(key); err != nil {
		return secret.Text{}, err
	}
	value, err := s.read(ctx, key)
	if errors.Is(err, errTorn) {
		value, err = s.readLocked(ctx, key)
	}
	return value, describe(err, key)
}

// readLocked reads while nobody can be replacing the value: one that is torn now is
// damaged.
func (s *keyringStore) readLocked(ctx context.Context, key string) (secret.Text, error) {
	release, err := s.lock(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	defer release()
	return s.read(ctx, key)
}

func (s *keyringStore) read(ctx context.Context, key string) (secret.Text, error) {
	h, err := s.header(ctx, key)
	if err != nil {
		return secret.Text{}, err
	}
	if h.set == inlineSet {
		return h.join(h.data)
	}
	var parts []secret.Text
	for number := 1; number <= h.parts; number++ {
		part, err := s.entries.Get(ctx, partAccount(key, h.set, number))
		if fault.Is(err, fault.NotFound) {
			return secret.Text{}, errTorn
		}
		if err != nil {
			return secret.Text{}, err
		}
		parts = append(parts, part)
	}
	return h.join(concat(parts))
}

func (s *keyringStore) header(ctx context.Context, key string) (header, error) {
	text, err := s.entries.Get(ctx, key)
	if err != nil {
		return header{}, err
	}
	return parseHeader(text)
}

// Put implements Store.
func (s *keyringStore) Put(ctx context.Context, key string, value secret.Text) error {
	if err := checkPut(key, value); err != nil {
		return err
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	// A damaged header has no set: what may be in either is not worth keeping.
	old, err := s.header(ctx, key)
	if err != nil && !fault.Is(err, fault.NotFound) && !errors.Is(err, errNotHeader) {
		return err
	}
	next, parts := split(value, s.limit, old.spareSet())
	if err := s.stage(ctx, key, next.set, parts); err != nil {
		return describe(err, key)
	}
	if err := s.commit(ctx, key, next); err != nil {
		return describe(err, key)
	}
	return fault.Within(s.clearBut(context.WithoutCancel(ctx), key, next.set), "the secret is stored, but the older one could not be removed")
}

// stage writes the parts to a set that no header points to.
func (s *keyringStore) stage(ctx context.Context, key, set string, parts []secret.Text) error {
	if len(parts) == 0 {
		return nil
	}
	err := s.clear(ctx, key, set)
	for i := 0; i < len(parts) && err == nil; i++ {
		err = s.write(ctx, partAccount(key, set, i+1), parts[i])
	}
	if err != nil {
		// As far as it goes: the error is what counts, and Delete finds the rest.
		_ = s.clear(context.WithoutCancel(ctx), key, set)
	}
	return err
}

// commit replaces the header. A write that reports an error may have happened all
// the same, so what is there afterwards decides; while nobody knows, both values
// stay.
func (s *keyringStore) commit(ctx context.Context, key string, next header) error {
	err := s.write(ctx, key, next.encode())
	if err == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	now, readErr := s.entries.Get(ctx, key)
	switch {
	case readErr == nil && now.Equal(next.encode()):
		return nil
	case readErr == nil || fault.Is(readErr, fault.NotFound):
		_ = s.clear(ctx, key, next.set)
	}
	return err
}

var errNotKept = errors.New("the OS keyring did not keep what was stored")

// write sets an entry and reads it back: some keyrings report success after a
// person has dismissed their prompt, or without looking at the outcome (macOS).
func (s *keyringStore) write(ctx context.Context, account string, text secret.Text) error {
	if err := s.entries.Set(ctx, account, text); err != nil {
		return err
	}
	kept, err := s.entries.Get(ctx, account)
	if fault.Is(err, fault.NotFound) || err == nil && !kept.Equal(text) {
		return errNotKept
	}
	return err
}

// Delete implements Store. The header goes first: from then on nothing can be read.
func (s *keyringStore) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.remove(ctx, key); err != nil {
		return err
	}
	return s.clearBut(ctx, key, inlineSet)
}

// clearBut empties the sets but one.
func (s *keyringStore) clearBut(ctx context.Context, key, kept string) error {
	for _, set := range partSets {
		if set == kept {
			continue
		}
		if err := s.clear(ctx, key, set); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes a set's parts, the last one first.
func (s *keyringStore) clear(ctx context.Context, key, set string) error {
	if set == inlineSet {
		return nil
	}
	last := 0
	for {
		_, err := s.entries.Get(ctx, partAccount(key, set, last+1))
		if fault.Is(err, fault.NotFound) {
			break
		}
		if err != nil {
			return err
		}
		last++
	}
	for ; last > 0; last-- {
		if err := s.remove(ctx, partAccount(key, set, last)); err != nil {
			return err
		}
	}
	return nil
}

func (s *keyringStore) remove(ctx context.Context, account string) error {
	err := s.entries.Delete(ctx, account)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// describe gives this file's plain errors their words.
func describe(err error, key string) error {
	switch {
	case fault.Is(err, fault.NotFound):
		return errAbsent(KeyringName, key)
	case errors.Is(err, errTorn), errors.Is(err, errNotHeader):
		return fault.New(fault.Failed, "the secret %s in the OS keyring is damaged: %w", key, err).
			Hint("give it anew with svcconn update")
	case errors.Is(err, errNotKept):
		return fault.New(fault.NeedsPerson, "%w", err).
			Hint("answer the keyring's prompt, or %s", chooseFile)
	}
	return err
}
