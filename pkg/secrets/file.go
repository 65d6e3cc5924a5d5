package secrets

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// fileStore is the Store over a folder of files encrypted with age, one a key. They
// can be read without svcconn: age --decrypt --identity identity.age FILE.
type fileStore struct {
	dir   string
	vault *vault
}

// Name implements Store.
func (s *fileStore) Name() string { return FileName }

// Get implements Store. What is not there is not found without a passphrase.
func (s *fileStore) Get(ctx context.Context, key string) (secret.Text, error) {
	if err := checkKey(key); err != nil {
		return secret.Text{}, err
	}
	path := s.path(key)
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Text{}, errAbsent(FileName, key)
	}
	if err != nil {
		return secret.Text{}, fault.New(fault.Failed, "cannot read the secret in %s: %w", path, reason(err))
	}
	id, err := s.vault.open(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	plaintext, err := openSealed(sealed, id.all...)
	if err != nil {
		return secret.Text{}, s.explain(path, err)
	}
	value, ok := bytes.CutPrefix(plaintext, label(key))
	if !ok {
		return secret.Text{}, s.explain(path, errMoved)
	}
	return secret.New(string(value)), nil
}

// errMoved is found by the label inside: without it, whoever can write in the folder
// could have one connector's secret sent to another one's service by renaming files.
var errMoved = errors.New("it has the secret of another key")

// label begins each plaintext.
func label(key string) []byte { return []byte("svcconn secret " + key + "\n") }

func (s *fileStore) explain(path string, err error) error {
	var mismatch *age.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return fault.New(fault.Failed, "the secret in %s is not encrypted to the identity in %s", path, s.vault.path).
			Hint("if secrets.identity_file has changed, add the former identity to that file as a further line; otherwise give the secret anew with svcconn update")
	}
	return fault.New(fault.Failed, "the secret in %s is damaged: %w", path, err).
		Hint("restore the file from a backup, or give the secret anew with svcconn update")
}

// Put implements Store. It needs the passphrase only at first use.
func (s *fileStore) Put(ctx context.Context, key string, value secret.Text) error {
	if err := checkPut(key, value); err != nil {
		return err
	}
	if err := makeFolder(s.dir); err != nil {
		return err
	}
	to, err := s.vault.recipient(ctx)
	if err != nil {
		return err
	}
	sealed, err := seal(append(label(key), value.Reveal()...), to)
	if err != nil {
		return fault.New(fault.Failed, "cannot encrypt the secret %s: %w", key, err)
	}
	return atomicfile.Write(s.path(key), sealed, atomicfile.FileMode)
}

// Delete implements Store. It needs no passphrase.
func (s *fileStore) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	// What atomicfile leaves when it is killed.
	names, err := namesIn(s.dir, "."+fileName(key)+".", ".tmp")
	if err != nil {
		return err
	}
	for _, name := range append(names, fileName(key)) {
		if err := atomicfile.Remove(filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

const sealedSuffix = ".secret.age"

func (s *fileStore) path(key string) string { return filepath.Join(s.dir, fileName(key)) }

// fileName is safe on file systems that fold case (macOS, Windows), and meets no
// reserved name and none of the other files in the folder.
func fileName(key string) string { return hex.EncodeToString([]byte(key)) + sealedSuffix }
