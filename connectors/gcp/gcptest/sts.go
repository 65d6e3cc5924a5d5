package gcptest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// stsService is the Security Token Service.
// https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
func stsService() *service {
	return &service{name: "sts", fail: failOAuth, operations: []operation{
		{method: http.MethodPost, path: "/v1/token", action: "exchange", public: true, refine: exchangeAction, run: exchange},
		{method: http.MethodPost, path: "/v1/introspect", action: "introspect", public: true, run: introspect},
		{method: http.MethodPost, path: "/v1/oauthtoken", action: "token.refresh", public: true, run: refreshWorkforce},
	}}
}

const (
	grantExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
	typeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	typeAWS         = "urn:ietf:params:aws:token-type:aws4_request"
)

// exchangeAction tells a boundary from federation.
func exchangeAction(r *request) string {
	if r.form.Get("subject_token_type") == typeAccessToken {
		return "downscope"
	}
	return "exchange"
}

// exchange gives an access token for another token.
func exchange(r *request) (answer, error) {
	switch {
	case r.form.Get("grant_type") != grantExchange:
		return answer{}, oauthError("unsupported_grant_type", "Invalid value for \"grant_type\".")
	case r.form.Get("requested_token_type") != typeAccessToken:
		return answer{}, oauthError("invalid_request", "Invalid value for \"requested_token_type\".")
	case r.form.Get("subject_token") == "":
		return answer{}, oauthError("invalid_request", "Missing required field: \"subject_token\".")
	}
	switch r.form.Get("subject_token_type") {
	case typeAccessToken:
		return downscope(r)
	case typeJWT, typeIDToken, typeAWS:
		return federate(r)
	}
	return answer{}, oauthError("invalid_request", "Invalid value for \"subject_token_type\".")
}

// federate gives somebody whom a pool takes an access token.
// https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers
func federate(r *request) (answer, error) {
	audience := r.form.Get("audience")
	if !strings.HasPrefix(audience, iamPrefix) || !strings.Contains(audience, "/providers/") {
		return answer{}, oauthError("invalid_request", "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider. "+
			"See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.")
	}
	p, w := r.server.poolOf(audience)
	if w == nil || w.Disabled {
		return answer{}, oauthError("invalid_target", "The target service indicated by the \"audience\" parameters is invalid. "+
			"This might either be because the pool or provider is disabled or deleted or because it doesn't exist.")
	}
	scopes, err := readScopes(r.form.Get("scope"))
	if err != nil || len(scopes) == 0 {
		return answer{}, oauthError("invalid_scope", "Some requested scopes were invalid.")
	}
	who, err := r.identify(p, w, audience)
	if err != nil {
		return answer{}, err
	}
	t := r.server.issue(stsPrefix, accessLifetime, accessToken{who: who, scopes: scopes, sts: true})
	return r.answerExchange(t, int(accessLifetime/time.Second))
}

// subjectMax is how long a subject may be, in bytes.
const subjectMax = 127

// identify finds out who presents a subject token.
func (r *request) identify(p *pool, w *Provider, audience string) (*principal, error) {
	byAWS := r.form.Get("subject_token_type") == typeAWS
	if byAWS != (w.AWS != nil) {
		return nil, oauthError("invalid_request", "The subject token type is not one that the provider takes.")
	}
	read := r.readIDToken
	if byAWS {
		read = r.readAWS
	}
	subject, claims, err := read(w, audience)
	switch {
	case err != nil:
		return nil, err
	case len(subject) > subjectMax:
		return nil, oauthError("invalid_request", "The size of mapped attribute google.subject exceeds the %d bytes limit. "+
			"Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than %[1]d bytes.", subjectMax)
	case w.Condition != nil && !w.Condition(claims):
		return nil, oauthError("unauthorized_client", "The given credential is rejected by the attribute condition.")
	}
	return p.member(subject, w, claims), nil
}

