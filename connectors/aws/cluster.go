package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// clusterKind is the clusters of EKS.
func clusterKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  clusterType,
			Title: "AWS EKS Kubernetes cluster",
			Icon:  "🌀",
			Doc: `Allows kubectl and all other Kubernetes clients to reach an EKS cluster, with what the cluster grants the identity of the connector: by an access entry, or by its aws-auth config map.

A connector reaches the clusters of its region, and of those in the field regions; a cluster in one of these has the region in front of its name. Tokens are good for 15 minutes, or as long as the keys that signed them.`,
			Formats: []string{"NAME, as in production, in the connector's region", "REGION/NAME", "arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME"},
			Permissions: []string{
				"eks:ListClusters, to list clusters; not for a connector for one cluster",
				"eks:DescribeCluster",
				"an access entry of the cluster, or a line in its aws-auth config map, for the identity",
			},
			Instances: true,
			Parse: func(values field.Values, name string) (string, error) {
				c, err := parseCluster(values, name)
				if err != nil {
					return "", err
				}
				return c.canonical(values), nil
			},
		},
		list: listClusters,
		mint: mintCluster,
	}
}

// cluster is a cluster of EKS, in a region of the connector.
type cluster struct{ region, name string }

// canonical is the resource name; clusters in further regions have them in front.
func (c cluster) canonical(values field.Values) string {
	if c.region == regionField.Get(values) {
		return c.name
	}
	return c.region + "/" + c.name
}

// clusterName is what EKS gives out, with at most 100 characters.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
var clusterName = field.Lazily(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)

// clusterPath is what the ARN of a cluster has in front of its name.
const clusterPath = "cluster/"

func parseCluster(values field.Values, name string) (cluster, error) {
	own, err := partitionIn(values)
	if err != nil {
		return cluster{}, err
	}
	c := cluster{regionField.Get(values), name}
	if isARN(name) {
		if c, err = clusterOfARN(values, own, name); err != nil {
			return cluster{}, err
		}
	} else if region, rest, found := strings.Cut(name, "/"); found {
		c = cluster{region, rest}
	}
	if !clusterName.MatchString(c.name) {
		return cluster{}, fault.New(fault.Invalid, "%q is not the name of a cluster: those have 1 to 100 letters, digits, hyphens and underscores", c.name)
	}
	if !isRegion(c.region) {
		return cluster{}, fault.New(fault.Invalid, "%q is not the name of a region", c.region)
	}
	return c, inRegion(values, "the cluster", c.region)
}

func clusterOfARN(values field.Values, own partition, text string) (cluster, error) {
	a, err := parseARN(text, "eks")
	if err != nil {
		return cluster{}, err
	}
	if err := regional(a); err != nil {
		return cluster{}, err
	}
	if err := own.inPartition("the cluster", a.Partition); err != nil {
		return cluster{}, err
	}
	if account := accountField.Get(values); account != "" && account != a.AccountID {
		return cluster{}, fault.New(fault.Invalid, "the cluster is of account %s, and the connector for account %s", a.AccountID, account).
			Hint("register a connector for account %s, with a role there", a.AccountID)
	}
	name, found := strings.CutPrefix(a.Resource, clusterPath)
	if !found {
		return cluster{}, malformedARN("%q is not a cluster", a.Resource)
	}
	return cluster{a.Region, name}, nil
}

func listClusters(ctx context.Context, s *session, yield func(string) error) error {
	if name := s.settings.ResourceName; name != "" {
		return listCluster(ctx, s, name, yield)
	}
	k, err := s.keysFor(ctx, purpose{own: true, scope: clustersPolicy()})
	if err != nil {
		return err
	}
	var listings []connector.Listing
	for _, region := range regionsOf(s.values) {
		listings = append(listings, connector.Listing{Where: "region " + region, List: func(ctx context.Context, yield func(string) error) error {
			return s.clustersOf(ctx, k, region, yield)
		}})
	}
	return connector.ListTogether(ctx, yield, listings)
}

