package secrets_test

import (
	"bytes"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/svcconn/svcconn/pkg/secrets"
)

func x25519Key(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return "# public key: " + id.Recipient().String() + "\n" + id.String() + "\n"
}

func hybridKey(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	must(t, err)
	return id.String() + "\n"
}

// protect encrypts an identity file with the passphrase of the tests, as age -p does.
func protect(t *testing.T, content string) string {
	t.Helper()
	to, err := age.NewScryptRecipient(passphrase)
	must(t, err)
	to.SetWorkFactor(2)
	sealed, err := secrets.SealTo([]byte(content), to)
	must(t, err)
	return string(sealed)
}

// inArmor writes an age file as text.
func inArmor(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	_, err := w.Write([]byte(content))
	must(t, err)
	must(t, w.Close())
	return out.String()
}
