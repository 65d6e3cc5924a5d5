package kubetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// call is an authenticated and authorized request for something.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	user User
}

// routes is what the version has. What it does not have is a page that is not found,
// and not a Status object: so the real one does with unknown API groups.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /version", s.version)
	mux.Handle("GET /api/v1/namespaces", s.guarded("list namespaces", s.namespaces))
	mux.Handle("PATCH /api/v1/namespaces/{namespace}/secrets/{name}", s.guarded("patch secrets", s.applySecret))
	mux.Handle("POST /api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", s.guarded("create serviceaccounts/token", s.requestToken))
	mux.Handle("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", s.guarded("create selfsubjectaccessreviews", s.reviewAccess))
	if version := s.reviewVersion(); version != "" {
		mux.Handle("POST /apis/authentication.k8s.io/"+version+"/selfsubjectreviews", s.guarded("create selfsubjectreviews", s.review))
	}
	if s.options.Minor >= 19 {
		mux.Handle("POST "+signingPath, s.guarded("create certificatesigningrequests", s.fileRequest))
		mux.Handle("GET "+signingPath+"/{name}", s.guarded("get certificatesigningrequests", s.getRequest))
		mux.Handle("DELETE "+signingPath+"/{name}", s.guarded("delete certificatesigningrequests", s.deleteRequest))
		mux.Handle("PUT "+signingPath+"/{name}/approval", s.guarded("update certificatesigningrequests/approval", s.updateApproval))
	}
	return mux
}

// reviewVersion is the version of SelfSubjectReview that there is.
func (s *Server) reviewVersion() string {
	switch {
	case s.options.Minor >= 28:
		return "v1"
	case s.options.Minor == 27:
		return "v1beta1"
	case s.options.Minor == 26:
		return "v1alpha1"
	}
	return ""
}

// guarded authenticates and authorizes whoever asks.
func (s *Server) guarded(what string, handle func(call)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.authenticate(r)
		if !ok {
			refuse(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
			return
		}
		identify(w, user)
		if !s.authorize(user, what) {
			verb, resource, _ := strings.Cut(what, " ")
			refuse(w, http.StatusForbidden, "Forbidden", fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q", resource, user.Name, verb, resource))
			return
		}
		handle(call{w, r, user})
	})
}

// version is for everybody but those whose credentials are not good.
func (s *Server) version(w http.ResponseWriter, r *http.Request) {
	user, ok := s.authenticate(r)
	if !ok {
		refuse(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		return
	}
	identify(w, user)
	respond(w, http.StatusOK, map[string]any{
		"major": "1", "minor": fmt.Sprint(s.options.Minor), "gitVersion": fmt.Sprintf("v1.%d.0", s.options.Minor),
	})
}

func (s *Server) namespaces(c call) {
	var items []any
	for _, name := range namespaceNames {
		items = append(items, map[string]any{"metadata": map[string]any{"name": name}})
	}
	respond(c.w, http.StatusOK, map[string]any{"kind": "NamespaceList", "apiVersion": "v1", "metadata": map[string]any{}, "items": items})
}

func respond(w http.ResponseWriter, status int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object)
}

// refuse answers with a Status object.
func refuse(w http.ResponseWriter, status int, reason, message string) {
	respond(w, status, map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": message, "reason": reason, "code": status,
	})
}

func (c call) invalid(message string) {
	refuse(c.w, http.StatusUnprocessableEntity, "Invalid", message)
}

// typed is what every object says of itself.
type typed struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// read takes the object that was sent, which has to be of that version and kind and
// may have no field that it does not know. False means that the request is answered.
func (c call) read(apiVersion, kind string, object any) bool {
	if c.r.Header.Get("Content-Type") != "application/json" {
		refuse(c.w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body of the request was in an unknown format")
		return false
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, 1<<20))
	var of typed
	if err != nil || json.Unmarshal(raw, &of) != nil || of.APIVersion != apiVersion || of.Kind != kind {
		refuse(c.w, http.StatusBadRequest, "BadRequest", "the object provided is unrecognized (must be of type "+kind+")")
		return false
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(object); err != nil {
		refuse(c.w, http.StatusBadRequest, "BadRequest", "strict decoding error: "+err.Error())
		return false
	}
	return true
}