// readIDToken reads a subject token of the provider's issuer.
func (r *request) readIDToken(w *Provider, audience string) (string, map[string]any, error) {
	t := readJWT(r.form.Get("subject_token"))
	if t == nil {
		return "", nil, oauthError("invalid_request", "Unable to parse the ID Token.")
	}
	issued := time.Unix(t.number("iat"), 0)
	switch {
	case t.text("iss") != w.Issuer.URL():
		return "", nil, oauthError("invalid_grant", "The issuer in ID Token %s does not match the expected ones: %s", t.text("iss"), w.Issuer.URL())
	case !w.Issuer.signed(t):
		return "", nil, oauthError("invalid_grant", "Invalid JWT Signature.")
	case !w.takes(t.audiences(), audience):
		return "", nil, oauthError("invalid_grant", "The audience in ID Token [%s] does not match the expected audience.", strings.Join(t.audiences(), ", "))
	case t.number("exp") == 0, !r.now.Before(time.Unix(t.number("exp"), 0)):
		return "", nil, oauthError("invalid_grant", "ID Token issued at %d is stale to sign-in.", t.number("iat"))
	case issued.After(r.now.Add(assertionSkew)):
		return "", nil, oauthError("invalid_grant", "ID Token issued at %d is issued in the future.", t.number("iat"))
	case t.text("sub") == "":
		return "", nil, oauthError("invalid_grant", "Could not obtain a value for google.subject from the given credential.")
	}
	return t.text("sub"), t.claims, nil
}

// answerExchange answers with an access token; 0 seconds say nothing of its end.
func (r *request) answerExchange(t *accessToken, seconds int) (answer, error) {
	r.subject = t.who
	return answerJSON(tokenAnswer{AccessToken: t.text, ExpiresIn: seconds, TokenType: "Bearer", IssuedType: typeAccessToken})
}

// introspect tells whose a token of this service's is. RFC 7662
func introspect(r *request) (answer, error) {
	t := r.server.live(r.form.Get("token"))
	if t == nil || !t.sts {
		return answerJSON(map[string]any{"active": false})
	}
	r.subject = t.who
	return answerJSON(map[string]any{
		"active": true, "client_id": t.client, "iss": "https://sts." + defaultUniverse + "/", "scope": strings.Join(t.scopes, " "),
		"username": t.who.name, "sub": digits(t.who.name), "iat": t.issued.Unix(), "exp": t.expires.Unix(), "token_type": typeAccessToken,
	})
}

// WorkforceLogin is an external_account_authorized_user file, JSON: what a login of a
// workforce pool's member leaves. The audience is what WorkforcePool returned. Its refresh
// token is changed by every use.
func (s *Server) WorkforceLogin(audience, subject string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, w := s.poolOf(audience)
	if w == nil {
		return ""
	}
	client := s.newClient(clientDesktop)
	file, _ := json.MarshalIndent(map[string]string{ // texts
		"type": "external_account_authorized_user", "audience": audience, "universe_domain": defaultUniverse,
		"client_id": client.ID, "client_secret": client.Secret,
		"refresh_token": s.issueRefresh(p.member(subject, w, nil), client.ID, gcloudScopes).text,
		"token_url":     "https://sts." + defaultUniverse + "/v1/oauthtoken", "token_info_url": "https://sts." + defaultUniverse + "/v1/introspect",
	}, "", "  ")
	return string(file)
}

// refreshWorkforce gives a workforce pool's member an access token, and a refresh token in
// place of the one that was used.
func refreshWorkforce(r *request) (answer, error) {
	if r.form.Get("grant_type") != grantRefresh {
		return answer{}, oauthError("unsupported_grant_type", "Invalid value for \"grant_type\".")
	}
	client, err := r.client()
	if err != nil {
		return answer{}, err
	}
	t := r.server.tokens.refresh[r.form.Get("refresh_token")]
	if t != nil && t.who.user != nil {
		t = nil // of the authorization server
	}
	if err := t.refusal(client.ID); err != nil {
		return answer{}, err
	}
	t.revoked = true
	next := r.server.issueRefresh(t.who, t.client, t.scopes)
	issued := r.server.issue(stsPrefix, accessLifetime, accessToken{who: t.who, scopes: t.scopes, client: t.client, refresh: next, sts: true})
	return r.answerToken(issued, tokenAnswer{RefreshToken: next.text})
}
