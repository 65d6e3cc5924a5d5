package gcptest

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// accessToken is an access token that was issued.
type accessToken struct {
	text     string
	who      *principal
	scopes   []string
	issued   time.Time
	expires  time.Time
	revoked  bool
	client   string        // the OAuth client that it was issued to; "" where there was none
	refresh  *refreshToken // that it came from; nil where it came from none
	boundary *boundary     // nil is none
	parent   *accessToken  // that it was made from, by a boundary; nil where it was not
	sts      bool          // the Security Token Service issued it: tokeninfo does not know it
}

// tokens are those that were issued. Server.mu guards them.
type tokens struct {
	access  map[string]*accessToken
	refresh map[string]*refreshToken
	codes   map[string]*authCode
	devices map[string]*deviceCode
}

func newTokens() tokens {
	return tokens{
		access: map[string]*accessToken{}, refresh: map[string]*refreshToken{}, codes: map[string]*authCode{}, devices: map[string]*deviceCode{},
	}
}

// The usual lifetimes, and how tokens begin.
const (
	accessLifetime = time.Hour
	accountPrefix  = "ya29.c."
	userPrefix     = "ya29.a0"
	stsPrefix      = "ya29.d."
	boundPrefix    = "ya29.dr."
	refreshPrefix  = "1//0"
	codePrefix     = "4/0"
)

// issue makes an access token good and gives it its text. The caller holds the lock.
func (s *Server) issue(prefix string, lifetime time.Duration, t accessToken) *accessToken {
	t.text, t.issued = prefix+randomText(), s.now()
	t.expires = t.issued.Add(lifetime)
	s.tokens.access[t.text] = &t
	return &t
}

// randomText is what is secret in a token.
func randomText() string {
	raw := make([]byte, 48)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// live is the token of a text, nil where there is none that is good now. The caller holds
// the lock.
func (s *Server) live(text string) *accessToken {
	t := s.tokens.access[text]
	if t == nil || !t.liveAt(s.now()) {
		return nil
	}
	return t
}

func (t *accessToken) liveAt(now time.Time) bool {
	switch {
	case t.revoked || !now.Before(t.expires):
		return false
	case t.refresh != nil && t.refresh.revoked:
		return false
	case t.who.account != nil && t.who.account.disabled:
		return false
	}
	return t.parent == nil || t.parent.liveAt(now)
}

// hasScope says whether the token has one of some scopes.
func (t *accessToken) hasScope(any []string) bool {
	return slices.ContainsFunc(any, func(scope string) bool { return slices.Contains(t.scopes, scope) })
}

// IssueToken makes an access token of a member, as "user:jane@example.com", out of nowhere.
// The scope is one or several, separated by spaces; "" is cloud-platform and the e-mail
// address. A service account must be one of this Google's projects for what only accounts
// can do.
func (s *Server) IssueToken(member, scope string, lifetime time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if scope == "" {
		scope = scopeCloudPlatform + " " + scopeEmail
	}
	who, prefix := s.principalOf(member)
	return s.issue(prefix, lifetime, accessToken{who: who, scopes: strings.Fields(scope), sts: prefix == stsPrefix}).text
}

// principalOf is somebody by the name that grants have, and how their tokens begin.
func (s *Server) principalOf(member string) (*principal, string) {
	kind, name, _ := strings.Cut(member, ":")
	switch {
	case kind == "serviceAccount" && s.accountOf(name) != nil:
		return s.accountOf(name).principal(), accountPrefix
	case kind == "serviceAccount":
		return &principal{member: member, name: name, email: name}, accountPrefix
	case kind == "user":
		return s.person(name).principal(), userPrefix
	}
	return &principal{member: member, name: member}, stsPrefix
}

// TokenInfo is whose an access token is, and whether it is good now. It says no more than a
// name: an e-mail address, or principal://….
func (s *Server) TokenInfo(token string) (name string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.live(token)
	if t == nil {
		return "", false
	}
	return t.who.name, true
}

// RevokeToken ends an access token, and those that a boundary made from it, or a refresh
// token and those that came from it. What is none is ignored.
func (s *Server) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoke(token)
}

// revoke says whether there was such a token.
func (s *Server) revoke(token string) bool {
	if t := s.tokens.access[token]; t != nil {
		t.revoked = true
		return true
	}
	if t := s.tokens.refresh[token]; t != nil {
		t.revoked = true
		return true
	}
	return false
}
