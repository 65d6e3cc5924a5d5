package registrytest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// access is one thing that a request does, as tokens grant it.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (a access) String() string {
	return fmt.Sprintf("%s:%s:%s", a.Type, a.Name, strings.Join(a.Actions, ","))
}

// guarded is the registry behind its authentication.
func (s *Server) guarded(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v2" && !strings.HasPrefix(r.URL.Path, "/v2/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	allowed := true
	switch s.options.Mode {
	case Basic:
		allowed = s.basic(w, r)
	case Bearer:
		allowed = s.bearer(w, r)
	}
	if allowed {
		s.storage.ServeHTTP(w, r)
	}
}

// basic lets a request through, or answers it.
func (s *Server) basic(w http.ResponseWriter, r *http.Request) bool {
	want, needed := wanted(r)
	if r.Header.Get("Authorization") == "" && needed && s.isPublic(want) {
		return true
	}
	name, password, _ := r.BasicAuth()
	user, known := s.login(name, password)
	if !known {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+service+`"`)
		registryError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return false
	}
	faketest.Identify(w, name)
	if needed && user.ReadOnly && !readsOnly(want) {
		registryError(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
		return false
	}
	return true
}

// login finds the user with that name and password.
func (s *Server) login(name, password string) (User, bool) {
	user, known := s.options.Users[name]
	same := subtle.ConstantTimeCompare([]byte(user.Password), []byte(password)) == 1
	return user, known && same && password != ""
}

// bearer lets a request through, or answers it.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) bool {
	want, needed := wanted(r)
	granted, problem := s.checkToken(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if problem == "" {
		faketest.Identify(w, granted.Subject)
		switch {
		case needed && !granted.allows(want):
			problem = "insufficient_scope"
		case !needed && granted.Subject == "":
			problem = "invalid_token" // a token that was given to nobody opens nothing but public repositories
		default:
			return true
		}
	}
	challenge := fmt.Sprintf("Bearer realm=%q,service=%q", s.realm(), service)
	if needed {
		challenge += fmt.Sprintf(",scope=%q", want)
	}
	if r.Header.Get("Authorization") != "" {
		challenge += fmt.Sprintf(",error=%q", problem)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	registryError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	return false
}

func (s *Server) realm() string {
	if s.options.Realm != "" {
		return s.options.Realm
	}
	return s.scheme() + "://" + s.TokenHost() + tokenPath
}

// wanted is what a request needs to be granted; false for the version check, which
// needs a login and nothing more.
func wanted(r *http.Request) (access, bool) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if path == "_catalog" {
		return access{"registry", "catalog", []string{"*"}}, true
	}
	for _, kind := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(path, kind); i > 0 {
			return access{"repository", path[:i], actions(r.Method)}, true
		}
	}
	return access{}, false
}

func actions(method string) []string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return []string{"pull"}
	case http.MethodDelete:
		return []string{"delete"}
	}
	return []string{"pull", "push"}
}

func readsOnly(a access) bool {
	return !slices.ContainsFunc(a.Actions, func(action string) bool { return action != "pull" })
}

func (s *Server) isPublic(a access) bool {
	return s.options.Public != "" && a.Type == "repository" && strings.HasPrefix(a.Name, s.options.Public) && readsOnly(a)
}

func authScheme(r *http.Request) string {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme
}

// registryError answers in the format of the distribution specification.
func registryError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
