package kubetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// audience is who tokens of service accounts are for, unless the request says.
const audience = "https://kubernetes.default.svc"

// issuer signs and checks tokens of service accounts: JSON web tokens, by ES256.
type issuer struct{ key *ecdsa.PrivateKey }

type tokenClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience []string `json:"aud"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
}

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &issuer{key}, err
}

var encoding = base64.RawURLEncoding

func (i *issuer) sign(claims tokenClaims) (string, error) {
	claims.Issuer, claims.ID = audience, rand.Text()
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + encoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := ecdsa.SignASN1(rand.Reader, i.key, sum[:])
	return text + "." + encoding.EncodeToString(signature), err
}

// check returns whose a token is, if we signed it, it is for us and it is not over.
func (i *issuer) check(token string, now time.Time) (User, bool) {
	end := strings.LastIndexByte(token, '.')
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return User{}, false
	}
	signature, err := encoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(token[:end]))
	if err != nil || !ecdsa.VerifyASN1(&i.key.PublicKey, sum[:], signature) {
		return User{}, false
	}
	var claims tokenClaims
	payload, err := encoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return User{}, false
	}
	if !slices.Contains(claims.Audience, audience) || !now.Before(time.Unix(claims.Expires, 0)) {
		return User{}, false
	}
	namespace := strings.Split(claims.Subject, ":")[2]
	return User{Name: claims.Subject, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace}}, true
}
