package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// claims are what a JSON web token says of itself. They prove nothing: the API server
// checks the token. Here they only ever shorten its life, and name it to people.
type claims struct {
	Subject string  `json:"sub"`
	Expires float64 `json:"exp"` // seconds since 1970, perhaps with a fraction
}

// claimsOf reads a JSON web token; other tokens say nothing.
func claimsOf(token secret.Text) (c claims) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

// expiry is when the token ends; zero where it says nothing.
func (c claims) expiry() time.Time {
	if c.Expires <= 0 || c.Expires > math.MaxInt32*64 { // a date of this aeon
		return time.Time{}
	}
	return time.Unix(int64(c.Expires), 0)
}

// earliest is the earlier one of two times, where zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// end is when a proof stops being good: what its issuer said, its token says and its
// certificate says, whichever comes first.
func (p proof) end() time.Time {
	end := earliest(p.expires, claimsOf(p.token).expiry())
	if p.certificate != "" {
		end = earliest(end, endOf(p.certificate))
	}
	return end
}

// claimant is whose a proof says that it is: for people, where the server cannot tell.
func (p proof) claimant() string {
	if subject := claimsOf(p.token).Subject; subject != "" {
		return hop.OneLine(subject)
	}
	if c, err := leaf(p.certificate); p.certificate != "" && err == nil && c.Subject.CommonName != "" {
		return hop.OneLine(c.Subject.CommonName)
	}
	return p.username
}
