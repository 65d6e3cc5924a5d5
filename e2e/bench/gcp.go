package main

import (
	"context"
	"fmt"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// How much there is to list: each connector is of a project of its own, with something in
// every location. A page has all that a project has, as Google's would.
const (
	gcpProjects = 20
	gcpPage     = 100
)

// gcpLocations are regions, as Artifact Registry and Kubernetes Engine have them.
var gcpLocations = []string{
	"africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1", "asia-southeast1",
	"asia-southeast2", "australia-southeast1", "europe-central2", "europe-north1", "europe-southwest1", "europe-west1", "europe-west12",
	"europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9", "me-central1", "me-west1",
	"northamerica-northeast1", "northamerica-northeast2", "southamerica-east1", "us-central1", "us-east1", "us-east4", "us-west1",
}

const artifactRegistry = "europe-west1-docker.pkg.dev"

// gcp measures what the connector type gcp adds to the latency of its services, and what
// is kept beside the programs of Google's.
func gcp(ctx context.Context, w *world, runs int) error {
	server, err := gcptest.New(gcptest.Options{PageSize: gcpPage})
	if err != nil {
		return err
	}
	defer server.Close()
	c, end := newCloud(w, "Google", "gcp")
	defer end()
	c.forget = server.ResetCalls
	c.asked = func() (steps []step) {
		for _, call := range server.Calls() {
			steps = append(steps, step{call.Action, call.Time})
		}
		return steps
	}
	for n := range gcpProjects {
		if err := gcpConnector(c, server, n); err != nil {
			return err
		}
	}
	if err := besideGoogle(ctx, c, server, runs); err != nil {
		return err
	}
	server.Delay(latency)
	if err := c.mints(ctx, gcpName(0),
		kind{"token for all", "gcp-generic", projectID(0), "token"},
		kind{"token for a bucket", "gcs-bucket", "gs://bench-0-0", "token"},
		kind{"login of Artifact Registry", "docker-registry", artifactRegistry + "/" + projectID(0) + "/team", "token"},
		kind{"token of GKE", "kubernetes-cluster", "cluster-0", "token"},
	); err != nil {
		return err
	}
	return c.listing(ctx, fmt.Sprintf("%d projects × %d locations", gcpProjects, len(gcpLocations)), func() int { return gcpChain })
}

func projectID(n int) string { return fmt.Sprintf("bench-project-%02d", n) }

func gcpName(n int) string { return fmt.Sprintf("gcp%02d", n) }

// gcpConnector makes a project with something of everything in every location, and a
// connector to it.
func gcpConnector(c *cloud, server *gcptest.Server, n int) error {
	project := server.Project(projectID(n))
	for i := range 3 {
		project.Bucket(fmt.Sprintf("bench-%d-%d", n, i), "EU")
	}
	for i, location := range gcpLocations {
		project.Repository(location, "team", gcptest.Repository{})
		project.Cluster(location, fmt.Sprintf("cluster-%d", i), gcptest.Cluster{})
	}
	return c.connector(gcpName(n), fmt.Sprintf(`version = 1
type = 'gcp'
auth_method = 'service-account'

[configuration]
project_id = '%s'
%s
[secrets.references]
service_account_json`, project.ID(), endpoints(server)), project.ServiceAccount("bench").KeyAt(server.URL()+"/token"))
}

// endpoints are the fields that lead to the fake.
func endpoints(server *gcptest.Server) (fields string) {
	for _, service := range []string{"storage", "container", "artifactregistry", "sts", "oauth2"} {
		fields += fmt.Sprintf("api_endpoint_%s = '%s/%s'\n", service, server.URL(), service)
	}
	return fields
}

// gcpChain is the number of calls that have to wait for each other within one project: for
// the token, for the locations, and for the repositories of one of them.
const gcpChain = 3
