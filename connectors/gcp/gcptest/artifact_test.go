package gcptest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

func TestLocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	as := w.robotOf(w.Project("acme"), "robot")
	for _, version := range []string{"v1", "v1beta2"} {
		ids, pages := w.names(t, as, "/"+version+"/projects/acme/locations", "locations", "locationId")
		if len(ids) < 30 || pages != (len(ids)+1)/2 || !slices.IsSorted(ids) || !slices.Contains(ids, "us") || !slices.Contains(ids, "europe-west1") {
			t.Errorf("%s: %q in %d pages", version, ids, pages)
		}
	}
	got := w.ask(t, http.MethodGet, "/v1/projects/acme/locations?pageSize=1", as, "").good(t)
	if names := got.texts(t, "locations", "name"); len(names) != 1 || names[0] != "projects/acme/locations/africa-south1" {
		t.Error(got.body)
	}
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("example.com:acme")
	for _, name := range []string{"c", "a", "gcr.io"} {
		p.Repository("us", name, gcptest.Repository{})
	}
	p.Repository("europe-west1", "java", gcptest.Repository{Format: "MAVEN", Mode: "VIRTUAL"})
	w.Project("theirs").Repository("us", "theirs", gcptest.Repository{})
	as := w.robotOf(p, "robot")
	const parent = "/v1/projects/example.com:acme/locations/"
	names, pages := w.names(t, as, parent+"us/repositories", "repositories", "name")
	const prefix = "projects/example.com:acme/locations/us/repositories/"
	if want := []string{prefix + "a", prefix + "c", prefix + "gcr.io"}; !slices.Equal(names, want) || pages != 2 {
		t.Errorf("%q in %d pages", names, pages)
	}
	uris, _ := w.names(t, as, parent+"us/repositories?pageSize=1", "repositories", "registryUri")
	if want := []string{"us-docker.pkg.dev/example.com/acme/a", "us-docker.pkg.dev/example.com/acme/c", "gcr.io/example.com/acme"}; !slices.Equal(uris, want) {
		t.Errorf("%q", uris)
	}
	if names, _ := w.names(t, as, parent+"asia/repositories", "repositories", "name"); len(names) != 0 {
		t.Errorf("%q", names)
	}
	java := w.ask(t, http.MethodGet, parent+"europe-west1/repositories/java", as, "").good(t)
	if java.field(t, "format") != "MAVEN" || java.field(t, "mode") != "VIRTUAL_REPOSITORY" || java.field(t, "registryUri") != "europe-west1-maven.pkg.dev/example.com/acme/java" {
		t.Error(java.body)
	}
	plain := w.ask(t, http.MethodGet, parent+"us/repositories/a", as, "").good(t)
	if plain.field(t, "format") != "DOCKER" || plain.field(t, "mode") != "STANDARD_REPOSITORY" || plain.field(t, "createTime") != "2026-05-04T12:00:00Z" {
		t.Error(plain.body)
	}
}

func TestRepositoriesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Repository("us", "images", gcptest.Repository{})
	all, none := w.robotOf(p, "robot"), w.robotOf(p, "none", "artifactregistry.repositories.downloadArtifacts")
	page := w.ask(t, http.MethodGet, "/v1/projects/acme/locations", all, "").good(t).field(t, "nextPageToken")
	const denied, iam = "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"
	for what, test := range map[string]struct {
		as           http.Header
		path         string
		status       int
		code, reason string
		text         string
	}{
		"may not list locations":  {none, "acme/locations", 403, denied, iam, "Permission 'artifactregistry.locations.list' denied on resource '//artifactregistry.googleapis.com/projects/acme' (or it may not exist)."},
		"may not list":            {none, "acme/locations/us/repositories", 403, denied, iam, "'//artifactregistry.googleapis.com/projects/acme/locations/us'"},
		"may not get":             {none, "acme/locations/us/repositories/images", 403, denied, iam, "Permission 'artifactregistry.repositories.get' denied on resource '//artifactregistry.googleapis.com/projects/acme/locations/us/repositories/images' (or it may not exist)."},
		"another project":         {all, "theirs/locations", 403, denied, iam, ""},
		"no such repository":      {all, "acme/locations/us/repositories/nope", 404, "NOT_FOUND", "", "Requested entity was not found."},
		"a place of none":         {all, "acme/locations/mars/repositories", 400, "INVALID_ARGUMENT", "", `"mars"`},
		"getting from nowhere":    {all, "acme/locations/mars/repositories/x", 400, "INVALID_ARGUMENT", "", `"mars"`},
		"every place":             {all, "acme/locations/-/repositories", 400, "INVALID_ARGUMENT", "", `"-"`},
		"a wrong name":            {all, "acme/locations/us/repositories/No_Name", 400, "INVALID_ARGUMENT", "", "Invalid repository name"},
		"a wrong size":            {all, "acme/locations/us/repositories?pageSize=x", 400, "INVALID_ARGUMENT", "", "x"},
		"a wrong size, elsewhere": {all, "acme/locations?pageSize=x", 400, "INVALID_ARGUMENT", "", "x"},
		"another list's page":     {all, "acme/locations/us/repositories?pageToken=" + page, 400, "INVALID_ARGUMENT", "", "page token"},
		"a wrong page":            {all, "acme/locations?pageToken=x", 400, "INVALID_ARGUMENT", "", "page token"},
	} {
		w.ask(t, http.MethodGet, "/v1/projects/"+test.path, test.as, "").refused(t, what, test.status, test.code, test.reason, test.text)
	}
	p.Disable("artifactregistry.googleapis.com")
	w.ask(t, http.MethodGet, "/v1/projects/acme/locations", all, "").refused(t, "not enabled", 403, denied, "SERVICE_DISABLED", "Artifact Registry API has not been used")
}

func TestProjectsAreDescribed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	all, none := w.robotOf(p, "robot"), w.robotOf(p, "none", "storage.*")
	old := w.ask(t, http.MethodGet, "/v1/projects/acme", all, "").good(t)
	if old.field(t, "projectId") != "acme" || old.field(t, "projectNumber") != p.Number() || old.field(t, "lifecycleState") != "ACTIVE" {
		t.Error(old.body)
	}
	recent := w.ask(t, http.MethodGet, "/cloudresourcemanager/v3/projects/"+p.Number(), all, "").good(t)
	if recent.field(t, "name") != "projects/"+p.Number() || recent.field(t, "projectId") != "acme" || recent.field(t, "state") != "ACTIVE" {
		t.Error(recent.body)
	}
	for _, path := range []string{"/v1/projects/acme", "/v3/projects/nope"} {
		w.ask(t, http.MethodGet, path, none, "").refused(t, path, 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "The caller does not have permission")
	}
	if !strings.HasPrefix(w.Calls()[0].Action, "projects.get") {
		t.Error(w.Calls())
	}
}
