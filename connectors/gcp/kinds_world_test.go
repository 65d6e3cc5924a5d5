package gcp

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	homeProject = "my-project"
	kindsMember = "user:jane@example.com"
)

// dawn is when these tests play.
var dawn = time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC)

// issuing is a source that gives tokens of jane's, in the scope that was asked for.
type issuing struct {
	google *gcptest.Server
	mu     sync.Mutex
	asked  []purpose
}

func (i *issuing) token(_ context.Context, want purpose) (token, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, want)
	lifetime := want.lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	return token{text: secret.New(i.google.IssueToken(kindsMember, want.scope, lifetime)), expires: dawn.Add(lifetime), principal: "jane@example.com"}, nil
}

func (*issuing) relevant(want purpose) purpose { return want }
func (*issuing) identity() identity            { return identity{principal: "jane@example.com"} }

// kindWorld is a Google, and a connector of jane's for a project of it.
type kindWorld struct {
	*gcptest.Server
	source *issuing
	http   http.RoundTripper // nil is the usual one
}

// kindsOf starts a Google where jane has permissions in her project; none are all.
func kindsOf(t *testing.T, permissions ...string) *kindWorld {
	t.Helper()
	w := &kindWorld{Server: gcptest.Start(t, gcptest.Options{Now: func() time.Time { return dawn }})}
	w.source = &issuing{google: w.Server}
	if len(permissions) == 0 {
		permissions = []string{"*"}
	}
	w.Project(homeProject).Grant(kindsMember, permissions...)
	return w
}

// opened opens a connector for a resource type or one resource of it, "" being all.
func (w *kindWorld) opened(t *testing.T, resourceType, name string, pairs ...any) *session {
	t.Helper()
	spec := named(resourceType, name, nil)
	for _, a := range []api{storageAPI, containerAPI, registryAPI, stsAPI, oauthAPI} {
		spec.Values.Set(a.endpoint.Name, w.URL())
	}
	for i := 0; i < len(pairs); i += 2 {
		spec.Values.Set(pairs[i].(string), pairs[i+1])
	}
	settings, err := connector.Types{Type()}.Check(spec)
	if err != nil {
		t.Fatal(err)
	}
	base := w.http
	if base == nil {
		base = http.DefaultTransport
	}
	c := &clients{
		host: connector.Host{Now: func() time.Time { return dawn }, Home: t.TempDir()}, values: settings.Values,
		http: &http.Client{Transport: base}, identity: w.source.identity(),
	}
	return &session{clients: c, settings: settings, source: w.source, kept: map[purpose]*minting{}}
}

// listed are the names of a resource type, sorted. Each is checked to be canonical, and
// they to come one at a time.
func listed(t *testing.T, s *session, resourceType string) ([]string, error) {
	t.Helper()
	var names []string
	var busy atomic.Bool
	err := s.List(t.Context(), resourceType, func(r connector.Resource) error {
		if !busy.CompareAndSwap(false, true) {
			t.Error("two are yielded at once")
		}
		defer busy.Store(false)
		names = append(names, r.Name)
		if canonical, err := typeCalled(t, resourceType).Parse(s.values, r.Name); err != nil || canonical != r.Name || r.Type != resourceType {
			t.Errorf("%s %q is listed, and is named %q, %v", r.Type, r.Name, canonical, err)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// mintedAs mints a credential, which has to work.
func mintedAs[T connector.Credential](t *testing.T, s *session, request connector.Request) T {
	t.Helper()
	credential, err := s.Mint(t.Context(), request)
	if err != nil {
		t.Fatalf("%s: %v (%s)", request.ResourceName, err, fault.HintOf(err))
	}
	out, ok := credential.(T)
	if !ok {
		t.Fatalf("%s: %T", request.ResourceName, credential)
	}
	return out
}

// fails is an error of a kind, with some words, and some in its hint.
func fails(t *testing.T, what string, err error, kind fault.Kind, text, hint string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%s: %s: %v (hint %q), want %s: %q (hint %q)", what, fault.KindOf(err), err, fault.HintOf(err), kind, text, hint)
	}
}
