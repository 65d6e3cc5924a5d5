package gcp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// withClusters has clusters in three places, two of one name.
func withClusters(t *testing.T, permissions ...string) *kindWorld {
	w := kindsOf(t, permissions...)
	p, authority := w.Project(homeProject), w.CertificateAuthority()
	p.Cluster("europe-west1", "production", gcptest.Cluster{Endpoint: "34.1.2.3", CertificateAuthority: authority})
	p.Cluster("us-east1-b", "staging", gcptest.Cluster{Endpoint: "34.1.2.4", CertificateAuthority: authority})
	p.Cluster("us-east1", "staging", gcptest.Cluster{Endpoint: "34.1.2.5", CertificateAuthority: authority})
	w.Project("other-project").Cluster("us-east1", "elsewhere", gcptest.Cluster{})
	return w
}

func TestListClusters(t *testing.T) {
	t.Parallel()
	w := withClusters(t, "container.clusters.list")
	for locations, want := range map[string][]string{
		"":                       {"production", "us-east1-b/staging", "us-east1/staging"},
		"us-east1":               {"us-east1-b/staging", "us-east1/staging"},
		"us-east1-b,europe":      {"staging"},
		"us-east1-c,europe-west": nil,
	} {
		var pairs []any
		if locations != "" {
			pairs = []any{"locations", locations}
		}
		w.ResetCalls()
		names, err := listed(t, w.opened(t, "", "", pairs...), clusterType)
		if diff := cmp.Diff(want, names); err != nil || diff != "" {
			t.Errorf("%q: %v: -want +got:\n%s", locations, err, diff)
		}
		if n := w.Count("container", ""); n != 1 {
			t.Errorf("%q: %d calls", locations, n)
		}
	}
}

// Zones that give no answer are named, and do not hide the others.
func TestListClustersWithoutAZone(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	w.Project(homeProject).MissZones("us-east1-b", "us-east1-c")
	names, err := listed(t, w.opened(t, "", ""), clusterType)
	if diff := cmp.Diff([]string{"production", "staging"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	fails(t, "all zones", err, fault.Unavailable, "no answer from us-east1-b, us-east1-c", "LOCATION/NAME")
	if names, err := listed(t, w.opened(t, "", "", "locations", "europe-west1"), clusterType); err != nil || !cmp.Equal(names, []string{"production"}) {
		t.Errorf("where no zone is missing: %v, %v", names, err)
	}
	s := w.opened(t, "", "")
	_, err = s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "missing"})
	fails(t, "one that may be there", err, fault.Unavailable, "no cluster missing is seen in project my-project", "")
	if got := mintedAs[connector.KubernetesAuth](t, s, connector.Request{ResourceType: clusterType, ResourceName: "us-east1-b/staging"}); got.Endpoint.Server != "https://34.1.2.4" {
		t.Errorf("%+v", got.Endpoint)
	}
}

