package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// withRepositories has repositories in several locations, some of which are not docker's.
func withRepositories(t *testing.T, permissions ...string) *kindWorld {
	w := kindsOf(t, permissions...)
	p := w.Project(homeProject)
	for _, name := range []string{"images", "more", "third"} {
		p.Repository("europe-west1", name, gcptest.Repository{})
	}
	p.Repository("us", "images", gcptest.Repository{Mode: "REMOTE"})
	p.Repository("us", "gcr.io", gcptest.Repository{})
	p.Repository("asia", "asia.gcr.io", gcptest.Repository{})
	p.Repository("europe-west1", "packages", gcptest.Repository{Format: "PYTHON"})
	w.Project("other-project").Repository("us", "elsewhere", gcptest.Repository{})
	return w
}

var allRepositories = []string{
	"asia.gcr.io/my-project", "europe-west1-docker.pkg.dev/my-project/images", "europe-west1-docker.pkg.dev/my-project/more",
	"europe-west1-docker.pkg.dev/my-project/third", "gcr.io/my-project", "us-docker.pkg.dev/my-project/images",
}

func TestListRegistries(t *testing.T) {
	t.Parallel()
	w := withRepositories(t, "artifactregistry.locations.list", "artifactregistry.repositories.list")
	names, err := listed(t, w.opened(t, "", ""), registryType)
	if diff := cmp.Diff(allRepositories, names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if n := len(w.source.asked); n != 1 {
		t.Errorf("%d tokens were got", n)
	}
	w.ResetCalls()
	names, err = listed(t, w.opened(t, "", "", "locations", "europe-west1,europe-west1-b,asia"), registryType)
	if diff := cmp.Diff(allRepositories[:4], names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if w.Count("artifactregistry", "locations.list") != 0 || w.Count("artifactregistry", "repositories.list") != 3 {
		t.Errorf("calls: %+v", w.Calls())
	}
	if names, err := listed(t, w.opened(t, "", "", "locations", "us-west1"), registryType); err != nil || names != nil {
		t.Errorf("where there are none: %v, %v", names, err)
	}
}

func TestListRegistriesFailures(t *testing.T) {
	t.Parallel()
	_, err := listed(t, withRepositories(t, "artifactregistry.repositories.list").opened(t, "", ""), registryType)
	fails(t, "without the locations", err, fault.Denied, "artifactregistry.locations.list", "")
	names, err := listed(t, withRepositories(t).opened(t, "", "", "locations", "asia,nowhere1"), registryType)
	fails(t, "at a wrong place", err, fault.Invalid, "location nowhere1: ", "")
	if !cmp.Equal(names, []string{"asia.gcr.io/my-project"}) {
		t.Errorf("at the right one: %v", names)
	}
	enough := errors.New("enough")
	w, yielded := withRepositories(t), 0
	err = w.opened(t, "", "").List(t.Context(), registryType, func(connector.Resource) error { yielded++; return enough })
	if !errors.Is(err, enough) || yielded != 1 {
		t.Errorf("%v after %d", err, yielded)
	}
}

// A connector for one repository asks about that one alone.
func TestListOneRegistry(t *testing.T) {
	t.Parallel()
	w := withRepositories(t, "artifactregistry.repositories.*")
	for _, test := range []struct {
		name, action string
		kind         fault.Kind
		text         string
	}{
		{euHost + "/my-project/images", "repositories.get", "", ""},
		{"projects/my-project/locations/us/repositories/images", "repositories.get", "", ""},
		{"gcr.io/my-project", "repositories.get", "", ""},
		{"gcr.io", "repositories.get", "", ""},
		{"us-docker.pkg.dev/my-project/gcr.io", "repositories.get", "", ""},
		{euHost, "repositories.list", "", ""},
		{euHost + "/my-project", "repositories.list", "", ""},
		{"eu.gcr.io/my-project", "repositories.get", fault.NotFound, "registry eu.gcr.io/my-project"},
		{euHost + "/my-project/missing", "repositories.get", fault.NotFound, "registry " + euHost + "/my-project/missing"},
		{euHost + "/my-project/packages", "repositories.get", fault.Invalid, `is not a Docker repository: its format is "PYTHON"`},
	} {
		w.ResetCalls()
		s := w.opened(t, registryType, test.name)
		names, err := listed(t, s, registryType)
		if test.kind != "" {
			fails(t, test.name, err, test.kind, test.text, "")
		} else if err != nil || !cmp.Equal(names, []string{s.settings.ResourceName}) {
			t.Errorf("%s: %v, %v", test.name, names, err)
		}
		if w.Count("artifactregistry", test.action) != 1 || w.Count("", "") != 1 {
			t.Errorf("%s: %+v", test.name, w.Calls())
		}
	}
}

// A login is a token with the scopes that it is for. Nobody but the source is asked.
func TestMintRegistry(t *testing.T) {
	t.Parallel()
	w := withRepositories(t)
	s := w.opened(t, "", "")
	for access, scope := range map[connector.Access]string{connector.ReadOnly: scopeStorageRead, connector.ReadWrite: scopeStorageWrite} {
		for name, host := range map[string]string{euHost: euHost, euHost + "/my-project/images": euHost, "gcr.io/my-project": "gcr.io", "us-docker.pkg.dev/my-project": "us-docker.pkg.dev"} {
			got := mintedAs[connector.RegistryLogin](t, s, connector.Request{ResourceType: registryType, ResourceName: name, Access: access, Lifetime: 30 * time.Minute})
			if got.Registry != host || got.Username != "oauth2accesstoken" || !got.Expires.Equal(dawn.Add(30*time.Minute)) {
				t.Errorf("%s: %+v", name, got)
			}
			if who, ok := w.TokenInfo(got.Secret.Reveal()); !ok || who != "jane@example.com" {
				t.Errorf("%s: the login is %s's", name, who)
			}
		}
		if asked := w.source.asked[len(w.source.asked)-1]; asked != (purpose{scope: scope, lifetime: 30 * time.Minute}) {
			t.Errorf("%s: %+v", access, asked)
		}
	}
	if len(w.source.asked) != 2 || w.Count("", "") != 0 {
		t.Errorf("%d tokens were got, and asked were %+v", len(w.source.asked), w.Calls())
	}
}

// A project that became known after the name was given is compared all the same.
func TestRegistryOfAProjectThatIsKnownLate(t *testing.T) {
	t.Parallel()
	w := withRepositories(t)
	s := w.opened(t, "", "")
	s.values.Unset("project_id")
	s.identity.project = homeProject
	if _, err := s.Mint(t.Context(), connector.Request{ResourceType: registryType, ResourceName: euHost + "/my-project/images"}); err != nil {
		t.Error(err)
	}
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: registryType, ResourceName: euHost + "/other-project/images"})
	fails(t, "another project", err, fault.Invalid, "project mismatch: the registry is of project other-project, and the connector is for project my-project", "--set project_id=other-project")
}

