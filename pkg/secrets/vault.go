package secrets

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"

	"filippo.io/age"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// vault has the identity of the file store: on disk, and in memory once unlocked.
//
// Writing takes the recipient (the public key) alone, reading takes the identity
// (the private key). Where the identity has a passphrase, the recipient is kept
// beside it in recipient.txt, so that a secret can be stored without it. Whoever
// replaced that file could read what is stored from then on, hence:
//
//   - The identity is the authority. With it at hand the recipient is derived from it,
//     recipient.txt is not used, and one that says otherwise is an error on every
//     unlock, read and write: no secret comes out or goes in until a person has
//     looked into it.
//   - While locked, nothing on the same disk can vouch for recipient.txt: whoever can
//     replace it can replace the voucher too. What holds there is that nobody but
//     the owner may write the file and its folder, which is checked; and that the
//     next unlock notices.
type vault struct {
	dir        string // recipient.txt is here
	path       string // the identity file
	own        bool   // the identity file is ours to make
	workFactor int
	passphrase passphrase
	turn       chan struct{} // whoever puts a token in may unlock: one prompt, however many wait
	held       atomic.Pointer[identity]
}

func (v *vault) recipientPath() string { return filepath.Join(v.dir, "recipient.txt") }

// readIdentity returns the identity file as it is on disk.
func (v *vault) readIdentity(ctx context.Context) ([]byte, error) {
	if !filepath.IsAbs(v.path) {
		return nil, fault.New(fault.Invalid, "the path of the identity file, %q, is not absolute", v.path).
			Hint("write the whole path in secrets.identity_file: the agent runs in another folder")
	}
	return readPrivate(ctx, v.path, anyUse)
}

// current returns the identity in memory if it is the one of the file, else nil: a
// file that was replaced locks the store again.
func (v *vault) current(file []byte) *identity {
	if id := v.held.Load(); id != nil && bytes.Equal(id.file, file) {
		return id
	}
	return nil
}

// unlocked reports whether the identity is in memory.
func (v *vault) unlocked() bool {
	file, err := v.readIdentity(context.Background())
	return err == nil && v.current(file) != nil
}

// open returns the identity, for reading secrets, asking for the passphrase if need be.
func (v *vault) open(ctx context.Context) (*identity, error) {
	file, err := v.readIdentity(ctx)
	if err != nil {
		return nil, v.explainMissing(err)
	}
	if id := v.current(file); id != nil {
		return id, v.checkRecipient(id)
	}
	if err := v.take(ctx); err != nil {
		return nil, err
	}
	defer v.release()
	if id := v.current(file); id != nil {
		return id, v.checkRecipient(id)
	}
	return v.load(ctx, file)
}

func (v *vault) take(ctx context.Context) error {
	select {
	case v.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		cause := context.Cause(ctx)
		return fault.New(fault.KindOf(cause), "the secret store was not unlocked in time: %w", cause)
	}
}

func (v *vault) release() { <-v.turn }

func (v *vault) load(ctx context.Context, file []byte) (*identity, error) {
	if !encrypted(file) {
		return v.hold(parseIdentity(v.path, file, file))
	}
	pass, err := v.passphrase.get(ctx, "Passphrase of the secret store ("+v.path+")", false)
	if err != nil {
		return nil, err
	}
	id, err := v.hold(decryptIdentity(v.path, file, pass))
	if err != nil {
		v.passphrase.wrong(err)
	}
	return id, err
}

// hold checks a new identity and keeps it.
func (v *vault) hold(id *identity, err error) (*identity, error) {
	if err != nil {
		return nil, err
	}
	if err := v.checkRecipient(id); err != nil {
		return nil, err
	}
	v.held.Store(id)
	return id, nil
}

// unlock brings the identity into memory with a passphrase that the caller has.
func (v *vault) unlock(pass secret.Text) error {
	file, err := v.readIdentity(context.Background())
	switch {
	case v.own && errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "there is nothing to unlock: the file secret store is made when it gets its first secret")
	case err != nil:
		return v.explainMissing(err)
	case !encrypted(file):
		_, err = v.hold(parseIdentity(v.path, file, file))
	default:
		_, err = v.hold(decryptIdentity(v.path, file, pass))
	}
	return err
}

