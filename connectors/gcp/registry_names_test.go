package gcp

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
)

const euHost = "europe-west1-docker.pkg.dev"

func TestParseRegistry(t *testing.T) {
	t.Parallel()
	r := typeCalled(t, registryType)
	const own, scoped = "my-project", "example.com:my-project"
	for _, test := range []struct{ project, in, want string }{
		{own, euHost, euHost},
		{own, "us-docker.pkg.dev", "us-docker.pkg.dev"},
		{own, "HTTPS://Europe-West1-Docker.PKG.dev.:443/v2/", euHost},
		{own, euHost + "/my-project", euHost + "/my-project"},
		{own, euHost + "/my-project/", euHost + "/my-project"},
		{own, euHost + "/my-project/images", euHost + "/my-project/images"},
		{own, euHost + "/my-project/images/team/app", euHost + "/my-project/images"},
		{own, euHost + "/my-project/images/team/app:latest", euHost + "/my-project/images"},
		{own, euHost + "/my-project/images/app@sha256:" + strings.Repeat("a", 64), euHost + "/my-project/images"},
		{own, "https://" + euHost + "/v2/my-project/images/app", euHost + "/my-project/images"},
		{own, "projects/my-project/locations/europe-west1/repositories/images", euHost + "/my-project/images"},
		{own, "//artifactregistry.googleapis.com/projects/my-project/locations/europe-west1/repositories/images", euHost + "/my-project/images"},
		{own, "https://artifactregistry.googleapis.com/v1/projects/my-project/locations/europe/repositories/images", "europe-docker.pkg.dev/my-project/images"},
		{own, "gcr.io", "gcr.io"},
		{own, "eu.gcr.io/my-project", "eu.gcr.io/my-project"},
		{own, "https://us.gcr.io/my-project/app:1", "us.gcr.io/my-project"},
		{own, "projects/my-project/locations/us/repositories/gcr.io", "gcr.io/my-project"},
		{own, "projects/my-project/locations/europe/repositories/eu.gcr.io", "eu.gcr.io/my-project"},
		{own, "us-docker.pkg.dev/my-project/gcr.io/app", "us-docker.pkg.dev/my-project/gcr.io"},
		{scoped, euHost + "/example.com/my-project/images/app", euHost + "/example.com/my-project/images"},
		{scoped, "gcr.io/example.com/my-project/app", "gcr.io/example.com/my-project"},
		{scoped, "projects/example.com:my-project/locations/europe-west1/repositories/images", euHost + "/example.com/my-project/images"},
		{"eu0:proj", "u-germany-northeast1-docker.pkg.dev/eu0/proj/images", "u-germany-northeast1-docker.pkg.dev/eu0/proj/images"},
		{"prefix:proj", euHost + "/prefix/proj/images", euHost + "/prefix/proj/images"},
	} {
		values := commonValues(t, "project_id", test.project)
		if got, err := r.Parse(values, test.in); err != nil || got != test.want {
			t.Errorf("%q became %q, %v", test.in, got, err)
		}
		if again, err := r.Parse(values, test.want); err != nil || again != test.want {
			t.Errorf("%q, canonical, became %q, %v", test.want, again, err)
		}
	}
}

