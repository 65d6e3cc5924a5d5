package gcptest

import (
	"io"
	"log"
	"net/http"
	"strings"

	oci "github.com/google/go-containerregistry/pkg/registry"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// Registry is the OCI registry of a host: LOCATION-docker.pkg.dev, or gcr.io and the like.
// The proxy has them by itself; give it to a server of your own to have one elsewhere. It
// takes access tokens that this Google issued and none else, as the password of
// oauth2accesstoken, as bearer tokens, and for tokens of its own; lets each do what its
// scopes and its owner's permissions allow at that moment; and knows the repositories that
// Project.Repository made. Its calls are in the journal as service "registry", with the
// actions ping, token, pull, push and delete. Images live in memory, as long as the server.
// All handlers of a host share them. Another host has nothing.
func (s *Server) Registry(host string) http.Handler {
	name := faketest.BareHost(host)
	if location, legacy := dockerHosts[name]; legacy {
		return &door{s, location, name}
	}
	if location, _, docker := strings.Cut(name, "-docker."); docker && s.isRegistry(name) {
		return &door{server: s, location: location}
	}
	return http.NotFoundHandler()
}

// door lets requests in to the registry of a host.
type door struct {
	server   *Server
	location string
	legacy   string // the repository that the whole host is; "" where paths name it
}

// registryService is the registry as the journal and refusals have it.
var registryService = &service{name: "registry", api: "artifactregistry.googleapis.com", title: "Artifact Registry API"}

// The actions of registries, and the permissions that they take.
// https://cloud.google.com/artifact-registry/docs/access-control
const (
	actionPing   = "ping"
	actionToken  = "token"
	actionPull   = "pull"
	actionPush   = "push"
	actionDelete = "delete"
)

var registryPermissions = map[string]string{
	actionPull:   "artifactregistry.repositories.downloadArtifacts",
	actionPush:   "artifactregistry.repositories.uploadArtifacts",
	actionDelete: "artifactregistry.versions.delete",
}

// registryScopes are the scopes of which one is needed, for pulling and for all else.
var registryScopes = map[bool][]string{
	true:  {scopeCloudPlatform, scopeCloudReadOnly, scopeStorageRead, scopeStorageWrite, scopeStorageFull},
	false: {scopeCloudPlatform, scopeStorageWrite, scopeStorageFull},
}

// visit is a request to a registry.
type visit struct {
	*request
	door   *door
	target target
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	s := d.server
	s.temper.Wait(hr.Context())
	v := &visit{request: &request{Request: hr, server: s, service: registryService, now: s.now(), vars: map[string]string{}}, door: d}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	serve, refused := v.enter()
	code := ""
	if refused != nil {
		code = refused.Code
	}
	s.journal.Add(v.call(code))
	if refused == nil {
		serve.ServeHTTP(w, hr)
		return
	}
	if refused.Status == http.StatusUnauthorized {
		w.Header().Set("Www-Authenticate", v.challenge())
	}
	refused.Write(w)
}

// enter judges the visit, and returns what serves it.
func (v *visit) enter() (http.Handler, *faketest.OCIError) {
	s := v.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := v.aim(); refused != nil {
		return nil, refused
	}
	if s.temper.Throttled(v.service.name, v.action) {
		return nil, &faketest.OCIError{Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", Message: v.throttled().message}
	}
	if v.action == actionToken {
		return v.giveToken()
	}
	if refused := v.identify(); refused != nil || v.action == actionPing {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), refused
	}
	if refused := v.judge(v.target, v.action); refused != nil {
		return nil, refused
	}
	key, refused := v.repository()
	if refused != nil {
		return nil, refused
	}
	return s.storage(key), nil
}

// storage keeps the images of one repository.
func (s *Server) storage(key repositoryKey) http.Handler {
	if s.others.images[key] == nil {
		s.others.images[key] = oci.New(oci.Logger(log.New(io.Discard, "", 0)), oci.WithReferrersSupport(true))
	}
	return s.others.images[key]
}