func TestListClustersFailures(t *testing.T) {
	t.Parallel()
	_, err := listed(t, withClusters(t, "container.clusters.get").opened(t, "", ""), clusterType)
	fails(t, "without the permission", err, fault.Denied, "container.clusters.list", "")
	w, enough := withClusters(t), errors.New("enough")
	if err := w.opened(t, "", "").List(t.Context(), clusterType, func(connector.Resource) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	w.Project(homeProject).Disable("container.googleapis.com")
	_, err = listed(t, w.opened(t, "", ""), clusterType)
	fails(t, "with the API disabled", err, fault.Denied, "container.googleapis.com", "gcloud services enable")
}

func TestListOneCluster(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	w.Project(homeProject).Cluster("us-east1", "new", gcptest.Cluster{Status: "PROVISIONING"})
	for name, test := range map[string]struct {
		kind   fault.Kind
		action string
	}{
		"europe-west1/production": {"", "clusters.get"}, "production": {"", "clusters.list"}, "gke_my-project_us-east1-b_staging": {"", "clusters.get"},
		"us-east1/new": {fault.Unavailable, "clusters.get"}, "us-east1/production": {fault.NotFound, "clusters.get"},
		"missing": {fault.NotFound, "clusters.list"}, "staging": {fault.Ambiguous, "clusters.list"},
	} {
		w.ResetCalls()
		s := w.opened(t, clusterType, name)
		names, err := listed(t, s, clusterType)
		if fault.KindOf(err) != test.kind || err == nil && !cmp.Equal(names, []string{s.settings.ResourceName}) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
		if w.Count("container", test.action) != 1 || w.Count("container", "") != 1 {
			t.Errorf("%s: %+v", name, w.Calls())
		}
	}
}

func TestMintCluster(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	s := w.opened(t, "", "")
	for name, context := range map[string]string{
		"production": "gke_my-project_europe-west1_production", "europe-west1/production": "gke_my-project_europe-west1_production",
		"projects/my-project/zones/us-east1-b/clusters/staging": "gke_my-project_us-east1-b_staging",
	} {
		got := mintedAs[connector.KubernetesAuth](t, s, connector.Request{ResourceType: clusterType, ResourceName: name})
		if who, ok := w.TokenInfo(got.Token.Reveal()); !ok || who != "jane@example.com" || !got.Expires.Equal(dawn.Add(time.Hour)) {
			t.Errorf("%s: %s's until %s", name, who, got.Expires)
		}
		if got.Endpoint.Context != context || got.Endpoint.CertificateAuthority != strings.TrimSpace(w.CertificateAuthority()) {
			t.Errorf("%s: %+v", name, got.Endpoint)
		}
		if !strings.HasSuffix(name, got.Endpoint.Cluster) && got.Endpoint.Cluster != "us-east1-b/staging" {
			t.Errorf("%s is cluster %s", name, got.Endpoint.Cluster)
		}
	}
	if n := len(w.source.asked); n != 1 {
		t.Errorf("%d tokens were got for one session", n)
	}
}

// Names that several clusters have, and those that none has, are refused with what there
// is.
func TestMintClusterByName(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	s := w.opened(t, "", "")
	for name, test := range map[string]struct {
		kind       fault.Kind
		text, hint string
	}{
		"staging":              {fault.Ambiguous, "project my-project has 2 clusters of the name staging: us-east1-b/staging, us-east1/staging", "--resource-name us-east1-b/staging"},
		"prodction":            {fault.NotFound, "project my-project has no cluster prodction", "did you mean production? There are: production, us-east1-b/staging, us-east1/staging"},
		"elsewhere":            {fault.NotFound, "project my-project has no cluster elsewhere", "there are: production, us-east1-b/staging, us-east1/staging"},
		"europe-west1/staging": {fault.NotFound, "cluster staging in europe-west1", ""},
	} {
		_, err := s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: name})
		fails(t, name, err, test.kind, test.text, test.hint)
	}
	for i := range 15 {
		w.Project(homeProject).Cluster("us-west1", fmt.Sprintf("c%d", i), gcptest.Cluster{})
	}
	_, err := s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "zzz"})
	fails(t, "of many", err, fault.NotFound, "has no cluster zzz", " and others")
	_, err = w.opened(t, "", "", "locations", "asia-east1").Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "production"})
	fails(t, "where there are none", err, fault.NotFound, "has no cluster production", "no clusters at all where the connector looks")
}

func TestMintClusterInEveryStatus(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	s := w.opened(t, "", "")
	for status, test := range map[string]struct {
		kind fault.Kind
		text string
	}{
		"RUNNING": {}, "RECONCILING": {}, "DEGRADED": {},
		"PROVISIONING": {fault.Unavailable, "still being created"},
		"STOPPING":     {fault.Failed, "is being deleted"},
		"ERROR":        {fault.Failed, `its status is "ERROR"`},
		"NEW_ONE":      {fault.Failed, `its status is "NEW_ONE"`},
	} {
		w.Project(homeProject).Cluster("us-east1", "x", gcptest.Cluster{Status: status, CertificateAuthority: w.CertificateAuthority()})
		for _, name := range []string{"x", "us-east1/x"} {
			_, err := s.Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: name})
			if fault.KindOf(err) != test.kind || err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: %s: %v", status, fault.KindOf(err), err)
			}
		}
	}
}

