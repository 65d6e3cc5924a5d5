package docker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// patience bounds a verification whose caller sets no deadline.
const patience = 30 * time.Second

// Verify logs in as docker does: the registry's challenge, then HTTP basic
// authentication or a token of its token server, then the version check with it.
func (s *session) Verify(ctx context.Context) (connector.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := s.ping(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	switch strings.ToLower(d.challenge.Scheme) {
	case "":
		return connector.Identity{Name: "anonymous", Detail: fmt.Sprintf(
			"%s asks nobody to log in, so the user name %s and its password could not be confirmed", s.hop(), s.username)}, nil
	case "basic":
		return s.verifyBasic(ctx, d)
	case "bearer":
		return s.verifyBearer(ctx, d)
	}
	return connector.Identity{}, fault.New(fault.Failed, "%s wants a kind of login that svcconn does not know, %q", s.hop(), hop.OneLine(d.challenge.Scheme))
}

// identityToken reports whether the password is an OAuth2 refresh token.
func (s *session) identityToken() bool { return s.username == connector.IdentityTokenUser }

func (s *session) verifyBasic(ctx context.Context, d door) (connector.Identity, error) {
	if s.identityToken() {
		return connector.Identity{}, fault.New(fault.Denied, "%s has no token server that could take an identity token", s.hop()).
			Hint("register with a user name of its own and a password or access token")
	}
	err := s.enter(ctx, d, func(r *http.Request) { r.SetBasicAuth(s.username, s.password.Reveal()) })
	if err != nil {
		return connector.Identity{}, s.wrongPassword(err)
	}
	return connector.Identity{Name: s.username, Detail: "logged in by HTTP basic authentication"}, nil
}

func (s *session) verifyBearer(ctx context.Context, d door) (connector.Identity, error) {
	server, err := s.tokenServer(d)
	if err != nil {
		return connector.Identity{}, err
	}
	token, err := s.exchange(ctx, server)
	if err != nil {
		return connector.Identity{}, s.wrongPassword(err)
	}
	err = s.enter(ctx, d, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.text.Reveal()) })
	if err != nil {
		return connector.Identity{}, fault.Within(err, "with the token that %s gave", server.hop)
	}
	return s.identity(server, token), nil
}

func (s *session) wrongPassword(err error) error {
	if !fault.Is(err, fault.Denied) {
		return err
	}
	return fault.WithHint(err, "check user name and password; registries with single sign-on or a second factor want an access token in place of the password")
}

// enter asks for the registry's version check with an Authorization header.
func (s *session) enter(ctx context.Context, d door, authorize func(*http.Request)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return fault.New(fault.Failed, "%s: %w", s.hop(), err)
	}
	authorize(r)
	_, err = s.ask(r, s.hop(), refusedBy(s.hop()))
	return err
}

// ask sends a request that carries the password or what it was exchanged for, and
// returns the body of a good answer. It follows redirects to where it already is, and
// to nowhere else.
func (s *session) ask(r *http.Request, h hop.Hop, refused refusal) ([]byte, error) {
	client := &http.Client{Transport: s.transport, CheckRedirect: sameOrigin}
	r.Header.Set("User-Agent", "svcconn")
	response, err := client.Do(r)
	if err != nil {
		return nil, h.Silent(r.Context(), err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if response.StatusCode != http.StatusOK { // then what arrived says enough
		_, presented, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		words := hop.Scrubbed(said(body), secret.New(presented), s.password)
		return nil, refused(response.StatusCode, response.Header, hop.Status(response.StatusCode, words))
	}
	if err != nil {
		return nil, h.Silent(r.Context(), err)
	}
	return body, nil
}

// sameOrigin refuses redirects to another host, port or scheme. Go's own rule lets
// credentials through to subdomains and other ports, and bodies everywhere.
func sameOrigin(r *http.Request, via []*http.Request) error {
	from := via[0].URL
	if r.URL.Scheme != from.Scheme || !strings.EqualFold(r.URL.Host, from.Host) {
		return fault.New(fault.Failed, "it redirects the login to %s://%s, where the password does not belong", r.URL.Scheme, r.URL.Host).
			Hint("if that is the registry's real name, register it under that")
	}
	if len(via) > maxRedirects {
		return fault.New(fault.Failed, "it redirects in circles")
	}
	return nil
}

const maxRedirects = 5
