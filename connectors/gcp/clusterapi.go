package gcp

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// describedCluster is a cluster as GKE describes it, as far as it matters here.
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
type describedCluster struct {
	Name, Location string
	Status         string
	Endpoint       string // the address that GKE takes for the usual one
	MasterAuth     struct{ ClusterCaCertificate string }

	PrivateClusterConfig        *privateEndpoints
	ControlPlaneEndpointsConfig struct {
		DNSEndpointConfig struct {
			Endpoint             string
			AllowExternalTraffic bool
		}
		IPEndpointsConfig *ipEndpoints
	}
}

// ipEndpoints are the addresses of an API server.
type ipEndpoints struct {
	Enabled, EnablePublicEndpoint   bool
	PublicEndpoint, PrivateEndpoint string
}

// privateEndpoints are the addresses where GKE says them in the manner of old.
type privateEndpoints struct {
	EnablePrivateEndpoint           bool // and no other
	PublicEndpoint, PrivateEndpoint string
}

// clusterFields are those that describedCluster has, as `fields` wants them.
const clusterFields = "name,location,status,endpoint,masterAuth(clusterCaCertificate)," +
	"privateClusterConfig(enablePrivateEndpoint,publicEndpoint,privateEndpoint)," +
	"controlPlaneEndpointsConfig(dnsEndpointConfig(endpoint,allowExternalTraffic)," +
	"ipEndpointsConfig(enabled,enablePublicEndpoint,publicEndpoint,privateEndpoint))"

func (d *describedCluster) cluster() cluster { return cluster{d.Location, d.Name} }

// describedClusters are those of a project, in the locations of the connector.
type describedClusters struct {
	Clusters     []describedCluster
	MissingZones []string
}

// clusters asks for all clusters that there are, and some fields of them.
func (s *session) clusters(ctx context.Context, t token, fields string) (describedClusters, error) {
	project, err := s.knownProject()
	if err != nil {
		return describedClusters{}, err
	}
	var out describedClusters
	err = s.ask(ctx, call{
		api: containerAPI, path: "/v1/projects/" + project + "/locations/-/clusters", bearer: t,
		query: url.Values{"fields": {"clusters(" + fields + "),missingZones"}},
	}, &out)
	if err != nil {
		return describedClusters{}, err
	}
	wanted := locationsField.Get(s.values)
	out.Clusters = slices.DeleteFunc(out.Clusters, func(d describedCluster) bool {
		return !within(wanted, d.Location) || !clusterName.MatchString(d.Name) || !isLocation(d.Location)
	})
	out.MissingZones = slices.DeleteFunc(out.MissingZones, func(zone string) bool { return !within(wanted, zone) || !isLocation(zone) })
	return out, nil
}

// within reports whether a zone or a region is among the wanted ones, where a region
// stands for its zones. None is all.
func within(wanted []string, location string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, location) || slices.Contains(wanted, regionOf(location))
}

// names are the canonical names: where several clusters have one, their places tell them
// apart.
func (all describedClusters) names() []string {
	count := map[string]int{}
	for _, d := range all.Clusters {
		count[d.Name]++
	}
	var out []string
	for _, d := range all.Clusters {
		c := d.cluster()
		if count[d.Name] == 1 {
			c.location = ""
		}
		out = append(out, c.canonical())
	}
	slices.Sort(out)
	return out
}

// incomplete says which zones gave no answer.
func (all describedClusters) incomplete() error {
	if len(all.MissingZones) == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, "%s had no answer from %s: clusters there are missing", containerAPI.title, strings.Join(all.MissingZones, ", ")).
		Hint("try again; a cluster there is also reached by its full name, LOCATION/NAME")
}

// describe asks about one cluster. One that is named without its location is looked for in
// all of them.
func (s *session) describe(ctx context.Context, t token, c cluster) (*describedCluster, error) {
	if c.location == "" {
		all, err := s.clusters(ctx, t, clusterFields)
		if err != nil {
			return nil, err
		}
		return all.named(c.name, s.project())
	}
	project, err := s.knownProject()
	if err != nil {
		return nil, err
	}
	var out describedCluster
	err = s.ask(ctx, call{
		api: containerAPI, path: "/v1/projects/" + project + "/locations/" + c.location + "/clusters/" + c.name, bearer: t,
		query: url.Values{"fields": {clusterFields}},
	}, &out)
	if err != nil {
		return nil, fault.Within(err, "cluster %s in %s", c.name, c.location)
	}
	if out.cluster() != c {
		return nil, fault.New(fault.Failed, "%s was asked for cluster %s, and answered about another one", containerAPI.title, c.canonical())
	}
	return &out, nil
}

// named is the one cluster of a name. A zone without an answer may have another one of that
// name: that is no reason to keep people from the others, of all times.
func (all describedClusters) named(name, project string) (*describedCluster, error) {
	found := slices.DeleteFunc(slices.Clone(all.Clusters), func(d describedCluster) bool { return d.Name != name })
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		names := describedClusters{Clusters: found}.names()
		return nil, fault.New(fault.Ambiguous, "project %s has %d clusters of the name %s: %s", project, len(found), name, strings.Join(names, ", ")).
			Hint("name one of them with its location: --resource-name %s", names[0])
	}
	if err := all.incomplete(); err != nil {
		return nil, fault.Within(err, "no cluster %s is seen in project %s", name, project)
	}
	return nil, all.absent(name, project)
}

// maxNames is how many names an error has.
const maxNames = 10

// absent is the error for a cluster that there is not, with those that there are.
func (all describedClusters) absent(name, project string) error {
	err := fault.New(fault.NotFound, "project %s has no cluster %s", project, name)
	names := all.names()
	if len(names) == 0 {
		return err.Hint("it has no clusters at all where the connector looks; see its fields %s and %s", projectField.Name, locationsField.Name)
	}
	near, more := field.Nearest(name, names), ""
	if len(names) > maxNames {
		names, more = names[:maxNames], " and others"
	}
	if near != "" {
		return err.Hint("did you mean %s? There are: %s%s", near, strings.Join(names, ", "), more)
	}
	return err.Hint("there are: %s%s", strings.Join(names, ", "), more)
}

// usable refuses clusters that cannot be talked to yet, or any more. A degraded one may
// need somebody to talk to it.
func (d *describedCluster) usable() error {
	switch d.Status {
	case "RUNNING", "RECONCILING", "DEGRADED":
		return nil
	case "PROVISIONING":
		return fault.New(fault.Unavailable, "cluster %s in %s is still being created (status %s)", d.Name, d.Location, d.Status).
			Hint("GKE takes 5 to 10 minutes for that: try again then")
	case "STOPPING":
		return fault.New(fault.Failed, "cluster %s in %s is being deleted (status %s)", d.Name, d.Location, d.Status)
	}
	return fault.New(fault.Failed, "cluster %s in %s cannot be used: its status is %q", d.Name, d.Location, hop.OneLine(d.Status))
}
