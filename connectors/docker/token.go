package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// clientID is what we call ourselves to token servers.
const clientID = "svcconn"

// tokenServer is where a registry sends those who want to log in.
type tokenServer struct {
	url   *url.URL
	hop   hop.Hop
	query url.Values // service, and the scope where the registry wants one
}

// tokenServer reads a bearer challenge. It may point anywhere: the token server of
// registry-1.docker.io is auth.docker.io, that of a registry on a private network is
// often on that, too.
func (s *session) tokenServer(d door) (tokenServer, error) {
	realm, err := url.Parse(d.challenge.Parameters["realm"])
	if err != nil || realm.Host == "" || realm.User != nil || realm.Scheme != "https" && realm.Scheme != "http" {
		return tokenServer{}, fault.New(fault.Failed, "%s names no usable token server to log in at", s.hop())
	}
	query := url.Values{}
	for _, parameter := range []string{"service", "scope"} {
		if value := d.challenge.Parameters[parameter]; value != "" {
			query.Set(parameter, value)
		}
	}
	return tokenServer{url: realm, hop: service("token server " + realm.Host + " of " + s.hop().Name), query: query}, nil
}

// token is what a token server gave.
type token struct {
	text  secret.Text
	scope string // as OAuth2 answers it
}

// exchange has the login exchanged for a token.
//
// It does by hand what go-containerregistry's Exchange does, since that one refuses
// token servers at private addresses, sends passwords over plain HTTP to any machine
// once the registry is spoken to that way, and takes an anonymous token for the
// proof of an identity token when the token server knows no OAuth2.
func (s *session) exchange(ctx context.Context, server tokenServer) (token, error) {
	request, err := s.tokenRequest(ctx, server)
	if err != nil {
		return token{}, err
	}
	body, err := s.ask(request, server.hop, s.tokenRefusal(server.hop))
	if err != nil {
		return token{}, err
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Token+answer.AccessToken == "" {
		return token{}, fault.New(fault.Failed, "%s accepted the login but gave no token", server.hop)
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	return token{text: secret.New(answer.Token), scope: answer.Scope}, nil
}

// tokenRefusal knows OAuth2's own: a token that is not accepted is a bad request.
func (s *session) tokenRefusal(h hop.Hop) refusal {
	refused := refusedBy(h)
	if !s.identityToken() {
		return refused
	}
	return func(status int, header http.Header, words string) error {
		switch status {
		case http.StatusBadRequest:
			return fault.New(fault.Denied, "%s refuses the identity token: %s", h, words).Hint("log in anew to get another identity token")
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return fault.New(fault.Invalid, "%s takes no identity tokens: %s", h, words).
				Hint("register with a user name of its own and a password or access token")
		}
		return refused(status, header, words)
	}
}

// tokenRequest presents a password by HTTP basic authentication, which all token
// servers know, and an identity token by OAuth2.
func (s *session) tokenRequest(ctx context.Context, server tokenServer) (*http.Request, error) {
	if s.identityToken() {
		return s.refreshRequest(ctx, server)
	}
	target := *server.url
	query := target.Query()
	for key, values := range server.query {
		query[key] = values
	}
	query.Set("account", s.username)
	query.Set("client_id", clientID)
	target.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Failed, "%s: %w", server.hop, err)
	}
	r.SetBasicAuth(s.username, s.password.Reveal())
	return r, nil
}

func (s *session) refreshRequest(ctx context.Context, server tokenServer) (*http.Request, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.password.Reveal()}, "client_id": {clientID}}
	for key, values := range server.query {
		form[key] = values
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.url.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.New(fault.Failed, "%s: %w", server.hop, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, nil
}

// identity says who the token is for, as far as it tells.
func (s *session) identity(server tokenServer, t token) connector.Identity {
	claims := claimsOf(t.text)
	id := connector.Identity{Name: s.username, Detail: "logged in at " + server.hop.Name}
	if s.identityToken() {
		id.Name = "identity token"
		if claims.Subject != "" {
			id.Name = hop.OneLine(claims.Subject)
		}
	}
	if claims.Issuer != "" {
		id.Detail += ", issuer " + hop.OneLine(claims.Issuer)
	}
	if t.scope != "" {
		id.Detail += ", scope " + hop.OneLine(t.scope)
	}
	id.Name, id.Detail = hop.Scrubbed(id.Name, t.text, s.password), hop.Scrubbed(id.Detail, t.text, s.password)
	return id
}

type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
}

// claimsOf reads who a token is from and for, where it is a JSON web token. It proves
// nothing and is for showing only: the registry checks the token.
func claimsOf(t secret.Text) (c claims) {
	parts := strings.Split(t.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}
