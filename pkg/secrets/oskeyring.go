package secrets

import (
	"context"
	"errors"

	"github.com/zalando/go-keyring"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// ourService is the name that all our entries in the OS keyring have in common.
const ourService = "svcconn"

// chooseFile is the advice that every keyring error comes down to. There is no
// silent way to the file store.
const chooseFile = `let svcconn encrypt files instead: set backend = "file" under [secrets] in config.toml (secrets.backend = "file"), or SVCCONN_SECRETS=file`

// osKeyring is the keyring of this platform, through go-keyring: the entries of one
// service.
type osKeyring struct{ service string }

// Get implements Keyring.
func (k osKeyring) Get(ctx context.Context, account string) (value secret.Text, err error) {
	err = guarded(ctx, func() error {
		text, err := keyring.Get(k.service, account)
		value = secret.New(text)
		return err
	})
	return value, err
}

// Set implements Keyring.
func (k osKeyring) Set(ctx context.Context, account string, value secret.Text) error {
	return guarded(ctx, func() error { return keyring.Set(k.service, account, value.Reveal()) })
}

// Delete implements Keyring.
func (k osKeyring) Delete(ctx context.Context, account string) error {
	return guarded(ctx, func() error { return keyring.Delete(k.service, account) })
}

// guarded calls go-keyring if the keyring is ready to answer without a person.
//
// On Linux go-keyring panics when the bus goes away while a prompt is open, and on
// answers of an unexpected type (v0.2.8, secret_service.go): that must not end the
// agent.
func guarded(ctx context.Context, call func() error) (err error) {
	if err := keyringReady(ctx); err != nil {
		return err
	}
	defer func() {
		if recover() != nil {
			err = errNoKeyring(errors.New("it went away during the call"))
		}
	}()
	return explainKeyring(call())
}

func explainKeyring(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return fault.New(fault.NotFound, "the OS keyring has no such entry")
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return fault.New(fault.Failed, "the OS keyring takes no entry of that size")
	case waitsForPerson(err):
		return errKeyringLocked(err)
	}
	return errNoKeyring(err)
}

func errNoKeyring(cause error) error {
	return fault.New(fault.Unavailable, "the OS keyring is not available: %w", cause).
		Hint("%s", provideKeyring+chooseFile)
}

func errKeyringLocked(cause error) error {
	return fault.New(fault.NeedsPerson, "the OS keyring is locked: %w", cause).Hint("%s", unlockKeyring)
}