func TestParseRegistryRefuses(t *testing.T) {
	t.Parallel()
	values, r := commonValues(t, "project_id", "my-project"), typeCalled(t, registryType)
	for _, test := range []struct{ in, text, hint string }{
		{"", "empty", ""},
		{"images", "not a registry", ""},
		{"docker.io", "not a host of Artifact Registry", ""},
		{"pkg.dev", "not a host of Artifact Registry", ""},
		{"evil-" + euHost, "not a host of Artifact Registry", ""},
		{"evil-us-docker.pkg.dev", "not a host of Artifact Registry", ""},
		{"europe-west1-b-docker.pkg.dev", "not a host of Artifact Registry", ""},
		{"docker.pkg.dev", "not a host of Artifact Registry", ""},
		{"-docker.pkg.dev", "hyphen", ""},
		{"europe-west1-npm.pkg.dev", "not a host of Artifact Registry", ""},
		{euHost + ".evil.tld", "not a host of Artifact Registry", ""},
		{"x-docker.pkg.dev.evil.tld", "not a host of Artifact Registry", ""},
		{"evil.europe-west1-docker.pkg.dev", "not a host of Artifact Registry", ""},
		{"europe-west1-docker.xpkg.dev", "not a host of Artifact Registry", ""},
		{"europe-west1-docker.pkg.dev:444", "not a host of Artifact Registry", ""},
		{"europe-west1-docker.pkg.dеv", "not a host of Artifact Registry", ""}, // a Cyrillic letter
		{"xgcr.io", "not a host of Artifact Registry", ""},
		{"gcr.io.evil.tld", "not a host of Artifact Registry", ""},
		{"fr.gcr.io/my-project", "not a host of Artifact Registry", ""},
		{"gcr.io:444/my-project", "not a host of Artifact Registry", ""},
		{"evil@" + euHost, "user name or password", ""},
		{euHost + "@evil.tld", "user name or password", ""},
		{euHost + "?x=" + signature, "query", ""},
		{euHost + "/other-project/images", "project mismatch: the registry is of project other-project, and the connector is for project my-project", "--set project_id=other-project"},
		{euHost + "/my-projects/images", "project mismatch", ""},
		{"gcr.io/other-project", "project mismatch", ""},
		{"gcr.io/google-containers/pause", "project mismatch", ""},
		{"projects/other-project/locations/us/repositories/images", "project mismatch", ""},
		{euHost + "/example.com/my-project/images", "project mismatch: the registry is of project example.com:my-project", ""},
		{euHost + "/My-Project/images", "not the id of a project", "starts with the project"},
		{euHost + "/example.com", "not the id of a project", ""},
		{euHost + "/123456789012/images", "is the number of a project", "gcloud projects describe 123456789012"},
		{euHost + "/my-project/Images", "not the name of a repository", ""},
		{euHost + "/my-project/images:latest", "not the name of a repository", "without tag"},
		{euHost + "/my-project/gcr.io/app", "not the name of a repository", ""}, // that one is in us
		{euHost + "/my-project/" + strings.Repeat("a", 64), "not the name of a repository", ""},
		{"projects/my-project/locations/us/repositories/eu.gcr.io", "not the name of a repository", ""},
		{"projects/my-project/locations/US/repositories/images", "not a location of Artifact Registry", ""},
		{"projects/123456789012/locations/us/repositories/images", "is the number of a project", ""},
		{"projects/my-project/locations/us/packages/images", "not a registry", ""},
		{"https://evil.tld/v1/projects/my-project/locations/us/repositories/images", "not a host of Artifact Registry", ""},
	} {
		got, err := r.Parse(values, test.in)
		if got != "" {
			t.Errorf("%q became %q", test.in, got)
		}
		refusedName(t, test.in, err, test.text, test.hint)
	}
}

