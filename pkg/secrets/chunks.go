package secrets

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/secret"
)

// A value in the keyring begins with a header, the entry under the key itself. A
// value that fits is in the header; a longer one is cut into parts, entries of their
// own, and the header says in which of two sets they are:
//
//	KEY         svcconn1 - 0 LENGTH SHA256 BASE64
//	KEY         svcconn1 a PARTS LENGTH SHA256
//	KEY.a.1 …   BASE64, cut
//
// A new value is written to the set that the old one does not use; replacing the
// header, which keyrings do at once or not at all, switches from one to the other.
// Base64 makes all of it text: some keyrings (KeePassXC, macOS) change other bytes.
type header struct {
	set    string // inlineSet, or the one of partSets that has the parts
	parts  int
	length int    // bytes of the value
	sum    string // SHA-256 of the value, in hexadecimal
	data   secret.Text
}

const (
	formatMark = "svcconn1"
	inlineSet  = "-"
)

// partSets are the two sets of parts that a key can have. '.' is in no key, so that
// no part is ever taken for the value of another key.
var partSets = []string{"a", "b"}

func partAccount(key, set string, number int) string {
	return fmt.Sprintf("%s.%s.%d", key, set, number)
}

// errTorn means that header and parts are not of the same value: somebody replaces
// it at this moment, or it is damaged.
var errTorn = errors.New("its parts do not belong together")

var errNotHeader = errors.New("it is not of svcconn's making, or was changed")

var encoding = base64.RawStdEncoding.Strict()

// split encodes a value for entries of at most limit bytes; parts go to the set.
func split(value secret.Text, limit int, set string) (header, []secret.Text) {
	raw := []byte(value.Reveal())
	text := encoding.EncodeToString(raw)
	sum := sha256.Sum256(raw)
	h := header{set: inlineSet, length: len(raw), sum: hex.EncodeToString(sum[:]), data: secret.New(text)}
	if h.encode().Len() <= limit {
		return h, nil
	}
	var parts []secret.Text
	for part := range slices.Chunk([]byte(text), limit) {
		parts = append(parts, secret.New(string(part)))
	}
	h.set, h.parts, h.data = set, len(parts), secret.Text{}
	return h, parts
}

// join is the inverse of split: text is the parts, one after the other.
func (h header) join(text secret.Text) (secret.Text, error) {
	raw, err := encoding.DecodeString(text.Reveal())
	sum := sha256.Sum256(raw)
	if err != nil || len(raw) != h.length || hex.EncodeToString(sum[:]) != h.sum {
		return secret.Text{}, errTorn
	}
	return secret.New(string(raw)), nil
}

func (h header) encode() secret.Text {
	text := fmt.Sprintf("%s %s %d %d %s", formatMark, h.set, h.parts, h.length, h.sum)
	if h.set == inlineSet {
		text += " " + h.data.Reveal()
	}
	return secret.New(text)
}

// parseHeader accepts only what encode makes.
func parseHeader(text secret.Text) (header, error) {
	var h header
	var mark, data string
	n, _ := fmt.Sscan(text.Reveal(), &mark, &h.set, &h.parts, &h.length, &h.sum, &data)
	h.data = secret.New(data)
	if n < 5 || mark != formatMark || !h.plausible() || !h.encode().Equal(text) {
		return header{}, errNotHeader
	}
	return h, nil
}

func (h header) plausible() bool {
	if h.length < 1 || len(h.sum) != 2*sha256.Size {
		return false
	}
	if h.set == inlineSet {
		return h.parts == 0 && !h.data.IsEmpty()
	}
	return slices.Contains(partSets, h.set) && h.parts >= 1 && h.parts <= encoding.EncodedLen(h.length)
}

// spareSet is a set that the value does not use.
func (h header) spareSet() string {
	if h.set == partSets[0] {
		return partSets[1]
	}
	return partSets[0]
}

func concat(parts []secret.Text) secret.Text {
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.Reveal())
	}
	return secret.New(text.String())
}
