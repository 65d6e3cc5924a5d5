package gcp

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func TestGeneric(t *testing.T) {
	t.Parallel()
	w := kindsOf(t)
	s := w.opened(t, "", "", "quota_project_id", "other-project")
	if names, err := listed(t, s, genericType); err != nil || !cmp.Equal(names, []string{homeProject}) {
		t.Errorf("%v, %v", names, err)
	}
	got := mintedAs[connector.AccessToken](t, s, connector.Request{ResourceType: genericType, Lifetime: 20 * time.Minute})
	if who, ok := w.TokenInfo(got.Token.Reveal()); !ok || who != "jane@example.com" || !got.Expires.Equal(dawn.Add(20*time.Minute)) {
		t.Errorf("%s's until %s", who, got.Expires)
	}
	if got.Project != homeProject || got.QuotaProject != "other-project" || got.Universe != "googleapis.com" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]purpose{{scope: scopeCloud, lifetime: 20 * time.Minute}}, w.source.asked, cmp.AllowUnexported(purpose{})); diff != "" {
		t.Error(diff)
	}
}

// What lies in a project cannot be asked for while the project is unknown.
func TestWithoutAProject(t *testing.T) {
	t.Parallel()
	w := kindsOf(t)
	s := w.opened(t, "", "")
	s.values.Unset("project_id")
	for _, resourceType := range []string{genericType, bucketType, clusterType, registryType} {
		_, err := listed(t, s, resourceType)
		fails(t, resourceType, err, fault.Invalid, "the connector has no project", "--set project_id=PROJECT")
	}
}

func TestGcloudProperties(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pairs []any
		want  connector.GcloudProperties
	}{
		{[]any{"project_id", homeProject}, connector.GcloudProperties{Project: homeProject}},
		{[]any{"project_id", homeProject, "universe_domain", "googleapis.com"}, connector.GcloudProperties{Project: homeProject}},
		{
			[]any{
				"project_id", homeProject, "quota_project_id", "other-project", "universe_domain", "apis-berlin-build0.goog", "api_endpoint_storage", "https://storage-psc.p.googleapis.com/",
				"api_endpoint_container", "http://127.0.0.1:4443/gke", "api_endpoint_sts", "https://sts-psc.p.googleapis.com",
			},
			connector.GcloudProperties{
				Project: homeProject, QuotaProject: "other-project", Universe: "apis-berlin-build0.goog",
				Endpoints: map[string]string{"storage": "https://storage-psc.p.googleapis.com/storage/v1/", "container": "http://127.0.0.1:4443/gke/"},
			},
		},
	} {
		for _, resourceType := range []string{genericType, bucketType} {
			got := typeCalled(t, resourceType).Gcloud(connector.Settings{Values: commonValues(t, test.pairs...)}, "")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
	}
}
