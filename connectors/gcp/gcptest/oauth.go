package gcptest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// oauthService is the authorization server: where tokens come from, and what tells whose
// they are. https://developers.google.com/identity/protocols/oauth2
func oauthService() *service {
	token := func(path string) operation {
		return operation{method: http.MethodPost, path: path, action: "token", public: true, refine: grantAction, run: grant}
	}
	tokenInfo := func(method, path string) operation {
		return operation{method: method, path: path, action: "tokeninfo", public: true, run: tokenInfo}
	}
	return &service{
		name: "oauth2",
		hosts: func(h googleHost) bool {
			return h.name == accountsHost || h.has("oauth2") || slices.Equal(h.labels, []string{"www"})
		},
		fail: failOAuth,
		operations: []operation{
			token("/token"), token("/oauth2/v4/token"), token("/oauth2/v3/token"), token("/o/oauth2/token"),
			{method: http.MethodPost, path: "/device/code", action: "device.code", public: true, run: startDevice},
			tokenInfo(http.MethodGet, "/tokeninfo"), tokenInfo(http.MethodPost, "/tokeninfo"),
			tokenInfo(http.MethodGet, "/oauth2/v3/tokeninfo"), tokenInfo(http.MethodPost, "/oauth2/v3/tokeninfo"),
			{method: http.MethodPost, path: "/revoke", action: "revoke", public: true, run: revokeToken},
		},
	}
}

const (
	grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantRefresh   = "refresh_token"
	grantCode      = "authorization_code"
	grantDevice    = "urn:ietf:params:oauth:grant-type:device_code"
)

// grantAction is the action of a request for a token.
func grantAction(r *request) string {
	return map[string]string{
		grantAssertion: "token.jwt-bearer", grantRefresh: "token.refresh", grantCode: "token.code", grantDevice: "token.device",
	}[r.form.Get("grant_type")]
}

// grant answers a request for a token.
func grant(r *request) (answer, error) {
	switch r.form.Get("grant_type") {
	case grantAssertion:
		return grantByAssertion(r)
	case grantRefresh:
		return grantByRefresh(r)
	case grantCode:
		return grantByCode(r)
	case grantDevice:
		return grantByDevice(r)
	case "":
		return answer{}, oauthError("invalid_request", "Required parameter is missing: grant_type")
	}
	return answer{}, oauthError("unsupported_grant_type", "Invalid grant_type: %s", r.form.Get("grant_type"))
}

// tokenAnswer is what a request for a token gets.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in,omitempty"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	TokenType    string `json:"token_type"`
	IDToken      string `json:"id_token,omitempty"`
	// IssuedType is of the Security Token Service.
	IssuedType string `json:"issued_token_type,omitempty"`
}

// reportedLifetime is what answers say: Google takes a second off.
const reportedLifetime = int(accessLifetime/time.Second) - 1

// answerToken answers with an access token.
func (r *request) answerToken(t *accessToken, out tokenAnswer) (answer, error) {
	r.subject = t.who
	out.AccessToken, out.ExpiresIn, out.TokenType = t.text, reportedLifetime, "Bearer"
	return answerJSON(out)
}

// oauthClient is an OAuth client, and what it may do.
type oauthClient struct {
	Client
	kind string
}

// Client is an OAuth client.
type Client struct {
	ID     string
	Secret string
}

// The kinds of OAuth clients: of programs on a person's own machine, and of devices without
// a browser.
const (
	clientDesktop = "desktop"
	clientTV      = "tv"
)

// OAuthClient makes an OAuth client of a kind: "desktop" for programs on a person's own
// machine, "tv" for devices, which may use device codes alone and have few scopes. Others
// may do nothing.
func (s *Server) OAuthClient(kind string) Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newClient(kind).Client
}

func (s *Server) newClient(kind string) *oauthClient {
	text := randomText()
	id := digits(text)[:12] + "-" + strings.ToLower(strings.NewReplacer("-", "a", "_", "b").Replace(text[:32])) + ".apps.googleusercontent.com"
	c := &oauthClient{Client{ID: id, Secret: "GOCSPX-" + text[32:60]}, kind}
	s.people.clients[id] = c
	return c
}

// client is the OAuth client that asks: by HTTP basic authentication, or by the form.
func (r *request) client() (*oauthClient, error) {
	id, secret := r.form.Get("client_id"), r.form.Get("client_secret")
	if user, password, given := r.BasicAuth(); given {
		id, secret = unescaped(user), unescaped(password)
	}
	known := r.server.people.clients[id]
	switch {
	case id == "":
		return nil, oauthError("invalid_request", "Could not determine client ID from request.")
	case known == nil:
		return nil, oauthError("invalid_client", "The OAuth client was not found.").at(http.StatusUnauthorized)
	case secret == "":
		return nil, oauthError("invalid_request", "client_secret is missing.")
	case secret != known.Secret:
		return nil, oauthError("invalid_client", "The provided client secret is invalid.").at(http.StatusUnauthorized)
	}
	return known, nil
}

// unescaped is a part of basic authentication, which RFC 6749 has escaped.
func unescaped(part string) string {
	if out, err := url.QueryUnescape(part); err == nil {
		return out
	}
	return part
}

// readScopes takes scopes apart, and refuses those that are none. Those of OpenID Connect
// have further names of Google's.
func readScopes(text string) ([]string, error) {
	var out []string
	for _, scope := range strings.Fields(text) {
		switch scope {
		case "email", "profile":
			scope = authScopes + "userinfo." + scope
		case "openid":
		default:
			name, ours := strings.CutPrefix(scope, authScopes)
			if !ours || !scopeNames.MatchString(name) {
				return nil, oauthError("invalid_scope", "Some requested scopes were invalid. {invalid=[%s]}", scope)
			}
		}
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out, nil
}

// revokeToken ends a token for whoever has it.
// https://developers.google.com/identity/protocols/oauth2/native-app#tokenrevoke
func revokeToken(r *request) (answer, error) {
	if !r.server.revoke(r.form.Get("token")) {
		return answer{}, oauthError("invalid_token", "Token expired or revoked")
	}
	return answerJSON(map[string]any{})
}
