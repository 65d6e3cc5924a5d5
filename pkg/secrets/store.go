package secrets

import (
	"context"

	"github.com/svcconn/svcconn/pkg/secret"
)

// Store keeps secrets by key. It is safe for concurrent use. Keys are of letters,
// digits, '-' and '/'.
type Store interface {
	// Name is what connectors record: "keyring" or "file".
	Name() string
	// Get returns a secret of any size. A key that is not there is fault.NotFound, a
	// locked or absent store fault.NeedsPerson or fault.Unavailable.
	Get(ctx context.Context, key string) (secret.Text, error)
	// Put stores a secret of any size, replacing an older one. On return it is
	// durable; on error nothing of it is left behind.
	Put(ctx context.Context, key string, value secret.Text) error
	// Delete removes a secret and all its parts. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}