// While the project is unknown, any is taken: the canonical name tells it, so that it is
// checked when it is known. Nothing below a project is served until then.
func TestParseRegistryOfUnknownProject(t *testing.T) {
	t.Parallel()
	values, r := commonValues(t), typeCalled(t, registryType)
	for in, want := range map[string]string{
		euHost + "/my-project/images/app":             euHost + "/my-project/images",
		euHost + "/example.com/my-project/images/app": euHost + "/example.com/my-project/images",
		euHost + "/eu0/proj/images/app":               euHost + "/eu0/proj/images",
		"gcr.io/my-project/app":                       "gcr.io/my-project",
	} {
		if got, err := r.Parse(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
		if name, ok := r.Serves(connector.Settings{Values: values}, in); ok {
			t.Errorf("%q is served, as %q", in, name)
		}
	}
	if name, ok := r.Serves(connector.Settings{Values: values}, euHost); !ok || name != euHost {
		t.Errorf("%q is served as %q, %v", euHost, name, ok)
	}
}

func TestParseRegistryInOtherDomains(t *testing.T) {
	t.Parallel()
	r := typeCalled(t, registryType)
	values := commonValues(t, "project_id", "eu0:my-project", "universe_domain", "apis-berlin-build0.goog", "registry_domain", "pkg-berlin-build0.goog")
	const host = "u-germany-northeast1-docker.pkg-berlin-build0.goog"
	for in, want := range map[string]string{
		host:                            host,
		host + "/eu0/my-project/images": host + "/eu0/my-project/images",
		"projects/eu0:my-project/locations/u-germany-northeast1/repositories/images": host + "/eu0/my-project/images",
	} {
		if got, err := r.Parse(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
	for _, in := range []string{euHost, "gcr.io", "gcr.io/eu0/my-project", host + ":5000"} {
		_, err := r.Parse(values, in)
		refusedName(t, in, err, "those are LOCATION-docker.pkg-berlin-build0.goog", "")
	}
	local := commonValues(t, "project_id", "my-project", "registry_domain", "localhost:5000")
	if got, err := r.Parse(local, "http://us-docker.localhost:5000/v2/my-project/images"); err != nil || got != "us-docker.localhost:5000/my-project/images" {
		t.Errorf("%q, %v", got, err)
	}
	for _, in := range []string{"us-docker.localhost", "us-docker.localhost:5001"} {
		_, err := r.Parse(local, in)
		refusedName(t, in, err, "not a host of Artifact Registry", "")
	}
	_, err := r.Parse(commonValues(t, "universe_domain", "apis-berlin-build0.goog"), euHost)
	refusedName(t, "a universe", err, "universe apis-berlin-build0.goog is not known", "--set registry_domain=DOMAIN")
}

func TestServes(t *testing.T) {
	t.Parallel()
	r := typeCalled(t, registryType)
	of := func(resourceType, name string) connector.Settings {
		return connector.Settings{ResourceType: resourceType, ResourceName: name, Values: commonValues(t, "project_id", "my-project")}
	}
	for _, test := range []struct {
		settings      connector.Settings
		address, want string
	}{
		{of("", ""), euHost, euHost},
		{of("", ""), "https://" + euHost + "/", euHost},
		{of(registryType, ""), "https://" + euHost + "/v2/my-project/images/app", euHost + "/my-project/images"},
		{of("", ""), "asia-northeast1-docker.pkg.dev/my-project", "asia-northeast1-docker.pkg.dev/my-project"},
		{of("", ""), euHost + "/other-project/images", ""},
		{of("", ""), "x-docker.pkg.dev.evil.tld", ""},
		{of("", ""), "projects/my-project/locations/us/repositories/images", ""},
		{of("", ""), "//artifactregistry.googleapis.com/projects/my-project/locations/us/repositories/images", ""},
		{of("", ""), "gcr.io", ""},
		{of("", ""), "gcr.io/my-project/app", "gcr.io/my-project"},
		{of("", ""), "gcr.io/google-containers/pause", ""},
		{of(registryType, "gcr.io"), "https://gcr.io", "gcr.io"},
		{of(registryType, "gcr.io"), "gcr.io/my-project/app", "gcr.io"},
		{of(registryType, "gcr.io"), "us.gcr.io", ""},
		{of(registryType, "gcr.io/my-project"), "gcr.io/my-project/app", "gcr.io/my-project"},
		{of(registryType, "gcr.io/my-project"), "gcr.io", ""},
		{of(registryType, euHost), euHost + "/my-project/images", euHost},
		{of(registryType, euHost), euHost + "/other-project/images", ""},
		{of(registryType, euHost+"/my-project/images"), euHost + "/my-project/images/app", euHost + "/my-project/images"},
		{of(registryType, euHost+"/my-project/images"), euHost + "/my-project/images-2", ""},
		{of(registryType, euHost+"/my-project/images"), euHost, ""},
	} {
		name, ok := r.Serves(test.settings, test.address)
		if ok != (test.want != "") || ok && name != test.want {
			t.Errorf("%q, in scope %q: %q, %v, want %q", test.address, test.settings.ResourceName, name, ok, test.want)
		}
	}
	if user := r.Username(commonValues(t)); user != "oauth2accesstoken" {
		t.Errorf("the user name is %q", user)
	}
}

// What is accepted or served is a host of Google's domains, and the host that the text
// names; below it is the project of the connector; and it is a fixed point.
func FuzzParseRegistry(f *testing.F) {
	for _, seed := range []string{
		euHost, euHost + "/my-project/images/app", "https://" + euHost + "/v2/", euHost + ".evil.tld", euHost + ".:443", "user@" + euHost, "gcr.io/my-project/x", "us.gcr.io",
		"projects/my-project/locations/us/repositories/gcr.io", "projects/my-project/locations/us/repositories/images", euHost + "/other-project/x", "us-docker.pkg.dev/my-project/gcr.io",
		"https://artifactregistry.googleapis.com/v1/projects/my-project/locations/europe/repositories/images", "xn--docker.pkg.dev", "https://" + euHost + "/v2/v2", euHost + "/v1",
	} {
		f.Add(seed)
	}
	values, r := commonValues(f, "project_id", "my-project"), typeCalled(f, registryType)
	f.Fuzz(func(t *testing.T, text string) {
		served, ok := r.Serves(connector.Settings{Values: values}, text)
		once, err := r.Parse(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || ok {
				t.Fatalf("%q: %v; served: %v", text, err, ok)
			}
			return
		}
		if ok && served != once {
			t.Fatalf("%q is %q, and served as %q", text, once, served)
		}
		if twice, err := r.Parse(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		host, path, _ := strings.Cut(once, "/")
		if !strings.HasSuffix(host, "-docker.pkg.dev") && host != "gcr.io" && !strings.HasSuffix(host, ".gcr.io") || strings.Contains(host, "evil") {
			t.Fatalf("%q became %q", text, once)
		}
		if path != "" && path != "my-project" && (!strings.HasPrefix(path, "my-project/") || strings.Count(path, "/") > 1) {
			t.Fatalf("%q became %q", text, once)
		}
		if _, _, _, isLink := link(repositoryLink, text); isLink {
			return
		}
		if named, _, err := registryname.Address(text); err != nil || named != host {
			t.Fatalf("%q became %q, and names %q, %v", text, once, named, err)
		}
	})
}
