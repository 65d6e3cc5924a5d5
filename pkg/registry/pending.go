package registry

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// SecretKey is where a bundle of secrets is.
type SecretKey struct {
	Store string // "keyring" or "file"
	Key   string
}

// Pending is the journal of operations on secrets, STATE/pending. A secret store and
// a connector's file cannot change at one instant: what is about to be put is written
// down first, so that nothing stays behind in the store when the operation dies
// half-way. It is safe for concurrent use by any number of processes.
//
// An entry is an empty file that is named after the key, and locked while its
// operation lives.
type Pending struct {
	folder   string
	patience time.Duration
}

// OpenPending returns the journal in a folder. Nothing is made before the first
// Begin.
func OpenPending(state string) *Pending {
	// Who looks at an entry holds it for an instant, and who takes it for dead before
	// its owner has the lock, as long as the secret store takes to wipe nothing.
	return &Pending{folder: filepath.Join(state, "pending"), patience: 10 * time.Second}
}

// Begin writes down, durably, that an operation on the key has begun. done ends it
// and removes the entry. When done is never called, because the process died, the
// entry stays for List; Begin with its key then takes it over, to wipe the secrets
// and end it. A key that is in another operation is fault.Unavailable.
func (p *Pending) Begin(key SecretKey) (done func() error, err error) {
	if key.Store == "" || key.Key == "" {
		return nil, fault.New(fault.Invalid, "a secret without store or key cannot be written down")
	}
	if err := atomicfile.MakeDir(p.folder); err != nil {
		return nil, err
	}
	path := filepath.Join(p.folder, key.file())
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	lock, err := acquireExisting(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.SyncDir(p.folder); err != nil {
		lock.Release()
		return nil, err
	}
	return func() error { return end(lock, path) }, nil
}

// acquireExisting locks the file that is at path, not one that whoever had the lock
// before has removed from there.
func acquireExisting(ctx context.Context, path string) (*filelock.Lock, error) {
	for {
		lock, err := filelock.Acquire(ctx, path)
		if err != nil {
			return nil, err
		}
		if _, err := os.Lstat(path); err == nil {
			return lock, nil
		}
		lock.Release()
	}
}

// end removes an entry. Windows cannot remove a file that is locked; elsewhere it
// must go first, or it looks abandoned for a moment.
func end(lock *filelock.Lock, path string) error {
	if runtime.GOOS == "windows" {
		lock.Release()
	}
	defer lock.Release()
	return atomicfile.Remove(path)
}

// List returns the keys of the operations that never ended and that nobody works on,
// sorted. A key may be in use all the same: its operation may have died after the
// connector was stored.
func (p *Pending) List() ([]SecretKey, error) {
	files, err := os.ReadDir(p.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Failed, "cannot read the journal %s: %w", p.folder, err).Hint("make the folder readable for you")
	}
	var keys []SecretKey
	for _, file := range files {
		key, ok := keyOfFile(file.Name())
		if !ok {
			continue
		}
		lock, err := filelock.Try(filepath.Join(p.folder, file.Name()))
		if err != nil {
			return nil, err
		}
		if lock != nil {
			lock.Release()
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (k SecretKey) file() string { return url.QueryEscape(k.Store + "/" + k.Key) }

func keyOfFile(name string) (SecretKey, bool) {
	text, err := url.QueryUnescape(name)
	store, key, ok := strings.Cut(text, "/")
	return SecretKey{store, key}, err == nil && ok && store != "" && key != ""
}
