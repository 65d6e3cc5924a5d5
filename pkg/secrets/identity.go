package secrets

import (
	"bytes"
	"errors"
	"io"
	"runtime/debug"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// identity is an age identity in memory, ready to decrypt.
type identity struct {
	file      []byte // what it was read from, still encrypted if it was
	all       []age.Identity
	recipient string // of the first one, which new secrets are encrypted to
	plain     bool   // the file has no passphrase
}

// The scrypt work factors, as logarithms. OWASP asks for 2^17 at least: half a second
// and 128 MiB, once in an agent's life. More than 2^20 (1 GiB) is not attempted.
const (
	defaultWorkFactor = 17
	maxWorkFactor     = 20
)

// encrypted reports whether an identity file has a passphrase.
func encrypted(file []byte) bool {
	return bytes.HasPrefix(file, []byte("age-encryption.org/")) || armored(file)
}

func armored(file []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(file), []byte(armor.Header))
}

// parseIdentity reads the content of an identity file; path is for errors.
func parseIdentity(path string, file, plaintext []byte) (*identity, error) {
	// The cause is left out: it may have characters of the key.
	all, err := age.ParseIdentities(bytes.NewReader(plaintext))
	if err != nil {
		return nil, fault.New(fault.Failed, "%s is not an age identity file that svcconn can use", path).
			Hint("it takes lines AGE-SECRET-KEY-1… and AGE-SECRET-KEY-PQ-1… as age-keygen writes them, in plain or encrypted with a passphrase (age -p); no plug-ins, no SSH keys")
	}
	id := &identity{file: file, all: all, plain: !encrypted(file)}
	switch first := all[0].(type) {
	case *age.X25519Identity:
		id.recipient = first.Recipient().String()
	case *age.HybridIdentity:
		id.recipient = first.Recipient().String()
	default:
		return nil, fault.New(fault.Failed, "%s has an age identity of an unknown kind", path)
	}
	return id, nil
}

// decryptIdentity opens an identity file that has a passphrase. Since age
// authenticates what it encrypts to a passphrase, whoever does not know it cannot
// have made or changed the file.
func decryptIdentity(path string, file []byte, pass secret.Text) (*identity, error) {
	key, err := age.NewScryptIdentity(pass.Reveal())
	if err != nil {
		return nil, fault.New(fault.Invalid, "the passphrase is empty")
	}
	key.SetMaxWorkFactor(maxWorkFactor)
	// What scrypt took goes back at once: an agent lives on for hours.
	defer debug.FreeOSMemory()
	plaintext, err := openSealed(file, key)
	debug.FreeOSMemory() // scrypt took 128 MiB, and the agent lives on
	var mismatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &mismatch) && len(mismatch.StanzaTypes) == 1 && mismatch.StanzaTypes[0] == "scrypt":
		return nil, fault.New(fault.Denied, "the passphrase does not open %s", path).
			Hint("try again; if the passphrase is lost, so are the secrets: remove the folder of %s and give them anew", path)
	case errors.As(err, &mismatch):
		return nil, fault.New(fault.Failed, "%s is encrypted, but not with a passphrase", path)
	case err != nil:
		return nil, fault.New(fault.Failed, "the identity file %s is damaged: %w", path, err).
			Hint("restore it from a backup: without it the stored secrets cannot be read")
	}
	return parseIdentity(path, file, plaintext)
}

// sealIdentity makes a new identity and its file, encrypted with a passphrase.
func sealIdentity(pass secret.Text, workFactor int) (*identity, error) {
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	key, err := age.NewScryptRecipient(pass.Reveal())
	if err != nil {
		return nil, err
	}
	key.SetWorkFactor(workFactor)
	recipient := fresh.Recipient().String()
	content := "# svcconn file secret store\n# public key: " + recipient + "\n" + fresh.String() + "\n"
	file, err := seal([]byte(content), key)
	if err != nil {
		return nil, err
	}
	return &identity{file: file, all: []age.Identity{fresh}, recipient: recipient}, nil
}

func parseRecipient(text string) (age.Recipient, error) {
	all, err := age.ParseRecipients(bytes.NewReader([]byte(text)))
	if err != nil || len(all) != 1 {
		return nil, errors.New("it is not one age recipient")
	}
	return all[0], nil
}

// seal encrypts to a recipient.
func seal(plaintext []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plaintext); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// openSealed decrypts an age file, armored or not.
func openSealed(file []byte, with ...age.Identity) ([]byte, error) {
	var in io.Reader = bytes.NewReader(file)
	if armored(file) {
		in = armor.NewReader(in)
	}
	plaintext, err := age.Decrypt(in, with...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plaintext)
}
