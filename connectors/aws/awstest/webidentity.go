package awstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// issuer is an OpenID Connect provider that every account knows. It signs by ES256.
type issuer struct{ key *ecdsa.PrivateKey }

const (
	issuerURL       = "https://oidc.awstest.example"
	defaultAudience = "sts.amazonaws.com"
	webLifetime     = time.Hour
	coordinate      = 32 // bytes of each half of a signature
)

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &issuer{key}, err
}

// claims are what a web identity token says.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
}

func (t *WebIdentityTrust) audience() string {
	if t.Audience == "" {
		return defaultAudience
	}
	return t.Audience
}

// WebIdentity makes a token that AssumeRoleWithWebIdentity takes for the next hour: a JSON
// web token of an issuer that every account knows. The audience "" is sts.amazonaws.com.
func (s *Server) WebIdentity(subject, audience string) (token string) {
	trust := WebIdentityTrust{Audience: audience}
	now := s.now()
	return s.issuer.sign(claims{
		Issuer: issuerURL, Subject: subject, Audience: trust.audience(),
		Issued: now.Unix(), Expires: now.Add(webLifetime).Unix(), ID: rand.Text(),
	})
}

// sign makes a JSON web token, RFC 7519.
func (i *issuer) sign(c claims) string {
	payload, _ := json.Marshal(c) // texts and numbers
	text := encode([]byte(`{"alg":"ES256","kid":"one","typ":"JWT"}`)) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, sum[:])
	if err != nil {
		return "" // for keys of other curves only
	}
	signature := make([]byte, 2*coordinate)
	r.FillBytes(signature[:coordinate])
	s.FillBytes(signature[coordinate:])
	return text + "." + encode(signature)
}

// verify reads a token in the words of STS.
func (i *issuer) verify(token string, now time.Time) (claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, invalid("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	var c claims
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}, invalid("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	switch {
	case c.Issuer != issuerURL:
		return claims{}, invalid("InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", c.Issuer)
	case !i.signed(parts):
		return claims{}, invalid("InvalidIdentityToken", "Signature of the token is invalid")
	case now.Unix() >= c.Expires:
		return claims{}, invalid("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), c.Expires)
	}
	return c, nil
}

func (i *issuer) signed(parts []string) bool {
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(signature) != 2*coordinate {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:coordinate]), new(big.Int).SetBytes(signature[coordinate:])
	return ecdsa.Verify(&i.key.PublicKey, sum[:], r, s)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
