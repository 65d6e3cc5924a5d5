package gcptest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

func TestClusters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Cluster("us-central1", "one", gcptest.Cluster{Endpoint: "34.1.2.3", CertificateAuthority: "-----BEGIN CERTIFICATE-----\n"})
	p.Cluster("europe-west1-b", "one", gcptest.Cluster{Status: "DEGRADED"})
	p.Cluster("europe-west1", "two", gcptest.Cluster{})
	w.Project("theirs").Cluster("us-central1", "three", gcptest.Cluster{})
	as := w.robotOf(p, "robot")
	for location, want := range map[string]string{
		"-": "europe-west1-b us-central1 europe-west1", "us-central1": "us-central1", "europe-west1": "europe-west1", "asia-east1": "",
	} {
		got := w.ask(t, http.MethodGet, "/v1/projects/acme/locations/"+location+"/clusters", as, "").good(t)
		if locations := strings.Join(got.texts(t, "clusters", "location"), " "); locations != want {
			t.Errorf("%s: %s, want %s", location, locations, want)
		}
	}
	got := w.ask(t, http.MethodGet, "/v1/projects/"+p.Number()+"/locations/us-central1/clusters/one", as, "").good(t)
	ca, err := base64.StdEncoding.DecodeString(got.field(t, "masterAuth", "clusterCaCertificate"))
	if err != nil || string(ca) != "-----BEGIN CERTIFICATE-----\n" || got.field(t, "endpoint") != "34.1.2.3" || got.field(t, "status") != "RUNNING" ||
		got.field(t, "selfLink") != "https://container.googleapis.com/v1/projects/acme/locations/us-central1/clusters/one" {
		t.Error(got.body)
	}
	zonal := w.ask(t, http.MethodGet, "/v1/projects/acme/locations/europe-west1-b/clusters/one", as, "").good(t)
	link := strings.TrimPrefix(zonal.field(t, "selfLink"), "https://container.googleapis.com")
	if link != "/v1/projects/acme/zones/europe-west1-b/clusters/one" || w.ask(t, http.MethodGet, link, as, "").good(t).body != zonal.body || zonal.field(t, "status") != "DEGRADED" {
		t.Error(zonal.body)
	}
	ca, err = base64.StdEncoding.DecodeString(zonal.field(t, "masterAuth", "clusterCaCertificate"))
	if err != nil || string(ca) != w.CertificateAuthority() {
		t.Errorf("%s", ca)
	}
}

func TestMissingZones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Cluster("us-central1", "one", gcptest.Cluster{})
	p.Cluster("us-central1-a", "two", gcptest.Cluster{})
	p.MissZones("us-central1-a")
	as := w.robotOf(p, "robot")
	got := w.ask(t, http.MethodGet, "/v1/projects/acme/locations/-/clusters", as, "").good(t)
	if names := got.texts(t, "clusters", "name"); len(names) != 1 || names[0] != "one" || got.field(t, "missingZones") != `["us-central1-a"]` {
		t.Error(got.body)
	}
	p.MissZones()
	got = w.ask(t, http.MethodGet, "/v1/projects/acme/locations/-/clusters", as, "").good(t)
	if names := got.texts(t, "clusters", "name"); len(names) != 2 || got.field(t, "missingZones") != "null" {
		t.Error(got.body)
	}
}

