package awstest

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"

	oci "github.com/google/go-containerregistry/pkg/registry"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// registryHost is what ECR's registries are called, in all partitions, with FIPS and
// dual-stack ones, and in a domain of one's own.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
var registryHost = regexp.MustCompile(`^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.[a-z0-9.-]+$`)

// Registry is the OCI registry of a host: ACCOUNT.dkr.ecr.REGION.DOMAIN, or public.ecr.aws.
// Give it to Route, or to a server of your own. It takes logins that the fake ECR gave out
// and none else, until they expire, in their region; lets each do what the policies of
// whoever got it allow at that moment; and knows the repositories that Account.Repository
// or PublicRegistry made. Its calls are in the journal as service "registry", under the
// action of ECR that they take; Delay and Throttle are not for them. Images live in memory,
// as long as the server. All handlers of a host share them. Another host has
// nothing.
func (s *Server) Registry(host string) http.Handler {
	found := registryHost.FindStringSubmatch(faketest.BareHost(host))
	switch {
	case found != nil:
		return &privateDoor{s, found[1], found[2]}
	case faketest.BareHost(host) == publicHost:
		return &publicDoor{s}
	}
	return http.NotFoundHandler()
}

// privateDoor lets requests in to one account's registry in a region.
type privateDoor struct {
	server          *Server
	account, region string
}

// ServeHTTP implements http.Handler.
func (d *privateDoor) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	user, password, given := hr.BasicAuth()
	if !given {
		w.Header().Set("Www-Authenticate", `Basic realm="https://`+hr.Host+`/",service="ecr.amazonaws.com"`)
		http.Error(w, "Not Authorized", http.StatusUnauthorized)
		return
	}
	visit := newVisit(hr, "ecr:")
	storage, refused := d.enter(user, password, &visit)
	d.server.serveImages(w, hr, storage, refused)
}

// enter judges a visit, and returns the storage that it is for.
func (d *privateDoor) enter(user, password string, v *visit) (http.Handler, *ociError) {
	s := d.server
	s.mu.Lock()
	defer s.mu.Unlock()
	token, refused := s.registryLogin(user, password, ecrTokens)
	if refused == nil && token.region != d.region {
		refused = wrongToken400()
	}
	if refused != nil {
		s.note(nil, v, refused)
		return nil, refused
	}
	r := s.requestOf(token)
	registry := r.registryOf(d.account)
	refused = v.judge(func(action string) error { return r.allowOn(registry, v.repository, action) })
	if refused == nil && v.repository != "" && registry.repositories[v.repository] == nil {
		refused = &ociError{http.StatusNotFound, "NAME_UNKNOWN", noRepository(v.repository, d.account)}
	}
	s.note(token, v, refused)
	return s.storage(d.account + "/" + d.region + "/" + v.repository), refused
}

// registryLogin finds the token of a login.
func (s *Server) registryLogin(user, password string, kind tokenKind) (*registryToken, *ociError) {
	token := s.others.tokens[password]
	switch {
	case token == nil, user != registryUser, token.kind != kind:
		return nil, wrongToken400()
	case token.key.revoked:
		return nil, &ociError{http.StatusForbidden, "DENIED", unknownWords + "."}
	case !s.now().Before(token.expires):
		return nil, &ociError{http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again."}
	}
	return token, nil
}

// wrongToken400 is ECR's answer to passwords that it never gave out.
func wrongToken400() *ociError {
	return &ociError{http.StatusBadRequest, "DENIED", "The authorization token is invalid."}
}

// note writes a visit down in the journal.
func (s *Server) note(token *registryToken, v *visit, refused *ociError) {
	r := &request{service: &service{name: "registry"}, action: v.name, now: s.now()}
	if token != nil {
		r.who, r.region = token.who, token.region
	}
	code := ""
	if refused != nil {
		code = refused.code
	}
	s.journal.Add(r.call(code))
}

// storage keeps the images of one repository.
func (s *Server) storage(repository string) http.Handler {
	if s.others.storage[repository] == nil {
		s.others.storage[repository] = oci.New(oci.Logger(log.New(io.Discard, "", 0)), oci.WithReferrersSupport(true))
	}
	return s.others.storage[repository]
}

func (s *Server) serveImages(w http.ResponseWriter, hr *http.Request, storage http.Handler, refused *ociError) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if refused != nil {
		refused.write(w)
		return
	}
	storage.ServeHTTP(w, hr)
}

// ociError is an error of a registry.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
type ociError struct {
	status        int
	code, message string
}

func (e *ociError) write(w http.ResponseWriter) {
	body, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": e.code, "message": e.message}}})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}

// visit is a request to a registry: what it is about, and what it takes.
type visit struct {
	repository string   // "" for the registry itself
	name       string   // of the operation, for the journal
	actions    []string // all of which must be allowed
	known      bool
}

// registryPath is the path of a request about a repository.
var registryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags|referrers)/(.+)$`)

// registryActions are the actions that requests take.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
var registryActions = map[string][]string{
	"GET manifests":  {"BatchGetImage"},
	"HEAD manifests": {"BatchGetImage"},
	"PUT manifests":  {"PutImage"},
	"GET blobs":      {"GetDownloadUrlForLayer"},
	"HEAD blobs":     {"BatchCheckLayerAvailability"},
	"POST uploads":   {"InitiateLayerUpload"},
	"PATCH uploads":  {"UploadLayerPart"},
	"PUT uploads":    {"CompleteLayerUpload"},
	"POST whole":     {"InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"},
	"GET tags":       {"ListImages"},
	"GET referrers":  {"BatchGetImage"},
}

// newVisit reads a request; service is the prefix of its actions.
func newVisit(hr *http.Request, service string) visit {
	if hr.URL.Path == "/v2/" || hr.URL.Path == "/v2" {
		return visit{name: "Ping", known: true}
	}
	found := registryPath.FindStringSubmatch(hr.URL.Path)
	if found == nil {
		return visit{}
	}
	what := found[2]
	switch {
	case what == "blobs" && hr.Method == http.MethodPost && hr.URL.Query().Has("digest"):
		what = "whole"
	case what == "blobs" && strings.HasPrefix(found[3], "uploads/"):
		what = "uploads"
	}
	names, known := registryActions[hr.Method+" "+what]
	v := visit{repository: found[1], known: known}
	for _, name := range names {
		v.name = name
		v.actions = append(v.actions, service+name)
	}
	return v
}

// judge says whether all that a visit takes is allowed.
func (v visit) judge(allow func(action string) error) *ociError {
	if !v.known {
		return &ociError{http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported."}
	}
	for _, action := range v.actions {
		if err := allow(action); err != nil {
			_, words, _ := strings.Cut(err.Error(), ": ") // without the code of the API
			return &ociError{http.StatusForbidden, "DENIED", words}
		}
	}
	return nil
}
