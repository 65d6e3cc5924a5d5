package oidctest

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLifetime is how long an authorization code is good for.
const codeLifetime = time.Minute

// grant is what a person approved.
type grant struct {
	client, redirect, challenge, nonce string
	scopes                             []string
	expires                            time.Time
}

func (g grant) offline() bool { return slices.Contains(g.scopes, "offline_access") }

func (s *Server) issuer() string {
	if s.behaviour.Issuer != "" {
		return s.behaviour.Issuer
	}
	return s.URL()
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(e Endpoint) string { return s.URL() + string(e) }
	document := map[string]any{
		"issuer": s.issuer(), "jwks_uri": at(Keys), "authorization_endpoint": at(Authorization), "token_endpoint": at(Token),
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{s.signer.alg},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": s.authMethods(),
	}
	if !s.behaviour.NoDevice {
		document["device_authorization_endpoint"] = at(DeviceAuthorization)
	}
	writeJSON(w, http.StatusOK, document)
}

func (s *Server) authMethods() []string {
	var methods []string
	for _, c := range s.clients {
		switch {
		case c.Secret == "":
			methods = append(methods, "none")
		case c.Post:
			methods = append(methods, "client_secret_post")
		default:
			methods = append(methods, "client_secret_basic")
		}
	}
	return methods
}

// authorize is the page that a browser is sent to. Whoever opens it is logged in, or
// denied.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirect, problem := s.checkRedirect(query)
	if problem != "" { // a page for the person: who asks may be anyone
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {query.Get("state")}}
	switch {
	case s.behaviour.TamperState:
		answer.Set("state", "tampered-"+query.Get("state"))
		answer.Set("code", rand.Text())
	case checkAuthorize(query) != "":
		answer.Set("error", "invalid_request")
		answer.Set("error_description", checkAuthorize(query))
	case s.behaviour.Deny:
		answer.Set("error", "access_denied")
		answer.Set("error_description", "the person denied the login")
	default:
		answer.Set("code", s.newCode(query))
	}
	redirect.RawQuery = answer.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

// checkRedirect finds where the browser goes next: RFC 8252, any port of this machine.
func (s *Server) checkRedirect(query url.Values) (*url.URL, string) {
	if _, known := s.clients[query.Get("client_id")]; !known {
		return nil, "the client is unknown"
	}
	redirect, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || redirect.Scheme != "http" || redirect.RawQuery != "" || redirect.Fragment != "" {
		return nil, "the redirect URI is malformed"
	}
	ip := net.ParseIP(redirect.Hostname())
	if redirect.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) || redirect.Port() == "" {
		return nil, "the redirect URI is not registered"
	}
	return redirect, ""
}

func checkAuthorize(query url.Values) string {
	switch {
	case query.Get("response_type") != "code":
		return "response_type is not code"
	case !slices.Contains(strings.Fields(query.Get("scope")), "openid"):
		return "the scope openid is missing"
	case len(query.Get("state")) < 16 || len(query.Get("nonce")) < 16:
		return "state or nonce is missing or can be guessed"
	case query.Get("code_challenge_method") != "S256" || len(query.Get("code_challenge")) != 43:
		return "PKCE with S256 is required"
	}
	return ""
}

func (s *Server) newCode(query url.Values) string {
	code := "code-" + rand.Text()
	s.codes[code] = grant{
		client: query.Get("client_id"), redirect: query.Get("redirect_uri"), challenge: query.Get("code_challenge"),
		nonce: query.Get("nonce"), scopes: strings.Fields(query.Get("scope")), expires: s.now().Add(codeLifetime),
	}
	return code
}
