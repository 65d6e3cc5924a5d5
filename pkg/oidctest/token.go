package oidctest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// family is all refresh tokens that came of one login. The one in current is good;
// using another one of them revokes the family.
type family struct {
	grant   grant
	current string
	revoked bool
}

// DeviceGrant is the grant type of RFC 8628.
const DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	client, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.byCode(w, client, r.PostForm)
	case "refresh_token":
		s.byRefreshToken(w, client, r.PostForm)
	case DeviceGrant:
		s.byDeviceCode(w, client, r.PostForm)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

// authenticate finds out which client asks; false means that it was refused.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.URL.RawQuery != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", "a form by POST is expected, and nothing in the URL")
		return "", false
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	user, password, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(user)
		password, _ = url.QueryUnescape(password)
	}
	client, known := s.clients[id]
	switch {
	case client.Secret == "":
		ok = known && !basic && secret == ""
	case client.Post:
		ok = known && !basic && equal(secret, client.Secret)
	default:
		ok = known && basic && secret == "" && equal(password, client.Secret)
	}
	if !ok {
		refuse(w, http.StatusUnauthorized, "invalid_client", "the client is unknown, or its secret is wrong or in the wrong place")
	}
	return id, ok
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Server) byCode(w http.ResponseWriter, client string, form url.Values) {
	g, known := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !known, g.client != client, g.redirect != form.Get("redirect_uri"), !s.now().Before(g.expires):
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is unknown, used, expired or of another client")
	case len(form.Get("code_verifier")) < 43 || !equal(encode(sum[:]), g.challenge):
		refuse(w, http.StatusBadRequest, "invalid_grant", "the PKCE verifier is wrong")
	default:
		s.hand(w, g, s.newFamily(g), true)
	}
}

func (s *Server) byRefreshToken(w http.ResponseWriter, client string, form url.Values) {
	given := form.Get("refresh_token")
	f := s.refresh[given]
	switch {
	case f == nil || f.revoked || f.grant.client != client:
		refuse(w, http.StatusBadRequest, "invalid_grant", "the refresh token is unknown or revoked")
		return
	case f.current != given: // spent: whoever has it may have stolen it
		f.revoked = true
		refuse(w, http.StatusBadRequest, "invalid_grant", "the refresh token was used before; the login is revoked")
		return
	}
	next := ""
	if s.behaviour.Rotate {
		next = s.newRefreshToken(f)
	}
	g := f.grant
	g.nonce = ""
	s.hand(w, g, next, !s.behaviour.NoIDTokenOnRefresh)
}

// newFamily starts a login's refresh tokens; "" where none are given.
func (s *Server) newFamily(g grant) string {
	if !g.offline() || s.behaviour.NoRefreshToken {
		return ""
	}
	return s.newRefreshToken(&family{grant: g})
}

func (s *Server) newRefreshToken(f *family) string {
	f.current = "refresh-" + rand.Text()
	s.refresh[f.current] = f
	return f.current
}

// hand answers with tokens.
func (s *Server) hand(w http.ResponseWriter, g grant, refreshToken string, withIDToken bool) {
	now := s.now()
	expires := now.Add(s.behaviour.lifetime())
	access, err := s.signer.sign(map[string]any{
		"iss": s.issuer(), "sub": s.behaviour.subject(), "aud": "api", "exp": expires.Unix(), "jti": rand.Text(),
	}, false)
	body := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(s.behaviour.lifetime() / time.Second)}
	if err == nil && withIDToken {
		body["id_token"], err = s.idToken(g, access, now, expires)
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	if refreshToken != "" {
		body["refresh_token"] = refreshToken
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) idToken(g grant, access string, now, expires time.Time) (string, error) {
	sum := sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": s.issuer(), "sub": s.behaviour.subject(), "aud": g.client, "iat": now.Unix(), "exp": expires.Unix(),
		"at_hash": encode(sum[:16]), "jti": rand.Text(),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if s.behaviour.WrongNonce {
		claims["nonce"] = "another-" + g.nonce
	}
	maps.Copy(claims, s.behaviour.Claims)
	token, err := s.signer.sign(claims, s.behaviour.BadSignature)
	if err == nil && !s.behaviour.BadSignature {
		s.issued[token] = claims
	}
	return token, err
}
