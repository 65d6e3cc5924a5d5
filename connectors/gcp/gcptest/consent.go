package gcptest

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"time"

	"github.com/svcconn/svcconn/pkg/field"
)

// accountsService is the page on which persons consent.
// https://developers.google.com/identity/protocols/oauth2/native-app
func accountsService() *service {
	consent := func(path string) operation {
		return operation{method: http.MethodGet, path: path, action: "consent", public: true, run: consentPage}
	}
	return &service{
		name: "accounts", hosts: func(h googleHost) bool { return h.name == accountsHost || h.has("accounts") },
		fail:       failPage,
		operations: []operation{consent("/o/oauth2/v2/auth"), consent("/o/oauth2/auth")},
	}
}

// failPage words an error as the consent page does, for persons.
func failPage(_ *request, e *apiError) answer {
	out := e.answer(nil)
	out.header = contentType("text/html; charset=utf-8")
	out.body = []byte("<!DOCTYPE html><title>Error</title><h1>Access blocked: Authorization Error</h1><p>" + html.EscapeString(e.message) + "</p>\n")
	return out
}

// pageError is a refusal of the consent page.
func pageError(status int, code, message string) *apiError {
	return oauthError(code, "Error %d: %s. %s", status, code, message).at(status)
}

// Consent makes the person with that address agree to whatever a consent page or a device's
// login asks for, at once, from now on.
func (s *Server) Consent(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.answer, s.people.denies = email, false
}

// DenyConsent makes a person refuse whatever a consent page or a device's login asks for,
// from now on.
func (s *Server) DenyConsent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.answer, s.people.denies = "", true
}

// authCode is what a consent page sends a client back with.
type authCode struct {
	who       *principal
	client    string
	redirect  string
	scopes    []string
	challenge string // PKCE's; "" is none
	method    string // S256 or plain
	expires   time.Time
	used      *refreshToken // what it got; nil is nothing yet
}

const codeLifetime = 10 * time.Minute

// PKCE's challenges and verifiers are of this form. RFC 7636, section 4.1
var pkceText = field.Lazily(`^[A-Za-z0-9._~-]{43,128}$`)

// consentPage answers in a person's place: with a code, or a refusal, at the client's
// redirect URI. Where nobody answers it is a page.
func consentPage(r *request) (answer, error) {
	code, state, err := r.readConsent()
	if err != nil {
		return answer{}, err
	}
	query := url.Values{}
	if state != "" {
		query.Set("state", state)
	}
	p := &r.server.people
	switch {
	case p.denies:
		query.Set("error", "access_denied")
	case p.answer == "":
		return answerText("text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in</title><p>Nobody is here.</p>\n")
	default:
		code.who = r.server.person(p.answer).principal()
		r.subject = code.who
		text := codePrefix + randomText()
		r.server.tokens.codes[text] = code
		query.Set("code", text)
		query.Set("scope", r.form.Get("scope"))
	}
	return answer{status: http.StatusFound, header: http.Header{"Location": {code.redirect + "?" + query.Encode()}}}, nil
}

// readConsent reads what is asked of a consent page.
func (r *request) readConsent() (*authCode, string, error) {
	client := r.server.people.clients[r.form.Get("client_id")]
	scopes, err := readScopes(r.form.Get("scope"))
	c := &authCode{
		redirect: r.form.Get("redirect_uri"), scopes: scopes, expires: r.now.Add(codeLifetime),
		challenge: r.form.Get("code_challenge"), method: r.form.Get("code_challenge_method"),
	}
	switch {
	case client == nil:
		return nil, "", pageError(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
	case client.kind != clientDesktop, !isLoopbackURI(c.redirect):
		return nil, "", pageError(http.StatusBadRequest, "redirect_uri_mismatch", "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy.")
	case r.form.Get("response_type") != "code":
		return nil, "", pageError(http.StatusBadRequest, "invalid_request", "Required parameter is missing: response_type")
	case err != nil:
		return nil, "", pageError(http.StatusBadRequest, "invalid_scope", err.Error())
	case len(scopes) == 0:
		return nil, "", pageError(http.StatusBadRequest, "invalid_request", "Missing required parameter: scope")
	case c.challenge != "" && !pkceText.MatchString(c.challenge), c.method != "" && c.method != "S256" && c.method != "plain":
		return nil, "", pageError(http.StatusBadRequest, "invalid_request", "The code challenge is malformed.")
	}
	c.client = client.ID
	return c, r.form.Get("state"), nil
}

// isLoopbackURI says whether an address is one of a program on the person's own machine.
func isLoopbackURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "http" && u.RawQuery == "" && u.Fragment == "" && u.User == nil && isLoopback(u.Hostname())
}

// grantByCode gives a client tokens for a code of a consent page.
func grantByCode(r *request) (answer, error) {
	client, err := r.client()
	if err != nil {
		return answer{}, err
	}
	c := r.server.tokens.codes[r.form.Get("code")]
	if err := r.checkCode(c, client); err != nil {
		return answer{}, err
	}
	c.used = r.server.issueRefresh(c.who, c.client, c.scopes)
	return r.answerUser(c.used, c.scopes, tokenAnswer{RefreshToken: c.used.text})
}

// checkCode refuses a code that is not the client's, or not any more. One that is used
// twice was stolen once: what it got ends.
func (r *request) checkCode(c *authCode, client *oauthClient) error {
	switch {
	case c == nil:
		return oauthError("invalid_grant", "Malformed auth code.")
	case c.client != client.ID:
		return oauthError("unauthorized_client", "Unauthorized").at(http.StatusUnauthorized)
	case c.used != nil:
		c.used.revoked = true
		return oauthError("invalid_grant", "Bad Request")
	case !r.now.Before(c.expires):
		return oauthError("invalid_grant", "Bad Request")
	case c.redirect != r.form.Get("redirect_uri"):
		return oauthError("redirect_uri_mismatch", "Bad Request")
	}
	return c.checkVerifier(r.form.Get("code_verifier"))
}

// checkVerifier refuses whoever did not begin the login. RFC 7636, section 4.6
func (c *authCode) checkVerifier(verifier string) error {
	have := verifier
	if c.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		have = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	switch {
	case c.challenge == "" && verifier == "":
		return nil
	case verifier == "":
		return oauthError("invalid_grant", "Missing code verifier.")
	case have != c.challenge || !pkceText.MatchString(verifier):
		return oauthError("invalid_grant", "Invalid code verifier.")
	}
	return nil
}