// A universe that only what the connector logs in with tells has other hosts, too.
func TestRegistryOfAUniverseThatIsKnownLate(t *testing.T) {
	t.Parallel()
	s := withRepositories(t).opened(t, "", "")
	s.identity.universe = "apis-berlin-build0.goog"
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: registryType, ResourceName: euHost})
	fails(t, "mint", err, fault.Invalid, "the domain of the registries of universe apis-berlin-build0.goog is not known", "--set registry_domain=DOMAIN")
	_, err = listed(t, s, registryType)
	fails(t, "list", err, fault.Invalid, "universe apis-berlin-build0.goog", "--set registry_domain=DOMAIN")
}

// meeting holds the questions for repositories back until all locations have been asked.
type meeting struct {
	inner   http.RoundTripper
	expects int64
	came    atomic.Int64
	all     chan struct{}
}

func (m *meeting) RoundTrip(r *http.Request) (*http.Response, error) {
	if ok := r.URL.Query().Has("fields"); !ok {
		return nil, fmt.Errorf("all fields of %s are asked for", r.URL.Path)
	}
	if len(r.URL.Path) > len("/repositories") && r.URL.Path[len(r.URL.Path)-len("/repositories"):] == "/repositories" {
		if m.came.Add(1) == m.expects {
			close(m.all)
		}
		select {
		case <-m.all:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return m.inner.RoundTrip(r)
}

// All locations are asked at once: none waits for the answer of another.
func TestListRegistriesTogether(t *testing.T) {
	t.Parallel()
	w := kindsOf(t)
	locations, err := w.opened(t, "", "").registryLocations(t.Context(), mustToken(t, w), homeProject)
	if err != nil || len(locations) < 30 {
		t.Fatalf("%d locations, %v", len(locations), err)
	}
	together := &meeting{inner: http.DefaultTransport, expects: int64(len(locations)), all: make(chan struct{})}
	w.http = together
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.opened(t, "", "").List(ctx, registryType, func(connector.Resource) error { return nil }); err != nil {
		t.Errorf("%d of %d came together: %v", together.came.Load(), len(locations), err)
	}
}

func mustToken(t *testing.T, w *kindWorld) token {
	t.Helper()
	out, err := w.source.token(t.Context(), purpose{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
