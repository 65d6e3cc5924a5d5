package gcp

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// typeCalled is a resource type of the connector type.
func typeCalled(t testing.TB, name string) *connector.ResourceType {
	t.Helper()
	k, err := kindOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return &k.ResourceType
}

func TestParseCluster(t *testing.T) {
	t.Parallel()
	r := typeCalled(t, clusterType)
	longest := strings.Repeat("a", 40)
	for _, test := range []struct{ project, in, want string }{
		{"my-project", "production", "production"},
		{"my-project", longest, longest},
		{"my-project", "europe-west1/production", "europe-west1/production"},
		{"my-project", "europe-west1-b/production", "europe-west1-b/production"},
		{"my-project", "projects/my-project/locations/europe-west1/clusters/production", "europe-west1/production"},
		{"my-project", "projects/my-project/zones/europe-west1-b/clusters/production", "europe-west1-b/production"},
		{"my-project", "//container.googleapis.com/projects/my-project/locations/us-east1/clusters/production", "us-east1/production"},
		{"my-project", "https://container.googleapis.com/v1/projects/my-project/zones/us-east1-b/clusters/production", "us-east1-b/production"},
		{"my-project", "https://container.googleapis.com/v1beta1/projects/my-project/locations/us-east1/clusters/production", "us-east1/production"},
		{"my-project", "https://container-psc.p.googleapis.com/v1/projects/my-project/locations/us-east1/clusters/production", "us-east1/production"},
		{"my-project", "gke_my-project_europe-west1_production", "europe-west1/production"},
		{"example.com:my-project", "gke_example.com:my-project_us-east1-b_production", "us-east1-b/production"},
		{"example.com:my-project", "projects/example.com:my-project/locations/us-east1/clusters/production", "us-east1/production"},
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

func TestParseClusterRefuses(t *testing.T) {
	t.Parallel()
	values, r := commonValues(t, "project_id", "my-project"), typeCalled(t, clusterType)
	for _, test := range []struct{ in, text, hint string }{
		{"", "not the name of a cluster", ""},
		{"Production", "not the name of a cluster", ""},
		{"1production", "not the name of a cluster", ""},
		{"production-", "not the name of a cluster", ""},
		{"pro_duction", "not the name of a cluster", ""},
		{strings.Repeat("a", 41), "1 to 40", ""},
		{"/production", "not the name of a zone or a region", ""},
		{"-/production", "not the name of a zone or a region", ""},
		{"Europe-West1/production", "not the name of a zone or a region", ""},
		{"europe-west1/", "not the name of a cluster", ""},
		{"europe-west1/a/b", "not the name of a cluster", ""},
		{"https://34.90.1.2", "not the name of a cluster", ""},
		{"gke_my-project_europe-west1", "not the name of a cluster", ""},
		{"gke_my-project_europe-west1_a_b", "not the name of a cluster", ""},
		{"gke_my-project__production", "not the name of a zone or a region", ""},
		{"gke_other-project_europe-west1_production", "project mismatch: the cluster is of project other-project, and the connector is for project my-project", "--set project_id=other-project"},
		{"projects/other-project/locations/us-east1/clusters/production", "project mismatch: the cluster is of project other-project, and the connector is for project my-project", ""},
		{"projects/123456789012/locations/us-east1/clusters/production", "is the number of a project", "gcloud projects describe"},
		{"projects/my-project/locations/us-east1/nodePools/production", "not the name of a cluster", ""},
		{"projects/my-project/regions/us-east1/clusters/production", "not the name of a cluster", ""},
		{"projects/my-project/locations/-/clusters/production", "not the name of a zone or a region", ""},
		{"projects/my-project/locations/us-east1/clusters/production/nodePools/a", "not the name of a cluster", ""},
		{"https://evil.tld/v1/projects/my-project/locations/us-east1/clusters/production", "not the name of a cluster", ""},
		{"//storage.googleapis.com/projects/my-project/locations/us-east1/clusters/production", "not the name of a cluster", ""},
	} {
		got, err := r.Parse(values, test.in)
		if got != "" {
			t.Errorf("%q became %q", test.in, got)
		}
		refusedName(t, test.in, err, test.text, test.hint)
	}
}

// While the project is unknown, a name that tells one cannot be checked, and would not be
// when it is known: the canonical name does not tell it.
func TestParseClusterOfUnknownProject(t *testing.T) {
	t.Parallel()
	values, r := commonValues(t), typeCalled(t, clusterType)
	for _, name := range []string{"production", "us-east1/production"} {
		if got, err := r.Parse(values, name); err != nil || got != name {
			t.Errorf("%q became %q, %v", name, got, err)
		}
	}
	_, err := r.Parse(values, "gke_my-project_us-east1_production")
	refusedName(t, "a context", err, "said to be of project my-project", "--set project_id=my-project")
}

func FuzzParseCluster(f *testing.F) {
	for _, seed := range []string{
		"production", "us-east1/a", "us-east1/us-east1/a", "gke_my-project_us-east1_a", "gke_a_b_c_d", "projects/my-project/locations/us-east1/clusters/a",
		"https://container.googleapis.com/v1/projects/my-project/zones/us-east1-b/clusters/a", "//container.googleapis.com/projects/other-project/locations/us-east1/clusters/a",
	} {
		f.Add(seed)
	}
	values, r := commonValues(f, "project_id", "my-project"), typeCalled(f, clusterType)
	f.Fuzz(func(t *testing.T, text string) {
		once, err := r.Parse(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if twice, err := r.Parse(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		location, name, placed := strings.Cut(once, "/")
		if !placed {
			location, name = "us", once
		}
		if !isLocation(location) || !clusterName.MatchString(name) || !strings.Contains(text, name) || placed && !strings.Contains(text, location) {
			t.Fatalf("%q became %q", text, once)
		}
		if strings.Contains(text, "other-project") && placed && !strings.Contains(once, "other-project") {
			t.Fatalf("%q, of another project, became %q", text, once)
		}
	})
}