// The field cluster_endpoint chooses; auto takes the first that there is.
func TestClusterEndpoints(t *testing.T) {
	t.Parallel()
	w := kindsOf(t)
	authority := strings.TrimSpace(w.CertificateAuthority())
	const public, private, dns = "34.1.2.3", "10.1.2.3", "gke-abc.us-east1.gke.goog"
	for _, test := range []struct {
		what    string
		cluster gcptest.Cluster
		choice  string
		server  string // "" is none
		text    string
	}{
		{"usual", gcptest.Cluster{}, "auto", public, ""},
		{"usual", gcptest.Cluster{}, "public", public, ""},
		{"usual", gcptest.Cluster{}, "private", private, ""},
		{"usual", gcptest.Cluster{}, "dns", "", "no dns endpoint that takes requests: it has public, private"},
		{"open DNS", gcptest.Cluster{AllowExternalTraffic: true}, "auto", dns, ""},
		{"open DNS", gcptest.Cluster{AllowExternalTraffic: true}, "dns", dns, ""},
		{"open DNS", gcptest.Cluster{AllowExternalTraffic: true}, "public", public, ""},
		{"private", gcptest.Cluster{Private: true}, "auto", private, ""},
		{"private", gcptest.Cluster{Private: true}, "public", "", "no public endpoint that takes requests: it has private"},
		{"DNS alone", gcptest.Cluster{AllowExternalTraffic: true, NoIPEndpoints: true}, "auto", dns, ""},
		{"DNS alone", gcptest.Cluster{AllowExternalTraffic: true, NoIPEndpoints: true}, "private", "", "no private endpoint that takes requests: it has dns"},
		{"closed", gcptest.Cluster{NoIPEndpoints: true}, "auto", "", "no endpoint that takes anybody's requests"},
	} {
		c := test.cluster
		c.Endpoint, c.PrivateEndpoint, c.DNSEndpoint, c.CertificateAuthority = public, private, dns, w.CertificateAuthority()
		w.Project(homeProject).Cluster("us-east1", "x", c)
		got, err := w.opened(t, "", "", "cluster_endpoint", test.choice).Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "x"})
		if test.server == "" {
			if err == nil || !strings.Contains(err.Error(), test.text) || fault.HintOf(err) == "" {
				t.Errorf("%s, %s: %v (%s)", test.what, test.choice, err, fault.HintOf(err))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", test.what, test.choice, err)
			continue
		}
		wanted := authority
		if test.server == dns {
			wanted = ""
		}
		if e := got.(connector.KubernetesAuth).Endpoint; e.Server != "https://"+test.server || e.CertificateAuthority != wanted {
			t.Errorf("%s, %s: %+v", test.what, test.choice, e)
		}
	}
}

// Clusters that were described before there was a choice of endpoints.
func TestClusterEndpointsOfOld(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		described describedCluster
		want      addresses
	}{
		"nothing is said": {describedCluster{Endpoint: "34.1.2.3"}, addresses{public: "34.1.2.3"}},
		"private nodes": {
			describedCluster{Endpoint: "34.1.2.3", PrivateClusterConfig: &privateEndpoints{PublicEndpoint: "34.1.2.3", PrivateEndpoint: "10.1.2.3"}},
			addresses{public: "34.1.2.3", private: "10.1.2.3"},
		},
		"private nodes only said": {describedCluster{Endpoint: "34.1.2.3", PrivateClusterConfig: &privateEndpoints{}}, addresses{public: "34.1.2.3"}},
		"private endpoint": {
			describedCluster{Endpoint: "10.1.2.3", PrivateClusterConfig: &privateEndpoints{EnablePrivateEndpoint: true, PublicEndpoint: "34.1.2.3", PrivateEndpoint: "10.1.2.3"}},
			addresses{private: "10.1.2.3"},
		},
	} {
		if got := test.described.addresses(); got != test.want {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

func TestMintClusterWithoutAProperServer(t *testing.T) {
	t.Parallel()
	pem := base64.StdEncoding.EncodeToString([]byte("no certificate"))
	for what, test := range map[string]describedCluster{
		"user and host":   {Endpoint: "me:x@34.1.2.3"},
		"query":           {Endpoint: "34.1.2.3?x"},
		"no certificate":  {Endpoint: "34.1.2.3"},
		"bad certificate": {Endpoint: "34.1.2.3", MasterAuth: struct{ ClusterCaCertificate string }{pem}},
	} {
		if _, err := test.endpoint(endpointAuto); !fault.Is(err, fault.Failed) {
			t.Errorf("%s: %s: %v", what, fault.KindOf(err), err)
		}
	}
}

// What GKE says of another cluster than the one that was asked for is not taken for it.
func TestMintClusterThatIsAnotherOne(t *testing.T) {
	t.Parallel()
	for body, text := range map[string]string{
		`{"name":"staging","location":"us-east1-b","status":"RUNNING","endpoint":"34.1.2.4"}`: "answered about another one",
		`{}`: "answered about another one",
	} {
		w := withClusters(t)
		w.http = answering{status: http.StatusOK, body: body, path: "/v1/projects/my-project/locations/europe-west1/clusters/production"}
		_, err := w.opened(t, "", "").Mint(t.Context(), connector.Request{ResourceType: clusterType, ResourceName: "europe-west1/production"})
		fails(t, body, err, fault.Failed, text, "")
	}
}

// What GKE has among its clusters that can be none is left out.
func TestListClustersThatAreNone(t *testing.T) {
	t.Parallel()
	w := withClusters(t)
	w.http = answering{
		status: http.StatusOK, path: "/v1/projects/my-project/locations/-/clusters",
		body: `{"clusters":[{"name":"a/b","location":"us-east1"},{"name":"c","location":"\u001b[2J"},{"name":"d","location":"us-east1"}],"missingZones":["\u001b[2J"]}`,
	}
	if names, err := listed(t, w.opened(t, "", ""), clusterType); err != nil || !cmp.Equal(names, []string{"d"}) {
		t.Errorf("%q, %v", names, err)
	}
}
