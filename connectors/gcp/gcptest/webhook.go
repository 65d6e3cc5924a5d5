package gcptest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

// maxReview is the most that the body of a token review may have.
const maxReview = 1 << 20

// tokenReview is the question and the answer of authentication.k8s.io/v1.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
type tokenReview struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Spec       *reviewSpec    `json:"spec,omitempty"`
	Status     map[string]any `json:"status,omitempty"`
}

type reviewSpec struct {
	Token string `json:"token"`
}

const (
	reviewVersion = "authentication.k8s.io/v1"
	reviewKind    = "TokenReview"
)

// Authenticator is a webhook that authenticates Google's access tokens for an API server
// (--authentication-token-webhook-config-file) as Kubernetes Engine does: who has one is
// called by the e-mail address, or by a number where the token lacks the scope
// userinfo.email. It takes tokens that this Google issued for cloud-platform, which are
// good now and have no access boundary. Its calls are in the journal as service "gke",
// action "authenticate".
func (s *Server) Authenticator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxReview))
		var asked tokenReview
		if err != nil || json.Unmarshal(body, &asked) != nil || asked.Spec == nil || asked.Kind != reviewKind || asked.APIVersion != reviewVersion {
			http.Error(w, "a TokenReview of "+reviewVersion+" is wanted", http.StatusBadRequest)
			return
		}
		s.temper.Wait(hr.Context())
		text, _ := json.Marshal(tokenReview{APIVersion: reviewVersion, Kind: reviewKind, Status: s.review(asked.Spec.Token)}) // texts
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
}

// review is the status of a token review.
func (s *Server) review(text string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.live(text)
	call := Call{Service: "gke", Action: "authenticate", Code: "Unauthorized", Time: s.now()}
	if t == nil || t.boundary != nil || !t.hasScope([]string{scopeCloudPlatform}) {
		s.journal.Add(call)
		return map[string]any{"authenticated": false, "error": "the access token is not accepted"}
	}
	call.Principal, call.Code = t.who.name, ""
	s.journal.Add(call)
	user := map[string]any{"username": t.username()}
	return map[string]any{"authenticated": true, "user": user}
}

// username is what a cluster calls the owner of a token.
// https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control#forbidden_error_for_service_accounts_on_vm_instances
func (t *accessToken) username() string {
	switch {
	case t.who.email == "":
		return t.who.name
	case slices.Contains(t.scopes, scopeEmail):
		return t.who.email
	}
	return digits(t.who.email)
}
