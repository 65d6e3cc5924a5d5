// Package secrets keeps what people gave us for good: passwords, keys, tokens. It
// has two stores behind one interface, the OS keyring and a folder of files
// encrypted with age, a Manager that chooses between them, and references to
// secrets that live elsewhere.
//
// It refuses to store anything in plain text, and to turn to another store
// because the chosen one is away: a secret that lies where its owner does not
// expect it is worse than an error. Credentials that a service minted are not its
// business: they stay in memory (package cache).
//
// It is the only package that uses go-keyring, godbus and age.
package secrets

import (
	"context"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The names of the stores, as connectors record them and settings choose them.
const (
	KeyringName = "keyring"
	FileName    = "file"
)

// Store keeps secrets by key. It is safe for concurrent use, by several processes
// too. A key has 1 to 100 letters, digits, '-' and '/'; another one is
// fault.Invalid.
type Store interface {
	// Name is what connectors record: KeyringName or FileName.
	Name() string
	// Get returns a secret of any size. A key that is not there is fault.NotFound, a
	// locked or absent store fault.NeedsPerson or fault.Unavailable.
	Get(ctx context.Context, key string) (secret.Text, error)
	// Put stores a secret of any size but empty, replacing an older one. On return it
	// is durable, and nothing is left of the older one. On error, and when the process
	// is killed, the older or the new one is there, whole, or nothing can be read if
	// it was the first; Delete removes whatever there is.
	Put(ctx context.Context, key string, value secret.Text) error
	// Delete removes a secret and all its parts. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// maxKey keeps file names (twice as long, with an ending) and the names of keyring
// entries within what every platform takes.
const maxKey = 100

const keyCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/"

func checkKey(key string) error {
	if key == "" || len(key) > maxKey || strings.Trim(key, keyCharacters) != "" {
		return fault.New(fault.Invalid, "%q is not a key of the secret store: 1 to %d letters, digits, '-' and '/'", key, maxKey)
	}
	return nil
}

func checkPut(key string, value secret.Text) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if value.IsEmpty() {
		return fault.New(fault.Invalid, "the secret is empty")
	}
	return nil
}

func errAbsent(store, key string) error {
	return fault.New(fault.NotFound, "the %s secret store has nothing under %s", store, key)
}
