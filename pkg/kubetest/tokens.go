package kubetest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Bounds of what TokenRequest takes, in seconds.
const (
	leastLifetime    = 600
	greatestLifetime = 1 << 32
	defaultLifetime  = 3600
)

type tokenRequest struct {
	typed
	Spec struct {
		Audiences         []string `json:"audiences"`
		ExpirationSeconds *int64   `json:"expirationSeconds"`
	} `json:"spec"`
}

// requestToken answers a TokenRequest.
func (s *Server) requestToken(c call) {
	var in tokenRequest
	if !c.read("authentication.k8s.io/v1", "TokenRequest", &in) {
		return
	}
	namespace, name := c.r.PathValue("namespace"), c.r.PathValue("name")
	if !slices.Contains(s.options.ServiceAccounts, namespace+"/"+name) {
		refuse(c.w, http.StatusNotFound, "NotFound", fmt.Sprintf("serviceaccounts %q not found", name))
		return
	}
	seconds := int64(defaultLifetime)
	if in.Spec.ExpirationSeconds != nil {
		seconds = *in.Spec.ExpirationSeconds
	}
	switch {
	case seconds < leastLifetime:
		c.invalid(fmt.Sprintf("TokenRequest.authentication.k8s.io %q is invalid: spec.expirationSeconds: Invalid value: %d: may not specify a duration less than 10 minutes", "", seconds))
		return
	case seconds > greatestLifetime:
		c.invalid(fmt.Sprintf("TokenRequest.authentication.k8s.io %q is invalid: spec.expirationSeconds: Too long: may not be more than %d", "", greatestLifetime))
		return
	}
	if most := int64(s.options.MaxTokenLifetime.Seconds()); most > 0 {
		seconds = min(seconds, most)
	}
	if len(in.Spec.Audiences) == 0 {
		in.Spec.Audiences = []string{audience}
	}
	s.grantToken(c, in, "system:serviceaccount:"+namespace+":"+name, time.Duration(seconds)*time.Second)
}

func (s *Server) grantToken(c call, in tokenRequest, subject string, lifetime time.Duration) {
	now := s.options.Now()
	end := now.Add(lifetime).Truncate(time.Second)
	token, err := s.accounts.sign(tokenClaims{Subject: subject, Audience: in.Spec.Audiences, IssuedAt: now.Unix(), Expires: end.Unix()})
	if err != nil {
		refuse(c.w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	respond(c.w, http.StatusCreated, map[string]any{
		"apiVersion": in.APIVersion, "kind": in.Kind, "metadata": map[string]any{},
		"spec":   map[string]any{"audiences": in.Spec.Audiences, "expirationSeconds": int64(lifetime.Seconds())},
		"status": map[string]any{"token": token, "expirationTimestamp": end.UTC().Format(time.RFC3339)},
	})
}