func TestEndpointsOfClusters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	as := w.robotOf(p, "robot")
	base := gcptest.Cluster{Endpoint: "34.1.2.3", PrivateEndpoint: "10.0.0.2", DNSEndpoint: "gke-x.us-east1.gke.goog"}
	private, dns, fresh := base, base, base
	private.Private, dns.NoIPEndpoints, dns.AllowExternalTraffic, fresh.Status = true, true, true, "PROVISIONING"
	const public, privately, name, both, external = "endpoint", "privateClusterConfig.privateEndpoint", "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint",
		"controlPlaneEndpointsConfig.ipEndpointsConfig.publicEndpoint", "controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic"
	const enabled, open = "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", "controlPlaneEndpointsConfig.ipEndpointsConfig.enablePublicEndpoint"
	for what, test := range map[string]struct {
		c    gcptest.Cluster
		want map[string]string
	}{
		"public":  {base, map[string]string{public: "34.1.2.3", privately: "10.0.0.2", name: base.DNSEndpoint, both: "34.1.2.3", external: "false", enabled: "true", open: "true"}},
		"private": {private, map[string]string{public: "10.0.0.2", privately: "10.0.0.2", name: base.DNSEndpoint, both: "null", external: "false", enabled: "true", open: "false"}},
		"dns":     {dns, map[string]string{public: base.DNSEndpoint, privately: "null", name: base.DNSEndpoint, both: "null", external: "true", enabled: "false", open: "null"}},
		"new":     {fresh, map[string]string{public: "null", "masterAuth": "null", "controlPlaneEndpointsConfig": "null", "status": "PROVISIONING"}},
	} {
		p.Cluster("us-east1", what, test.c)
		got := w.ask(t, http.MethodGet, "/v1/projects/acme/locations/us-east1/clusters/"+what, as, "").good(t)
		for path, want := range test.want {
			if have := got.field(t, strings.Split(path, ".")...); have != want {
				t.Errorf("%s: %s is %s, want %s", what, path, have, want)
			}
		}
	}
	p.Cluster("us-east1-b", "made-up", gcptest.Cluster{})
	got := w.ask(t, http.MethodGet, "/v1/projects/acme/locations/us-east1-b/clusters/made-up", as, "").good(t)
	if !strings.HasPrefix(got.field(t, public), "34.90.") || !strings.HasPrefix(got.field(t, strings.Split(privately, ".")...), "10.0.") || !strings.HasSuffix(got.field(t, strings.Split(name, ".")...), "-"+p.Number()+".us-east1.gke.goog") {
		t.Error(got.body)
	}
}

func TestClustersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Cluster("us-central1", "one", gcptest.Cluster{})
	all, getter, lister := w.robotOf(p, "robot"), w.robotOf(p, "getter", "container.clusters.get"), w.robotOf(p, "lister", "container.clusters.list")
	w.Project("off").Disable("container.googleapis.com")
	w.Project("off").Grant("serviceAccount:"+p.ServiceAccount("robot").Email(), "*")
	const one = "locations/us-central1/clusters/one"
	for what, test := range map[string]struct {
		as           http.Header
		path         string
		status       int
		code, reason string
		text         string
	}{
		"may not list":    {getter, "acme/locations/-/clusters", 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", `Required "container.clusters.list" permission(s) for "projects/acme".`},
		"may not get":     {lister, "acme/" + one, 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", `Required "container.clusters.get" permission(s) for "projects/acme/locations/us-central1/clusters/one".`},
		"another project": {all, "theirs/" + one, 403, "PERMISSION_DENIED", "forbidden", ""},
		"no such cluster": {getter, "acme/locations/us-east1/clusters/one", 404, "NOT_FOUND", "notFound", "Not found: projects/acme/locations/us-east1/clusters/one."},
		"a wrong name":    {all, "acme/locations/us-east1/clusters/One_", 400, "INVALID_ARGUMENT", "invalid", "malformed"},
		"a place of none": {all, "acme/locations/mars/clusters", 400, "INVALID_ARGUMENT", "", `Location "mars" does not exist.`},
		"any place":       {all, "acme/locations/-/clusters/one", 400, "INVALID_ARGUMENT", "", "malformed"},
		"not enabled":     {all, "off/locations/-/clusters", 403, "PERMISSION_DENIED", "SERVICE_DISABLED", "Kubernetes Engine API has not been used in project"},
		"nobody":          {nil, "acme/" + one, 401, "UNAUTHENTICATED", "CREDENTIALS_MISSING", ""},
	} {
		w.ask(t, http.MethodGet, "/v1/projects/"+test.path, test.as, "").refused(t, what, test.status, test.code, test.reason, test.text)
	}
	w.ask(t, http.MethodGet, "/v1/projects/acme/"+one, getter, "").good(t)
	last := w.Calls()[len(w.Calls())-1]
	if last.Service != "container" || last.Action != "clusters.get" || last.Project != "acme" || last.Principal != "getter@acme.iam.gserviceaccount.com" || last.Code != "" {
		t.Errorf("%+v", last)
	}
}
