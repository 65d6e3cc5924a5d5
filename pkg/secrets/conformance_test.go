package secrets_test

import (
	"path/filepath"
	"testing"

	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/secrets/storetest"
)

func TestKeyringStoreConformance(t *testing.T) {
	t.Parallel()
	// 128 bytes an entry: all but the shortest values are split.
	for name, limit := range map[string]int{"Tiny": 128, "Real": secrets.EntryLimit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				dir, keyring := t.TempDir(), &storetest.Keyring{}
				return storetest.Subject{
					Store:   secrets.OpenKeyringStore(keyring, dir, limit),
					Kept:    func(*testing.T) []string { return keyring.Accounts() },
					Folders: []string{dir},
				}
			})
		})
	}
}

func TestFileStoreConformance(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T) func(*secrets.Config){
		"OwnIdentity":   func(*testing.T) func(*secrets.Config) { return func(*secrets.Config) {} },
		"PlainIdentity": func(t *testing.T) func(*secrets.Config) { return withIdentity(write(t, "id", x25519Key(t))) },
		"ProtectedIdentity": func(t *testing.T) func(*secrets.Config) {
			return withIdentity(write(t, "id", protect(t, hybridKey(t))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				dir := filepath.Join(t.TempDir(), "state [1]") // not a pattern
				return storetest.Subject{Store: fileStore(t, open(dir, change(t))), Kept: stored(dir), Folders: []string{dir}}
			})
		})
	}
}
