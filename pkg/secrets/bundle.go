package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// A bundle is a JSON object of field names and values, sorted by name. A value that
// is not valid UTF-8, which JSON cannot hold, is an object with one key.
type binaryValue struct {
	Base64 []byte `json:"base64"`
}

// EncodeBundle makes one secret of several, by field name. Equal maps give equal
// bundles; values may be any bytes, names must be valid UTF-8 (field names are
// ASCII).
func EncodeBundle(values map[string]secret.Text) secret.Text {
	plain := make(map[string]any, len(values))
	for name, value := range values {
		if text := value.Reveal(); utf8.ValidString(text) {
			plain[name] = text
		} else {
			plain[name] = binaryValue{[]byte(text)}
		}
	}
	// A map of strings and byte slices always encodes.
	out, _ := json.Marshal(plain)
	return secret.New(string(out))
}

// DecodeBundle is the inverse of EncodeBundle. What is no bundle is fault.Failed; the
// error says nothing about the content.
func DecodeBundle(bundle secret.Text) (map[string]secret.Text, error) {
	var raw map[string]json.RawMessage
	if !utf8.ValidString(bundle.Reveal()) || json.Unmarshal([]byte(bundle.Reveal()), &raw) != nil || raw == nil {
		return nil, errBundle()
	}
	values := make(map[string]secret.Text, len(raw))
	for name, encoded := range raw {
		value, ok := decodeValue(encoded)
		if !ok {
			return nil, errBundle()
		}
		values[name] = value
	}
	return values, nil
}

func decodeValue(encoded json.RawMessage) (secret.Text, bool) {
	var text *string
	if json.Unmarshal(encoded, &text) == nil && text != nil {
		return secret.New(*text), true
	}
	var binary struct {
		Base64 *string `json:"base64"`
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&binary) != nil || binary.Base64 == nil {
		return secret.Text{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(*binary.Base64)
	return secret.New(string(raw)), err == nil
}

// errBundle has no cause on purpose: the errors of encoding/json quote what they
// could not read.
func errBundle() error {
	return fault.New(fault.Failed, "the stored bundle of secrets is damaged").
		Hint("give the secrets anew with svcconn update")
}
