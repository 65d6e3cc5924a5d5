package gcptest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// people is the persons, their OAuth clients, and how they answer. Server.mu guards it.
type people struct {
	users   map[string]*User        // by e-mail address
	clients map[string]*oauthClient // by id
	keys    int                     // how many keys accounts have got
	answer  string                  // who answers consent pages; "" is nobody
	denies  bool
	devices []string // the scopes that devices may have beside Google's
}

func newPeople() people { return people{users: map[string]*User{}, clients: map[string]*oauthClient{}} }

// User is a person with a Google account. It is safe for concurrent use.
type User struct {
	server *Server
	email  string
}

// User is the person with that address, made at first use. Persons may do what Grant says,
// as "user:" and their address, and nothing else.
func (s *Server) User(email string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person(email)
}

// person is User for a caller that holds the lock.
func (s *Server) person(email string) *User {
	if s.people.users[email] == nil {
		s.people.users[email] = &User{server: s, email: email}
	}
	return s.people.users[email]
}

// Email is the person's address.
func (u *User) Email() string { return u.email }

func (u *User) principal() *principal {
	return &principal{member: "user:" + u.email, name: u.email, email: u.email, user: u}
}

// refreshToken is a refresh token that was issued.
type refreshToken struct {
	text    string
	who     *principal
	client  string // the OAuth client that it is bound to
	scopes  []string
	revoked bool
	reauth  bool // wants the person's presence
}

// gcloudScopes are what gcloud's logins ask for.
var gcloudScopes = []string{"openid", scopeEmail, scopeCloudPlatform}

// RefreshToken makes a refresh token of the person for a client, as a login would: for
// cloud-platform and the e-mail address.
func (u *User) RefreshToken(c Client) string {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	return u.server.issueRefresh(u.principal(), c.ID, gcloudScopes).text
}

// issueRefresh makes a refresh token. The caller holds the lock.
func (s *Server) issueRefresh(who *principal, client string, scopes []string) *refreshToken {
	t := &refreshToken{text: refreshPrefix + randomText(), who: who, client: client, scopes: slices.Clone(scopes)}
	s.tokens.refresh[t.text] = t
	return t
}

// ADC is an authorized_user file, JSON, with a refresh token of its own and a client of its
// own: what `gcloud auth application-default login` leaves.
func (u *User) ADC() string {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	client := u.server.newClient(clientDesktop)
	file, _ := json.MarshalIndent(map[string]string{ // texts
		"type": "authorized_user", "client_id": client.ID, "client_secret": client.Secret,
		"refresh_token": u.server.issueRefresh(u.principal(), client.ID, gcloudScopes).text,
		"account":       "", "universe_domain": defaultUniverse,
	}, "", "  ")
	return string(file)
}

// Revoke ends all refresh tokens that the person has given out, and the access tokens that
// came from them.
func (u *User) Revoke() { u.each(func(t *refreshToken) { t.revoked = true }) }

// RequireReauth makes all refresh tokens that the person has given out want the person to
// log in again, as a Workspace's session control does: they are refused with invalid_rapt.
func (u *User) RequireReauth() { u.each(func(t *refreshToken) { t.reauth = true }) }

func (u *User) each(do func(*refreshToken)) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	for _, t := range u.server.tokens.refresh {
		if t.who.user == u {
			do(t)
		}
	}
}

// grantByRefresh gives a person's client an access token for a refresh token.
func grantByRefresh(r *request) (answer, error) {
	client, err := r.client()
	if err != nil {
		return answer{}, err
	}
	t := r.server.tokens.refresh[r.form.Get("refresh_token")]
	if t != nil {
		r.subject = t.who
	}
	if err := t.refusal(client.ID); err != nil {
		return answer{}, err
	}
	scopes, err := readScopes(cmp.Or(r.form.Get("scope"), strings.Join(t.scopes, " ")))
	if err != nil {
		return answer{}, err
	}
	if slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(t.scopes, scope) }) {
		return answer{}, oauthError("invalid_scope", "Bad Request")
	}
	return r.answerUser(t, scopes, tokenAnswer{})
}

// refusal is why a refresh token gets a client nothing; nil is that it gets something.
func (t *refreshToken) refusal(client string) error {
	switch {
	case t == nil:
		return oauthError("invalid_grant", "Bad Request")
	case t.client != client:
		return oauthError("unauthorized_client", "Unauthorized").at(http.StatusUnauthorized)
	case t.revoked:
		return oauthError("invalid_grant", "Token has been expired or revoked.")
	case t.reauth:
		out := oauthError("invalid_grant", "reauth related error (invalid_rapt)")
		out.subtype = "invalid_rapt"
		return out
	}
	return nil
}

// answerUser answers with an access token that comes from a refresh token.
func (r *request) answerUser(from *refreshToken, scopes []string, out tokenAnswer) (answer, error) {
	t := r.server.issue(userPrefix, accessLifetime, accessToken{who: from.who, scopes: scopes, client: from.client, refresh: from})
	out.Scope = strings.Join(scopes, " ")
	if slices.Contains(scopes, "openid") {
		var err error
		if out.IDToken, err = r.idToken(t.who, t.client, t.hasScope([]string{scopeEmail})); err != nil {
			return answer{}, err
		}
	}
	return r.answerToken(t, out)
}

// idToken is an ID token of somebody's for an audience, OpenID Connect.
func (r *request) idToken(who *principal, audience string, withEmail bool) (string, error) {
	claims := map[string]any{
		"iss": "https://" + accountsHost, "aud": audience, "azp": audience, "sub": digits(who.name),
		"iat": r.now.Unix(), "exp": r.now.Add(accessLifetime).Unix(),
	}
	if withEmail {
		claims["email"], claims["email_verified"] = who.email, true
	}
	return signJWT(issuerPair(), issuerKey, claims)
}
