package kubetest

import (
	"net/http"
)

// review answers a SelfSubjectReview.
func (s *Server) review(c call) {
	apiVersion := "authentication.k8s.io/" + s.reviewVersion()
	var in typed
	if !c.read(apiVersion, "SelfSubjectReview", &in) {
		return
	}
	respond(c.w, http.StatusCreated, map[string]any{
		"apiVersion": apiVersion, "kind": "SelfSubjectReview", "metadata": map[string]any{},
		"status": map[string]any{"userInfo": map[string]any{"username": c.user.Name, "groups": c.user.Groups}},
	})
}

// accessReview is a SelfSubjectAccessReview.
type accessReview struct {
	typed
	Spec struct {
		ResourceAttributes *struct {
			Group       string `json:"group"`
			Verb        string `json:"verb"`
			Resource    string `json:"resource"`
			Subresource string `json:"subresource"`
			Name        string `json:"name"`
		} `json:"resourceAttributes"`
		NonResourceAttributes *struct {
			Path string `json:"path"`
			Verb string `json:"verb"`
		} `json:"nonResourceAttributes"`
	} `json:"spec"`
}

// reviewAccess answers a SelfSubjectAccessReview by the rules that hold for requests.
func (s *Server) reviewAccess(c call) {
	var in accessReview
	if !c.read("authorization.k8s.io/v1", "SelfSubjectAccessReview", &in) {
		return
	}
	what := ""
	switch resource, path := in.Spec.ResourceAttributes, in.Spec.NonResourceAttributes; {
	case (resource == nil) == (path == nil):
		c.invalid("spec: exactly one of nonResourceAttributes or resourceAttributes must be specified")
		return
	case path != nil:
		what = path.Verb + " " + path.Path
	case resource.Subresource != "":
		what = resource.Verb + " " + resource.Resource + "/" + resource.Subresource
	default:
		what = resource.Verb + " " + resource.Resource
	}
	respond(c.w, http.StatusCreated, map[string]any{
		"apiVersion": in.APIVersion, "kind": in.Kind, "metadata": map[string]any{},
		"status": map[string]any{"allowed": s.authorize(c.user, what)},
	})
}