// recipient returns whom new secrets are encrypted to. It makes the identity at first
// use, and needs the passphrase only where recipient.txt is not there.
func (v *vault) recipient(ctx context.Context) (age.Recipient, error) {
	file, err := v.readIdentity(ctx)
	if v.own && errors.Is(err, fs.ErrNotExist) {
		if err := v.create(ctx); err != nil {
			return nil, err
		}
		file, err = v.readIdentity(ctx)
	}
	if err != nil {
		return nil, v.explainMissing(err)
	}
	if encrypted(file) && v.current(file) == nil {
		text, err := v.readRecipient(ctx)
		if err == nil {
			return v.parseRecipient(text)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	id, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.publish(ctx, id); err != nil {
		return nil, err
	}
	return v.parseRecipient(id.recipient)
}

func (v *vault) parseRecipient(text string) (age.Recipient, error) {
	to, err := parseRecipient(text)
	if err != nil {
		return nil, fault.New(fault.Failed, "%s is damaged: %w", v.recipientPath(), err).
			Hint("remove it: it is made anew when the secret store is unlocked next")
	}
	return to, nil
}

func (v *vault) readRecipient(ctx context.Context) (string, error) {
	content, err := readPrivate(ctx, v.recipientPath(), writable)
	return strings.TrimSpace(string(content)), err
}

// publish writes recipient.txt where it belongs and is missing.
func (v *vault) publish(ctx context.Context, id *identity) error {
	if id.plain {
		return nil
	}
	if _, err := v.readRecipient(ctx); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return atomicfile.Write(v.recipientPath(), []byte(id.recipient+"\n"), atomicfile.FileMode)
}

// checkRecipient compares recipient.txt with what the identity says.
func (v *vault) checkRecipient(id *identity) error {
	if id.plain {
		return nil
	}
	text, err := v.readRecipient(context.Background())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case text == id.recipient:
		return nil
	}
	return fault.New(fault.Failed, "%s does not belong to the identity in %s: one of them was replaced, and somebody else may be able to read the secrets stored since", v.recipientPath(), v.path).
		Hint("if it was not you (with secrets.identity_file, say), change the secrets stored since then at their services; then remove %s: it is made anew", v.recipientPath())
}

// create makes the identity, unless another process has done so meanwhile.
func (v *vault) create(ctx context.Context) error {
	if err := v.take(ctx); err != nil {
		return err
	}
	defer v.release()
	release, err := lockFile(ctx, v.dir, "identity.lock")
	if err != nil {
		return err
	}
	defer release()
	if _, err := v.readIdentity(ctx); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := v.refuseOrphans(); err != nil {
		return err
	}
	pass, err := v.passphrase.get(ctx, "Passphrase for the new secret store (remember it: nothing else opens the store)", true)
	if err != nil {
		return err
	}
	id, err := sealIdentity(pass, v.workFactor)
	if err != nil {
		return fault.New(fault.Failed, "cannot make an identity for the secret store: %w", err)
	}
	if err := atomicfile.Write(v.path, id.file, atomicfile.FileMode); err != nil {
		return err
	}
	v.held.Store(id)
	return v.publish(ctx, id)
}

// refuseOrphans keeps a second identity from being made where there was one: the
// secrets of the first could not be read with it.
func (v *vault) refuseOrphans() error {
	orphans, err := namesIn(v.dir, "", sealedSuffix)
	if err != nil || len(orphans) == 0 {
		return err
	}
	return v.explainMissing(fault.New(fault.Failed, "%s is missing, but there are secrets that only it opens: %w", v.path, fs.ErrNotExist))
}

// explainMissing adds to the error of an identity file that is not there.
func (v *vault) explainMissing(err error) error {
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case v.own:
		return fault.WithHint(err, "restore %s from a backup, or remove the folder %s and give the secrets anew", v.path, v.dir)
	}
	return fault.WithHint(err, "make it with age-keygen -o %s, or correct secrets.identity_file", v.path)
}
