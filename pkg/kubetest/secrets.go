package kubetest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"sync"
)

// namespaceNames are the namespaces that there are.
var namespaceNames = []string{"default", "kube-system"}

// Secret is an object of that kind as it was applied.
type Secret struct {
	Type        string
	Manager     string // who applied it
	Labels      map[string]string
	Annotations map[string]string
	Data        map[string][]byte
}

// vault has the secrets, by NAMESPACE/NAME.
type vault struct {
	mu      sync.Mutex
	secrets map[string]Secret
}

// Secret returns a secret of the cluster.
func (s *Server) Secret(namespace, name string) (Secret, bool) {
	s.vault.mu.Lock()
	defer s.vault.mu.Unlock()
	found, ok := s.vault.secrets[namespace+"/"+name]
	return found, ok
}

// PutSecret makes a secret, or replaces it, without being asked who does so.
func (s *Server) PutSecret(namespace, name string, secret Secret) {
	s.vault.mu.Lock()
	defer s.vault.mu.Unlock()
	if s.vault.secrets == nil {
		s.vault.secrets = map[string]Secret{}
	}
	s.vault.secrets[namespace+"/"+name] = secret
}

// appliedSecret is a Secret as it is sent. Data is base64 there.
type appliedSecret struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Type string            `json:"type"`
	Data map[string][]byte `json:"data"`
}

// applySecret answers server-side apply. What somebody else manages is a conflict,
// unless force is asked for.
func (s *Server) applySecret(c call) {
	namespace, name, manager := c.r.PathValue("namespace"), c.r.PathValue("name"), c.r.URL.Query().Get("fieldManager")
	in, ok := c.readApplied(namespace, name, manager)
	if !ok {
		return
	}
	before, there := s.Secret(namespace, name)
	switch {
	case !slices.Contains(namespaceNames, namespace):
		refuse(c.w, http.StatusNotFound, "NotFound", fmt.Sprintf("namespaces %q not found", namespace))
		return
	case there && before.Manager != manager && c.r.URL.Query().Get("force") != "true":
		refuse(c.w, http.StatusConflict, "Conflict", fmt.Sprintf("Apply failed with 1 conflict: conflict with %q using v1: .data", before.Manager))
		return
	case there && before.Type != in.Type:
		c.invalid(fmt.Sprintf("Secret %q is invalid: type: Invalid value: %q: field is immutable", name, in.Type))
		return
	}
	s.PutSecret(namespace, name, Secret{Type: in.Type, Manager: manager, Labels: in.Metadata.Labels, Annotations: in.Metadata.Annotations, Data: in.Data})
	status := http.StatusCreated
	if there {
		status = http.StatusOK
	}
	respond(c.w, status, in)
}

func (c call) readApplied(namespace, name, manager string) (in appliedSecret, ok bool) {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, 3<<20))
	switch {
	case kind != "application/apply-patch+yaml":
		refuse(c.w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body of the request was in an unknown format")
	case err != nil || json.Unmarshal(text, &in) != nil || in.APIVersion != "v1" || in.Kind != "Secret":
		refuse(c.w, http.StatusBadRequest, "BadRequest", "the object provided is unrecognized (must be of type Secret)")
	case manager == "":
		c.invalid("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
	case in.Metadata.Name != name || in.Metadata.Namespace != "" && in.Metadata.Namespace != namespace:
		refuse(c.w, http.StatusBadRequest, "BadRequest", "the name of the object does not match the name on the URL")
	case in.Type == "kubernetes.io/dockerconfigjson" && !json.Valid(in.Data[".dockerconfigjson"]):
		c.invalid(fmt.Sprintf("Secret %q is invalid: data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character", name))
	default:
		return in, true
	}
	return in, false
}
