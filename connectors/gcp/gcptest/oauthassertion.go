package gcptest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The bounds of an assertion's times.
const (
	assertionLifetime = time.Hour
	assertionSkew     = 5 * time.Minute // by which it may be from the future
)

// wellKnownTokens are the addresses that Google's own token endpoint has and had. An
// assertion for any of them is taken at all of them, and at private endpoints.
var wellKnownTokens = []string{googleToken, "https://www.googleapis.com/oauth2/v4/token", "https://accounts.google.com/o/oauth2/token"}

// grantByAssertion gives a service account an access token for a signed assertion, or an ID
// token where that is what the assertion wants.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
func grantByAssertion(r *request) (answer, error) {
	t := readJWT(r.form.Get("assertion"))
	if t == nil {
		return answer{}, oauthError("invalid_grant", "Bad Request")
	}
	account := r.server.accountOf(t.text("iss"))
	if account == nil {
		return answer{}, oauthError("invalid_grant", "Invalid grant: account not found")
	}
	r.subject = account.principal()
	if err := r.checkAssertion(t, account); err != nil {
		return answer{}, err
	}
	if audience := t.text("target_audience"); audience != "" && t.text("scope") == "" {
		text, err := r.idToken(r.subject, audience, true)
		if err != nil {
			return answer{}, err
		}
		return answerJSON(map[string]string{"id_token": text})
	}
	scopes, err := readScopes(t.text("scope"))
	if err != nil || len(scopes) == 0 {
		return answer{}, oauthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	}
	issued := r.server.issue(accountPrefix, accessLifetime, accessToken{who: account.principal(), scopes: scopes, client: account.uniqueID()})
	return r.answerToken(issued, tokenAnswer{})
}

// checkAssertion refuses an assertion that the account cannot have made just now, for here.
func (r *request) checkAssertion(t *jwt, account *ServiceAccount) error {
	issued, expires := time.Unix(t.number("iat"), 0), time.Unix(t.number("exp"), 0)
	switch {
	case account.disabled:
		return oauthError("invalid_grant", "Account disabled: %s", account.uniqueID())
	case !account.signed(t):
		return oauthError("invalid_grant", "Invalid JWT Signature.")
	case !r.isAudience(t.audiences()):
		return oauthError("invalid_grant", "Invalid JWT: Failed audience check. The right audience is %s", r.rightAudience())
	case !r.now.Before(expires), issued.After(r.now.Add(assertionSkew)), !issued.Before(expires), expires.Sub(issued) > assertionLifetime:
		return oauthError("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "+
			"Check your iat and exp values in the JWT claim.")
	case t.text("sub") != "" && t.text("sub") != t.text("iss"): // domain-wide delegation
		return oauthError("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, "+
			"or client not authorized for any of the scopes requested.").at(http.StatusUnauthorized)
	}
	return nil
}

// signed says whether a key of the account's has signed: the one that is named, else any.
func (a *ServiceAccount) signed(t *jwt) bool {
	for id, key := range a.keys {
		if (t.header.KeyID == "" || t.header.KeyID == id) && t.signedBy(key) {
			return true
		}
	}
	return false
}

// isAudience says whether an assertion is for this endpoint.
func (r *request) isAudience(audiences []string) bool {
	if len(audiences) != 1 {
		return false
	}
	_, google := r.server.parseHost(r.Host)
	return audiences[0] == r.rightAudience() || google && slices.Contains(wellKnownTokens, audiences[0])
}

// rightAudience is the address that was asked, but for private endpoints, which are
// Google's own.
func (r *request) rightAudience() string {
	host, google := r.server.parseHost(r.Host)
	if google && strings.HasSuffix(host.name, ".p."+defaultUniverse) {
		return googleToken
	}
	return r.origin() + r.URL.Path
}

// origin is the scheme and the host that were asked.
func (r *request) origin() string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
