package gcptest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// jwt is a JSON web token, RFC 7519, that was read.
type jwt struct {
	header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	claims    map[string]any
	signed    string // what the signature is of
	signature []byte
}

// readJWT takes a token apart without judging it; nil is none.
func readJWT(text string) *jwt {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil
	}
	t := &jwt{signed: parts[0] + "." + parts[1]}
	if !readPart(parts[0], &t.header) || !readPart(parts[1], &t.claims) {
		return nil
	}
	var err error
	if t.signature, err = base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return nil
	}
	return t
}

func readPart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

// signedBy says whether the signature is of a key, by RS256.
func (t *jwt) signedBy(key *rsa.PublicKey) bool {
	sum := sha256.Sum256([]byte(t.signed))
	return t.header.Algorithm == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) == nil
}

// text is a claim that is a text; "" where it is not there, or is none.
func (t *jwt) text(claim string) string {
	value, _ := t.claims[claim].(string)
	return value
}

// number is a claim that is a number, such as a time in seconds; 0 where it is not there,
// or is none.
func (t *jwt) number(claim string) int64 {
	value, _ := t.claims[claim].(float64)
	return int64(value)
}

// audiences is who the token is for: a text or several.
func (t *jwt) audiences() []string {
	switch value := t.claims["aud"].(type) {
	case string:
		return []string{value}
	case []any:
		var out []string
		for _, one := range value {
			text, _ := one.(string)
			out = append(out, text)
		}
		return out
	}
	return nil
}

// signJWT makes a token by RS256.
func signJWT(key *rsa.PrivateKey, keyID string, claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "kid": keyID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}
