package registrytest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

const tokenPath = "/token"

// Issuer is who the tokens of the token server say that issued them.
const Issuer = "registrytest token server"

// claims are the content of a token, in the format of the distribution project.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	Access   []access `json:"access"`
}

func (c claims) allows(want access) bool {
	for _, action := range want.Actions {
		if !slices.ContainsFunc(c.Access, func(a access) bool {
			return a.Type == want.Type && a.Name == want.Name && slices.Contains(a.Actions, action)
		}) {
			return false
		}
	}
	return true
}

// token is the token server: GET with basic authentication, or OAuth2 by POST.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.options.Mode != Bearer || r.URL.Path != tokenPath:
		http.NotFound(w, r)
	case r.Method == http.MethodGet:
		s.tokenByBasic(w, r)
	case r.Method == http.MethodPost:
		s.tokenByOAuth(w, r)
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

func (s *Server) tokenByBasic(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("service") != service {
		writeJSON(w, http.StatusBadRequest, map[string]string{"details": "unknown service"})
		return
	}
	name, password, given := r.BasicAuth()
	user, known := s.login(name, password)
	anonymous := !given && r.Header.Get("Authorization") == "" && s.options.Public != ""
	account := query.Get("account")
	if !known && !anonymous || known && account != "" && account != name {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"details": "incorrect username or password"})
		return
	}
	faketest.Identify(w, name)
	token := s.issue(name, user, query["scope"])
	body := map[string]any{"token": token, "access_token": token}
	if query.Get("offline_token") == "true" && user.IdentityToken != "" {
		body["refresh_token"] = user.IdentityToken
	}
	s.writeToken(w, body)
}

func (s *Server) tokenByOAuth(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("service") != service || r.PostForm.Get("client_id") == "" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request", "error_description": "service or client_id is missing or wrong"})
		return
	}
	name, user, problem := s.grant(r)
	if problem != "" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": problem, "error_description": "the grant is unknown, expired or revoked"})
		return
	}
	faketest.Identify(w, name)
	body := map[string]any{"access_token": s.issue(name, user, r.PostForm["scope"]), "scope": r.PostForm.Get("scope"), "token_type": "Bearer"}
	if user.IdentityToken != "" && (r.PostForm.Get("grant_type") == "refresh_token" || r.PostForm.Get("access_type") == "offline") {
		body["refresh_token"] = user.IdentityToken
	}
	s.writeToken(w, body)
}

// grant checks what an OAuth2 request presents.
func (s *Server) grant(r *http.Request) (name string, user User, problem string) {
	switch r.PostForm.Get("grant_type") {
	case "password":
		name = r.PostForm.Get("username")
		if user, known := s.login(name, r.PostForm.Get("password")); known {
			return name, user, ""
		}
	case "refresh_token":
		given := r.PostForm.Get("refresh_token")
		for name, user := range s.options.Users {
			if user.IdentityToken != "" && subtle.ConstantTimeCompare([]byte(user.IdentityToken), []byte(given)) == 1 {
				return name, user, ""
			}
		}
	default:
		return "", User{}, "unsupported_grant_type"
	}
	return "", User{}, "invalid_grant"
}

func (s *Server) writeToken(w http.ResponseWriter, body map[string]any) {
	body["expires_in"] = int(s.options.TokenLifetime / time.Second)
	body["issued_at"] = s.options.Now().UTC().Format(time.RFC3339)
	writeJSON(w, http.StatusOK, body)
}

// issue makes a token with as much of the scopes as the user may have; nobody is the
// zero user without a name.
func (s *Server) issue(name string, user User, scopes []string) string {
	now := s.options.Now()
	c := claims{Issuer: Issuer, Subject: name, Audience: service, IssuedAt: now.Unix(), Expires: now.Add(s.options.TokenLifetime).Unix()}
	for scope := range strings.FieldsSeq(strings.Join(scopes, " ")) {
		if granted, ok := s.granted(name, user, scope); ok {
			c.Access = append(c.Access, granted)
		}
	}
	return s.sign(c)
}

func (s *Server) granted(name string, user User, scope string) (access, bool) {
	first, last := strings.Index(scope, ":"), strings.LastIndex(scope, ":")
	if first < 0 || first == last {
		return access{}, false
	}
	want := access{Type: scope[:first], Name: scope[first+1 : last]}
	for action := range strings.SplitSeq(scope[last+1:], ",") {
		one := access{want.Type, want.Name, []string{action}}
		if s.isPublic(one) || name != "" && (!user.ReadOnly || readsOnly(one)) {
			want.Actions = append(want.Actions, action)
		}
	}
	return want, len(want.Actions) > 0
}

func newKey() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
}

// sign makes a JSON web token.
func (s *Server) sign(c claims) string {
	payload, _ := json.Marshal(c) // plain strings and numbers
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload)
	return text + "." + encode(s.mac(text))
}

func (s *Server) mac(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// checkToken returns what a token grants, or the OAuth2 code of what is wrong.
func (s *Server) checkToken(token string) (claims, string) {
	var c claims
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(encode(s.mac(token[:i]))), []byte(token[i+1:])) {
		return claims{}, "invalid_token"
	}
	_, payload, _ := strings.Cut(token[:i], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Audience != service || s.options.Now().Unix() >= c.Expires {
		return claims{}, "invalid_token"
	}
	return c, ""
}
