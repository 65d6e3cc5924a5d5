//go:build e2e && linux

package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// tokenServer issues bearer tokens as Docker Hub, GHCR, GitLab and Harbor do: to
// GET with basic authentication, and to POST with a password or an identity
// token (OAuth2). The registry checks their signature.
type tokenServer struct {
	*httptest.Server
	world    *world
	registry *registry
	setup    setup
	signer   keyPair

	mu       sync.Mutex
	identity map[string]bool // the identity tokens that are valid
}

// access is what one scope asks for, as the registry wants it in the token.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func startTokenServer(w *world, r *registry, s setup) *tokenServer {
	ts := &tokenServer{world: w, registry: r, setup: s, signer: newAuthority(w.t), identity: map[string]bool{}}
	ts.Server = httptest.NewServer(http.HandlerFunc(ts.answer))
	w.t.Cleanup(ts.Close)
	return ts
}

// registryAuth is the part of the registry's configuration that trusts us. The
// realm has a host name: go-containerregistry follows none to a private address.
func (ts *tokenServer) registryAuth(w *world) string {
	bundle := w.file(ts.signer.certPEM(), w.unique("trust"))
	return fmt.Sprintf("  token: {realm: %q, service: e2e, issuer: e2e, rootcertbundle: %q}\n", strings.Replace(ts.URL, "127.0.0.1", "localhost", 1)+"/token", bundle)
}

func (ts *tokenServer) answer(rw http.ResponseWriter, req *http.Request) {
	known, tried := ts.authenticate(req)
	if tried && !known {
		http.Error(rw, `{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}`, http.StatusUnauthorized)
		return
	}
	token := ts.sign(ts.grant(req.Form["scope"], known))
	reply := map[string]any{"token": token, "access_token": token, "expires_in": 300, "issued_at": time.Now().UTC().Format(time.RFC3339)}
	if known && ts.setup.identity && (req.Form.Get("offline_token") == "true" || req.Form.Get("access_type") == "offline") {
		reply["refresh_token"] = ts.newIdentityToken()
	}
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(reply)
}

// authenticate says whether the caller is the registry's user, and whether it
// gave credentials at all.
func (ts *tokenServer) authenticate(req *http.Request) (known, tried bool) {
	req.ParseForm()
	right := func(user, password string) bool { return user == ts.registry.user && password == ts.registry.password }
	if user, password, ok := req.BasicAuth(); ok {
		return right(user, password), true
	}
	if req.Method != http.MethodPost {
		return false, false
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if req.Form.Get("grant_type") == "refresh_token" {
		return ts.identity[req.Form.Get("refresh_token")], true
	}
	return right(req.Form.Get("username"), req.Form.Get("password")), true
}

// grant gives the user everything, and everybody the public repository to read.
func (ts *tokenServer) grant(scopes []string, known bool) []access {
	granted := []access{}
	for _, scope := range strings.Fields(strings.Join(scopes, " ")) {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndex(rest, ":")
		if colon < 0 {
			continue
		}
		a := access{kind, rest[:colon], strings.Split(rest[colon+1:], ",")}
		if !known {
			a.Actions = []string{"pull"}
		}
		if known || a.Name == ts.setup.publicRepo {
			granted = append(granted, a)
		}
	}
	return granted
}

func (ts *tokenServer) newIdentityToken() string {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	token := ts.world.secret()
	ts.identity[token] = true
	return token
}

// sign makes the JWT: ES256, with the certificate in its header (RFC 7515, 4.1.6).
func (ts *tokenServer) sign(granted []access) string {
	now := time.Now()
	head := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(ts.signer.cert.Raw)}}
	claims := map[string]any{
		"iss": "e2e", "sub": ts.registry.user, "aud": "e2e", "jti": rand.Text(), "access": granted,
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	signed := segment(head) + "." + segment(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, _ := signDigest(ts.signer, digest[:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(append(r, s...))
}

func segment(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}