// clustersOf lists the clusters of one region.
func (s *session) clustersOf(ctx context.Context, k keys, region string, yield func(string) error) error {
	pages := eks.NewListClustersPaginator(s.eks(k, region), &eks.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.failed(ctx, "EKS", err)
		}
		for _, name := range page.Clusters {
			if err := yield(cluster{region, name}.canonical(s.values)); err != nil {
				return err
			}
		}
	}
	return nil
}

// listCluster asks about one cluster alone.
func listCluster(ctx context.Context, s *session, name string, yield func(string) error) error {
	c, err := parseCluster(s.values, name)
	if err != nil {
		return err
	}
	k, err := s.keysFor(ctx, purpose{own: true, scope: s.clusterScope(c)})
	if err != nil {
		return err
	}
	if _, err := s.describe(ctx, k, c); err != nil {
		return err
	}
	return yield(name)
}

func (s *session) clusterScope(c cluster) string {
	return clusterPolicy(s.partition, c.region, accountField.Get(s.values), c.name)
}

func mintCluster(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	c, err := parseCluster(s.values, request.ResourceName)
	if err != nil {
		return nil, err
	}
	k, err := s.keysFor(ctx, purpose{scope: s.clusterScope(c), lifetime: request.Lifetime})
	if err != nil {
		return nil, err
	}
	endpoint, err := s.describe(ctx, k, c)
	if err != nil {
		return nil, err
	}
	token, expires, err := s.clusterToken(ctx, k, c.name)
	if err != nil {
		return nil, err
	}
	return connector.Bounded(connector.KubernetesAuth{Endpoint: endpoint, Token: token, Expires: expires}, k.expires), nil
}

// describe asks EKS how the API server of a cluster is reached.
func (s *session) describe(ctx context.Context, k keys, c cluster) (connector.KubernetesEndpoint, error) {
	out, err := s.eks(k, c.region).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: &c.name})
	if err != nil {
		return connector.KubernetesEndpoint{}, fault.Within(s.failed(ctx, "EKS", err), "cluster %s in %s", c.name, c.region)
	}
	if out.Cluster == nil {
		return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "EKS described no cluster %s", c.name)
	}
	if err := usable(c, out.Cluster.Status); err != nil {
		return connector.KubernetesEndpoint{}, err
	}
	return c.endpoint(s.values, out.Cluster)
}

// usable refuses clusters that cannot be talked to yet, or any more.
func usable(c cluster, status types.ClusterStatus) error {
	switch status {
	case types.ClusterStatusActive, types.ClusterStatusUpdating:
		return nil
	case types.ClusterStatusCreating, types.ClusterStatusPending:
		return fault.New(fault.Unavailable, "cluster %s in %s is still being created (status %s)", c.name, c.region, status).
			Hint("EKS takes 10 to 15 minutes for that: try again then")
	}
	return fault.New(fault.Failed, "cluster %s in %s cannot be used: its status is %s", c.name, c.region, status)
}

func (c cluster) endpoint(values field.Values, described *types.Cluster) (connector.KubernetesEndpoint, error) {
	if value(described.Endpoint) == "" {
		return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "EKS does not say where the API server of cluster %s is", c.name).
			Hint("a cluster that is only connected to EKS is reached with connector type kubernetes")
	}
	server, err := connector.ServerURL(value(described.Endpoint))
	if err != nil {
		return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "cluster %s: %w", c.name, err)
	}
	authority := ""
	if described.CertificateAuthority != nil && value(described.CertificateAuthority.Data) != "" {
		if authority, err = hop.Certificates(value(described.CertificateAuthority.Data)); err != nil {
			return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "the certificate authority of cluster %s: %w", c.name, err)
		}
	}
	return connector.KubernetesEndpoint{Cluster: c.canonical(values), Server: server, CertificateAuthority: authority}, nil
}
