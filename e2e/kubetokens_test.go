//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// user is somebody whom a bearer token makes one.
type user struct {
	name, token string
	groups      []string
}

// reviewer decides on bearer tokens for the API server, as EKS does: a webhook. A
// token can so be made and revoked at any time, which a token file cannot do.
type reviewer struct {
	server *httptest.Server
	mu     sync.Mutex
	users  map[string]user // by token
}

func startReviewer() *reviewer {
	r := &reviewer{users: map[string]user{}}
	r.server = httptest.NewServer(r)
	return r
}

func (r *reviewer) kubeconfig() string {
	return fmt.Sprintf(`{"clusters": [{"name": "e2e", "cluster": {"server": %q}}], "users": [{"name": "e2e", "user": {}}],
  "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}], "current-context": "e2e"}`, r.server.URL)
}

// ServeHTTP answers a TokenReview.
func (r *reviewer) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	var review struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct{ Token string }
	}
	if err := json.NewDecoder(req.Body).Decode(&review); err != nil || review.Kind != "TokenReview" {
		http.Error(rw, "not a TokenReview", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	user, known := r.users[review.Spec.Token]
	r.mu.Unlock()
	status := object{"authenticated": known}
	if known {
		status["user"] = object{"username": user.name, "groups": user.groups}
	}
	json.NewEncoder(rw).Encode(object{"apiVersion": review.APIVersion, "kind": review.Kind, "status": status})
}

// newUser makes up a user of some groups, one of the readers at least, whose token
// is a secret of the world.
func (c *cluster) newUser(w *world, groups ...string) user {
	u := user{name: c.unique("user-"), token: w.plainSecret(), groups: append([]string{readers}, groups...)}
	c.tokens.accept(u)
	return u
}

func (r *reviewer) accept(u user) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users[u.token] = user{u.name, u.token, slices.Clone(u.groups)}
}

// newToken gives the user another token, beside the one that there is.
func (c *cluster) newToken(w *world, u user) user {
	u.token = w.plainSecret()
	c.tokens.accept(u)
	return u
}

// revoke makes the user's token worth nothing and waits until the API server has
// forgotten it, which takes up to 10 seconds.
func (c *cluster) revoke(t *testing.T, u user) {
	t.Helper()
	c.tokens.mu.Lock()
	delete(c.tokens.users, u.token)
	c.tokens.mu.Unlock()
	c.awaitRefusal(t, u.token)
}

// awaitRefusal waits until the API server refuses a token.
func (c *cluster) awaitRefusal(t *testing.T, token string) {
	t.Helper()
	eventually(t, "the API server refuses the token", func() bool {
		req, err := http.NewRequest(http.MethodGet, c.url+"/api/v1/namespaces", nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := c.client.Do(req)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode == http.StatusUnauthorized
	})
}
