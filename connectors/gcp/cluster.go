package gcp

import (
	"context"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// clusterKind is the clusters of GKE.
func clusterKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  clusterType,
			Title: "GCP GKE Kubernetes cluster",
			Icon:  "🌀",
			Doc: `Allows kubectl and all other Kubernetes clients to reach a GKE cluster, with what IAM and the cluster's own roles grant the identity of the connector.

A connector lists the clusters of its project in all zones and regions, or in those of the field locations: a region stands for its zones too. Two clusters of one name in different places have the place in front of it. The field cluster_endpoint says which of a cluster's endpoints is used.`,
			Formats: []string{
				"NAME, as in production, where the project has one of that name", "LOCATION/NAME", "projects/PROJECT/locations/LOCATION/clusters/NAME, and the links that end with it",
				"gke_PROJECT_LOCATION_NAME, as gcloud calls contexts",
			},
			Permissions: []string{
				"container.clusters.list, to list clusters, and for those named without their location",
				"container.clusters.get",
				"roles of the cluster: roles/container.viewer, roles/container.developer or bindings in the cluster itself",
			},
			Instances: true,
			Parse: func(values field.Values, name string) (string, error) {
				c, err := parseCluster(values, name)
				if err != nil {
					return "", err
				}
				return c.canonical(), nil
			},
		},
		list: listClusters,
		mint: mintCluster,
	}
}

// cluster is a cluster of GKE, in the project of the connector.
type cluster struct {
	location string // "" is wherever there is one of the name
	name     string
}

// canonical is the resource name. Both forms are canonical: which one a list has depends
// on what else there is.
func (c cluster) canonical() string {
	if c.location == "" {
		return c.name
	}
	return c.location + "/" + c.name
}

// context is what gcloud calls the context of the cluster.
func (c cluster) context(project string) string {
	return contextPrefix + project + "_" + c.location + "_" + c.name
}

const contextPrefix = "gke_"

var (
	// clusterName is what GKE gives out.
	// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
	clusterName = field.Lazily(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)
	clusterLink = linkPattern("container", "locations|zones", "clusters")
)

func parseCluster(values field.Values, text string) (cluster, error) {
	c := cluster{"", text}
	if project, location, name, ok := clusterOfProject(text); ok {
		if err := clusterProject(values, project); err != nil {
			return cluster{}, err
		}
		c = cluster{location, name}
	} else if location, name, ok := strings.Cut(text, "/"); ok {
		c = cluster{location, name}
	}
	switch {
	case !clusterName.MatchString(c.name):
		return cluster{}, fault.New(fault.Invalid, "%q is not the name of a cluster: those have 1 to 40 lower-case letters, digits and hyphens, and start with a letter", c.name)
	case c.location == "" && c.name != text, c.location != "" && !isLocation(c.location):
		return cluster{}, fault.New(fault.Invalid, "%q is not the name of a zone or a region", c.location)
	}
	return c, nil
}

// clusterOfProject reads the names that tell the project: links, and gcloud's contexts.
func clusterOfProject(text string) (project, location, name string, ok bool) {
	if rest, is := strings.CutPrefix(text, contextPrefix); is {
		parts := strings.Split(rest, "_")
		if len(parts) != 3 {
			return "", "", "", false
		}
		return parts[0], parts[1], parts[2], true
	}
	return link(clusterLink, text)
}

// clusterProject refuses clusters of other projects. The names that are kept do not tell
// the project: as long as that of the connector is unknown, none may be told.
func clusterProject(values field.Values, project string) error {
	if _, err := checkProject(project); err != nil {
		return err
	}
	own := projectField.Get(values)
	if own == "" {
		return fault.New(fault.Invalid, "the project of the connector is not known yet, and the cluster is said to be of project %s", project).
			Hint("say --set %s=%s as well, or name the cluster by LOCATION/NAME", projectField.Name, project)
	}
	return ofProject(own, "the cluster", project)
}

// listClusters lists what there is in all places, which is one question: GKE has no pages.
func listClusters(ctx context.Context, s *session, yield func(string) error) error {
	if name := s.settings.ResourceName; name != "" {
		return listCluster(ctx, s, name, yield)
	}
	t, err := s.tokenFor(ctx, purpose{})
	if err != nil {
		return err
	}
	all, err := s.clusters(ctx, t, "name,location")
	if err != nil {
		return err
	}
	for _, name := range all.names() {
		if err := yield(name); err != nil {
			return err
		}
	}
	return all.incomplete()
}

// listCluster asks about one cluster alone.
func listCluster(ctx context.Context, s *session, name string, yield func(string) error) error {
	t, err := s.tokenFor(ctx, purpose{})
	if err != nil {
		return err
	}
	if _, err := s.clusterEndpoint(ctx, t, name); err != nil {
		return err
	}
	return yield(name)
}

func mintCluster(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	t, err := s.tokenFor(ctx, purpose{lifetime: request.Lifetime})
	if err != nil {
		return nil, err
	}
	endpoint, err := s.clusterEndpoint(ctx, t, request.ResourceName)
	if err != nil {
		return nil, err
	}
	return connector.KubernetesAuth{Endpoint: endpoint, Token: t.text, Expires: t.expires}, nil
}

// clusterEndpoint asks GKE how the API server of a cluster is reached.
func (s *session) clusterEndpoint(ctx context.Context, t token, name string) (connector.KubernetesEndpoint, error) {
	c, err := parseCluster(s.values, name)
	if err != nil {
		return connector.KubernetesEndpoint{}, err
	}
	described, err := s.describe(ctx, t, c)
	if err != nil {
		return connector.KubernetesEndpoint{}, err
	}
	if err := described.usable(); err != nil {
		return connector.KubernetesEndpoint{}, err
	}
	endpoint, err := described.endpoint(clusterEndpointField.Get(s.values))
	endpoint.Cluster, endpoint.Context = name, described.cluster().context(s.project())
	return endpoint, err
}
