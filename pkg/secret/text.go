// Package secret holds the one type that secrets travel in, from the moment a
// person hands them over until the moment they are presented to a service.
//
// A Text prints as [redacted] under every fmt verb, in JSON, in TOML, in YAML
// and in slog, alone or inside any other value. It refuses to be decoded from
// JSON, so that no message can smuggle a secret through a field that is meant
// to be printed. Reveal is the only way out: `grep -rn 'Reveal()'` is the list
// of places where a secret leaves its wrapper.
package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// Redacted is what a secret prints as.
const Redacted = "[redacted]"

// Text is a secret string. The zero value is the empty secret. A Text is
// immutable and safe for concurrent use.
//
// The value sits behind a pointer because fmt prints the content of
// unexported fields without asking the type: a pointer prints as an address.
type Text struct{ value *string }

// New wraps a secret.
func New(s string) Text { return Text{value: &s} }

// Reveal returns the secret itself, for presenting it to whom it is meant for.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// IsEmpty reports whether the secret has no characters.
func (t Text) IsEmpty() bool { return t.value == nil || *t.value == "" }

// Len returns the length in bytes.
func (t Text) Len() int { return len(t.Reveal()) }

// Equal compares two secrets in a time that depends on their lengths alone.
func (t Text) Equal(other Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(other.Reveal())) == 1
}

// String implements fmt.Stringer; it never returns the secret.
func (t Text) String() string { return Redacted }

// Format implements fmt.Formatter for every verb, %d, %x and %#v included.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText implements encoding.TextMarshaler; it never returns the secret.
func (t Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON implements json.Marshaler; it never returns the secret.
func (t Text) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// UnmarshalText refuses: whoever reads a secret from a file or a message says
// so with New.
func (t *Text) UnmarshalText([]byte) error {
	return errors.New("secret: a secret is not decoded from text; wrap it with secret.New")
}
