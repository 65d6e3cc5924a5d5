// Package connectortest is the conformance suite that every connector type passes.
// A type's own test gives it a strict fake of the service and a few names and
// addresses; the suite then proves what svcconn relies on in all types alike: that the
// declarations are whole, that names have one canonical form, that no address of
// another host is served, that errors have the kinds that callers decide by, that
// expiry is true, that secrets show up nowhere, and that sessions may be shared.
//
// It refuses to know any type: what is special to one is tested beside that one.
package connectortest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Suite is what the conformance tests need to know of a connector type.
type Suite struct {
	Type      *connector.Type
	Cases     []Case    // at least one of each auth method
	Names     []Name    // at least one of each resource type
	Addresses []Address // at least one of each resource type that has Serves

	// Equipped is a machine that auto-configuration finds a login on. Needed where the
	// type has Detect.
	Equipped func(t *testing.T) connector.Host
}

// Case is one way to log in. Its functions start what fakes they need and stop them
// when the test ends; they are called anew for every check.
type Case struct {
	Name string

	Good    func(t *testing.T) connector.Spec // the service takes it
	Wrong   func(t *testing.T) connector.Spec // the service does not know the secret
	Gone    func(t *testing.T) connector.Spec // nobody listens where the service should be
	Hanging func(t *testing.T) connector.Spec // the service takes connections and answers nothing

	// HTTP is how sessions reach the fakes; nil is http.DefaultTransport.
	HTTP http.RoundTripper
	// Run plays the programs that sessions run; nil where they run none.
	Run func(context.Context, connector.Command) (connector.Finished, error)

	// ResourceType and ResourceName are what credentials are minted for. Left out, they
	// are the connector's only ones.
	ResourceType, ResourceName string
	// Outside is a resource of the type that the connector does not reach; "" where it
	// reaches them all.
	Outside string
	// Lifetime is how long the credentials last that the fake gives; 0 is for ever.
	Lifetime time.Duration
	// Stored says that what is handed out is what was given to the connector, which ends by
	// itself: the auth method mints nothing.
	Stored bool
	// Without are resource types that this login gives no access to, by its nature: listing
	// them is fault.Invalid, with a hint.
	Without []string
	// Unmintable says that the login can be verified and nothing minted from it, since no
	// client could present it.
	Unmintable bool
}

// Name is a resource name and what it is canonically.
type Name struct {
	ResourceType string
	Spec         connector.Spec // of a connector that it is a name for; no fake behind it
	Good         map[string]string
	Bad          []string
}

// Address says what native tools call the resources of a connector.
type Address struct {
	ResourceType string
	Spec         connector.Spec    // no fake behind it
	Serves       map[string]string // address → resource name
	Foreign      []string          // addresses of others, beside those that the suite thinks up
}

// check is one test of the suite. It reports what is wrong, rather than failing, so
// that the suite can be tested itself.
type check struct {
	name string
	run  func(*run)
}

func checks() []check {
	return []check{
		{"declarations", (*run).declarations},
		{"names", (*run).names},
		{"addresses", (*run).addresses},
		{"auto-configuration", (*run).detection},
		{"opening", eachCase((*run).opening)},
		{"verifying", eachCase((*run).verifying)},
		{"listing", eachCase((*run).listing)},
		{"minting", eachCase((*run).minting)},
		{"minting what is listed", eachCase((*run).mintingListed)},
		{"key files", eachCase((*run).keyFiles)},
		{"wrong secret", eachCase((*run).wrongSecret)},
		{"service gone", eachCase((*run).gone)},
		{"service hanging", eachCase((*run).hanging)},
		{"caller gone", eachCase((*run).cancelled)},
		{"concurrent use", eachCase((*run).concurrent)},
	}
}

// Run runs the suite.
func Run(t *testing.T, suite Suite) {
	for _, check := range checks() {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			r := &run{T: t, Suite: suite}
			check.run(r)
			for _, problem := range r.problems {
				t.Error(problem)
			}
		})
	}
}

// run is one check at work.
type run struct {
	*testing.T
	Suite
	subject string // what is being looked at, in front of problems

	mu       sync.Mutex
	problems []string
}

// wrong reports a problem. It may be called by several goroutines.
func (r *run) wrong(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, r.subject+fmt.Sprintf(format, args...))
}

func eachCase(body func(*run, Case)) func(*run) {
	return func(r *run) {
		for _, c := range r.Cases {
			r.subject = c.Name + ": "
			body(r, c)
		}
		for _, m := range r.Type.Methods {
			if !slices.ContainsFunc(r.Cases, func(c Case) bool { return r.method(c) == m.Name }) {
				r.wrong("no case logs in by auth method %s", m.Name)
			}
		}
	}
}

func (r *run) method(c Case) string {
	if m, err := r.Type.Method(c.Good(r.T).Method); err == nil {
		return m.Name
	}
	return ""
}

// host is a machine with nothing on it.
func (r *run) host(c Case) connector.Host {
	return connector.Host{
		Now:    proc.Real().Now,
		Getenv: func(string) string { return "" },
		Home:   r.TempDir(),
		HTTP:   c.HTTP,
		Run:    c.Run,
	}
}

// settings checks a spec; false means that a problem was reported.
func (r *run) settings(spec connector.Spec) (connector.Settings, bool) {
	spec.Type = r.Type.Name
	settings, err := connector.Types{r.Type}.Check(spec)
	if err != nil {
		r.wrong("the settings are refused: %v", err)
	}
	return settings, err == nil
}

// session opens a spec; false means that a problem was reported.
func (r *run) session(c Case, spec connector.Spec) (connector.Session, connector.Settings, bool) {
	settings, ok := r.settings(spec)
	if !ok {
		return nil, settings, false
	}
	session, err := r.Type.Open(r.host(c), settings)
	if err != nil {
		r.wrong("it does not open: %v", err)
		return nil, settings, false
	}
	r.leaks(settings, session, settings)
	return session, settings, true
}
