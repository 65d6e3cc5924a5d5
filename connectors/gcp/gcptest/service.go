package gcptest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

// service is one of Google's services. Add one so: write a function that returns its
// *service in a file of its own, and name that function in services (services.go). What it
// has to keep goes into others (others.go), or hangs on Project.
//
// How a request gets to an operation: its host names the service, where it is one of
// Google's (storage.googleapis.com, container.europe-west1.rep.googleapis.com,
// storage-mine.p.googleapis.com …) and the path and the method name the operation of that
// service. At Server.URL, and at hosts that are not Google's, the path alone does both; a
// first segment that is a service's name ("/artifactregistry/v1/projects/…") decides where
// two services have a path in common. Delay and throttling happen, the access token is
// looked up (401), its scopes (403), its boundary, the quota project and whether the API is
// enabled are checked, and the operation runs with Server.mu held: it reads and changes the
// world freely, calls no exported method of Server, Project and the like (they take the
// lock), and returns what to answer: answerJSON makes answers. It asks r.allow whether the
// caller may. An error that is an *apiError (invalid, notFound and r.allow make them) is
// answered as the service words errors; any other is a fault of this package (500). The
// journal has every request. Lists are cut by page (pages.go).
type service struct {
	name  string // in the journal; also the label of its hosts
	api   string // what Project.Disable calls it: container.googleapis.com; "" cannot be disabled
	title string // "Kubernetes Engine API"
	// hosts says whether the service is at a host of Google's; nil is whether one of the
	// host's labels is the service's name, or begins with it and a hyphen.
	hosts      func(h googleHost) bool
	operations []operation
	// bounded says that the service takes tokens with a credential access boundary, as
	// Cloud Storage alone does.
	bounded bool
	// fail words an error; nil is failGoogle.
	fail func(r *request, e *apiError) answer
}

// operation is what a service can be asked to do.
type operation struct {
	action string // in the journal: clusters.list
	method string
	// path is what the path must be. {name} is a segment, or a part of one as in
	// {account}:generateAccessToken; {name...} at the end is the rest. r.vars has what was
	// there, unescaped.
	path string
	// public takes requests without an access token; r.token is nil in it, whatever the
	// request has.
	public bool
	// scopes are the OAuth scopes of which the token must have one, beside those that are
	// good for everything: cloud-platform, and cloud-platform.read-only for GET.
	scopes []string
	// refine tells the action where the path does not; nil is never.
	refine func(r *request) string
	run    func(r *request) (answer, error)
}

// serves says whether the service is at a host.
func (s *service) serves(h googleHost) bool {
	if s.hosts != nil {
		return s.hosts(h)
	}
	return h.has(s.name)
}

// find is the operation for a request and what its path has in place of the pattern's
// names; nil is none.
func (s *service) find(method, escaped string) (*operation, map[string]string) {
	for i := range s.operations {
		if vars, ok := match(s.operations[i].path, escaped); ok && s.operations[i].method == method {
			return &s.operations[i], vars
		}
	}
	return nil, nil
}

// match compares an escaped path with a pattern.
func match(pattern, escaped string) (map[string]string, bool) {
	vars := map[string]string{}
	want, have := strings.Split(pattern, "/"), strings.Split(escaped, "/")
	for i, segment := range want {
		if name, rest := strings.CutSuffix(segment, "...}"); rest && i < len(have) {
			return vars, set(vars, strings.TrimPrefix(name, "{"), strings.Join(have[i:], "/"))
		}
		if i >= len(have) || !matchSegment(segment, have[i], vars) {
			return nil, false
		}
	}
	return vars, len(want) == len(have)
}

// matchSegment compares one segment, of which a part may be a name in braces.
func matchSegment(want, have string, vars map[string]string) bool {
	before, rest, named := strings.Cut(want, "{")
	if !named {
		return want == have
	}
	name, after, _ := strings.Cut(rest, "}")
	if len(have) <= len(before)+len(after) || !strings.HasPrefix(have, before) || !strings.HasSuffix(have, after) {
		return false
	}
	return set(vars, name, have[len(before):len(have)-len(after)])
}

func set(vars map[string]string, name, escaped string) bool {
	value, err := url.PathUnescape(escaped)
	vars[name] = value
	return err == nil && value != ""
}

// route finds the service and the operation. A request that is for none has a service
// without a name, or the first one of its host.
func (r *request) route() {
	r.service = &service{}
	path := r.URL.EscapedPath()
	if host, ours := r.server.parseHost(r.Host); ours {
		there := func(s *service) bool { return s.serves(host) }
		if i := slices.IndexFunc(r.server.services, there); i >= 0 {
			r.service = r.server.services[i]
		}
		r.routeAmong(path, there)
		return
	}
	r.routeAmong(path, func(*service) bool { return true })
	if r.op != nil {
		return
	}
	if name, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok {
		r.routeAmong("/"+rest, func(s *service) bool { return s.name == name })
	}
}

// routeAmong looks for the operation in the services that fit.
func (r *request) routeAmong(path string, fits func(*service) bool) {
	for _, s := range r.server.services {
		if !fits(s) {
			continue
		}
		if op, vars := s.find(r.Method, path); op != nil {
			r.service, r.op, r.vars = s, op, vars
			return
		}
	}
}

// scopesFor are the scopes of which one is needed.
func (o *operation) scopesFor() []string {
	out := slices.Concat([]string{scopeCloudPlatform}, o.scopes)
	if o.method == http.MethodGet {
		out = append(out, scopeCloudReadOnly)
	}
	return out
}

// Scopes are called so. https://developers.google.com/identity/protocols/oauth2/scopes
const (
	authScopes         = "https://www.googleapis.com/auth/"
	scopeCloudPlatform = authScopes + "cloud-platform"
	scopeCloudReadOnly = authScopes + "cloud-platform.read-only"
	scopeEmail         = authScopes + "userinfo.email"
)

var scopeNames = field.Lazily(`^[a-z0-9_.-]+$`)
