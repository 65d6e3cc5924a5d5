package gcptest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

const containerName = "container"

func containerService() *service {
	const location = "/v1/projects/{project}/locations/{location}/clusters"
	const zone = "/v1/projects/{project}/zones/{location}/clusters" // as self-links of zonal clusters have it
	return &service{
		name: containerName, api: "container.googleapis.com", title: "Kubernetes Engine API", fail: failContainer,
		operations: []operation{
			{action: "clusters.list", method: http.MethodGet, path: location, run: listClusters},
			{action: "clusters.list", method: http.MethodGet, path: zone, run: listClusters},
			{action: "clusters.get", method: http.MethodGet, path: location + "/{cluster}", run: getCluster},
			{action: "clusters.get", method: http.MethodGet, path: zone + "/{cluster}", run: getCluster},
		},
	}
}

// failContainer words an error as Kubernetes Engine does.
func failContainer(_ *request, e *apiError) answer {
	body := map[string]any{"code": e.status, "message": e.message, "status": e.code, "errors": []any{e.listed()}}
	if details := e.allDetails(); len(details) > 0 {
		body["details"] = details
	}
	return e.answer(map[string]any{"error": body})
}

// allowCluster refuses what the caller may not, in the words of Kubernetes Engine.
func (r *request) allowCluster(permission, name string) error {
	if r.may(permission, resource{project: r.project(), name: name}) {
		return nil
	}
	return forbidden("IAM_PERMISSION_DENIED", r.service.api, map[string]string{"permission": permission, "resource": name},
		"Required \"%s\" permission(s) for \"%s\".", permission, name)
}

// anywhere stands for all locations.
const anywhere = "-"

// listClusters is never paged.
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/list
func listClusters(r *request) (answer, error) {
	location := r.vars["location"]
	if location != anywhere && !isZoneOrRegion(location) {
		return answer{}, invalid("Location \"%s\" does not exist.", location)
	}
	if err := r.allowCluster("container.clusters.list", "projects/"+r.project()); err != nil {
		return answer{}, err
	}
	p, err := r.flawless(r.project())
	if err != nil {
		return answer{}, err
	}
	missing := r.server.others.missingZones[p]
	var found []*cluster
	for key, c := range r.server.others.clusters {
		here := key.location == location || location == anywhere && !slices.Contains(missing, key.location)
		if key.project == p && here {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *cluster) int {
		return slices.Compare([]string{a.name, a.location}, []string{b.name, b.location})
	})
	out := listing{}.with("clusters", describe(found, func(c *cluster) any { return c.described() }))
	if location == anywhere {
		out.with("missingZones", describe(missing, func(zone string) any { return zone }))
	}
	return answerJSON(out)
}

func getCluster(r *request) (answer, error) {
	location, name := r.vars["location"], r.vars["cluster"]
	whole := "projects/" + r.project() + "/locations/" + location + "/clusters/" + name
	if !isZoneOrRegion(location) || !isClusterName(name) {
		return answer{}, invalid("Cluster name \"%s\" is malformed.", whole)
	}
	if err := r.allowCluster("container.clusters.get", whole); err != nil {
		return answer{}, err
	}
	c := r.server.others.clusters[clusterKey{r.server.projectOf(r.project()), location, name}]
	if c == nil {
		return answer{}, notFound("Not found: %s.", whole)
	}
	return answerJSON(c.described())
}

// described is the cluster as the API has it.
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#Cluster
func (c *cluster) described() map[string]any {
	const version = "1.33.5-gke.1162000"
	out := map[string]any{
		"name": c.name, "location": c.location, "zone": c.location, "locations": []string{c.location}, "status": c.Status,
		"selfLink": c.selfLink(), "createTime": c.created.UTC().Format(time.RFC3339), "resourceLabels": map[string]string{},
		"currentMasterVersion": version, "currentNodeVersion": version, "currentNodeCount": 3, "network": "default",
		"nodePools": []any{map[string]any{"name": "default-pool", "version": version, "config": map[string]any{"machineType": "e2-medium"}}},
	}
	if c.Status == "PROVISIONING" {
		return out // there is no API server yet
	}
	out["masterAuth"] = map[string]any{"clusterCaCertificate": base64.StdEncoding.EncodeToString([]byte(c.CertificateAuthority))}
	out["controlPlaneEndpointsConfig"] = map[string]any{
		"dnsEndpointConfig": map[string]any{"endpoint": c.DNSEndpoint, "allowExternalTraffic": c.AllowExternalTraffic},
		"ipEndpointsConfig": c.ipEndpoints(),
	}
	out["endpoint"], out["privateClusterConfig"] = c.endpoint(), c.privateConfig()
	return out
}

// endpoint is the field that is documented to be an address. Where addresses are disabled,
// the DNS name is in it: https://github.com/gke-labs/kube-agents/issues/1797
func (c *cluster) endpoint() string {
	switch {
	case c.NoIPEndpoints:
		return c.DNSEndpoint
	case c.Private:
		return c.PrivateEndpoint
	}
	return c.Endpoint
}

func (c *cluster) privateConfig() map[string]any {
	out := map[string]any{"enablePrivateNodes": c.Private}
	if c.NoIPEndpoints {
		return out
	}
	out["enablePrivateEndpoint"], out["privateEndpoint"] = c.Private, c.PrivateEndpoint
	if !c.Private {
		out["publicEndpoint"] = c.Endpoint
	}
	return out
}

// ipEndpoints are the addresses, which are told only where they are enabled.
func (c *cluster) ipEndpoints() map[string]any {
	if c.NoIPEndpoints {
		return map[string]any{"enabled": false}
	}
	out := map[string]any{"enabled": true, "enablePublicEndpoint": !c.Private, "privateEndpoint": c.PrivateEndpoint}
	if !c.Private {
		out["publicEndpoint"] = c.Endpoint
	}
	return out
}

// selfLink is the address of the cluster, in the form of zonal clusters or of regional
// ones.
func (c *cluster) selfLink() string {
	kind := "locations"
	if isZone(c.location) {
		kind = "zones"
	}
	return "https://container.googleapis.com/v1/projects/" + c.project.id + "/" + kind + "/" + c.location + "/clusters/" + c.name
}
