package secrets

import (
	"time"

	"github.com/svcconn/svcconn/pkg/secret"
)

// What the tests, which use package storetest and so are outside, need of the inside.

// OpenKeyringStore opens a keyring store whose entries take so many bytes, on a machine
// that may be slow.
func OpenKeyringStore(keyring Keyring, dir string, limit int) Store {
	return openKeyring(Config{Keyring: keyring, Timeout: time.Minute}, dir, limit)
}

// NewGuard guards a keyring.
func NewGuard(keyring Keyring, timeout time.Duration) Keyring { return newGuard(keyring, timeout) }

// OSKeyring is the real keyring, with entries of a service of the test's own.
func OSKeyring(service string) Keyring { return osKeyring{service} }

// RoundTrip splits and joins a value and returns the entries that it is in, the header
// first.
func RoundTrip(value secret.Text, limit int) ([]secret.Text, secret.Text, error) {
	h, parts := split(value, limit, partSets[0])
	entries := append([]secret.Text{h.encode()}, parts...)
	back, err := Join(entries)
	return entries, back, err
}

// Join reads a value from its entries, the header first.
func Join(entries []secret.Text) (secret.Text, error) {
	h, err := parseHeader(entries[0])
	if err != nil {
		return secret.Text{}, err
	}
	if h.set == inlineSet {
		return h.join(h.data)
	}
	return h.join(concat(entries[1:]))
}

// RewriteHeader parses and encodes a header.
func RewriteHeader(text secret.Text) (secret.Text, error) {
	h, err := parseHeader(text)
	return h.encode(), err
}

var (
	// FileNameOf is the name of a key's file.
	FileNameOf = fileName
	// ExplainKeyring is how the errors of go-keyring are seen.
	ExplainKeyring = explainKeyring
	// CheckKey checks a key.
	CheckKey = checkKey
	// SealTo encrypts to a recipient.
	SealTo = seal
)

// EntryLimit is the most bytes that an entry of this platform's keyring gets.
const EntryLimit = entryLimit
