package gcptest

import (
	"crypto/rand"
	"maps"
	"time"
)

// Issuer is an OpenID Connect provider whose tokens pools may take: a CI system, for one.
// It signs by RS256. It is safe for concurrent use.
type Issuer struct{ now func() time.Time }

const (
	issuerURL      = "https://oidc.gcptest.example"
	issuerKey      = "one" // the id of its key
	issuerLifetime = time.Hour
)

// Issuer is the OpenID Connect provider that every Server has.
func (s *Server) Issuer() *Issuer { return s.issuer }

// URL is what the issuer calls itself.
func (i *Issuer) URL() string { return issuerURL }

// Token makes a subject token that is good for the next hour. The audience that a pool
// wants is what WorkloadPool returned, unless its Provider names others.
func (i *Issuer) Token(subject, audience string) string {
	return i.TokenWith(map[string]any{"sub": subject, "aud": audience})
}

// TokenWith is Token with claims of one's own, in place of the usual ones: iss, iat, exp
// and jti.
func (i *Issuer) TokenWith(claims map[string]any) string {
	now := i.now()
	all := map[string]any{"iss": issuerURL, "iat": now.Unix(), "exp": now.Add(issuerLifetime).Unix(), "jti": rand.Text()}
	maps.Copy(all, claims)
	text, _ := signJWT(issuerPair(), issuerKey, all) // fails for claims that are no JSON only
	return text
}

// signed says whether the issuer has signed.
func (i *Issuer) signed(t *jwt) bool {
	return t.header.KeyID == issuerKey && t.signedBy(&issuerPair().PublicKey)
}
