package gcp

import (
	"cmp"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// addresses are what an API server of GKE can be reached at; "" is not at all.
type addresses struct{ dns, public, private string }

// addresses sorts out what GKE says.
// https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation
func (d *describedCluster) addresses() addresses {
	var out addresses
	config := d.ControlPlaneEndpointsConfig
	if config.DNSEndpointConfig.AllowExternalTraffic {
		out.dns = config.DNSEndpointConfig.Endpoint
	}
	switch ip, private := config.IPEndpointsConfig, d.PrivateClusterConfig; {
	case ip != nil && !ip.Enabled:
	case ip != nil:
		out.private = ip.PrivateEndpoint
		if ip.EnablePublicEndpoint {
			out.public = ip.PublicEndpoint
		}
	case private != nil:
		out.private = private.PrivateEndpoint
		if !private.EnablePrivateEndpoint {
			out.public = cmp.Or(private.PublicEndpoint, d.Endpoint)
		}
	default: // neither is said of clusters older than the difference
		out.public = d.Endpoint
	}
	return out
}

// by is the address of a kind; "" is not at all.
func (a addresses) by(choice string) string {
	return map[string]string{endpointDNS: a.dns, endpointPublic: a.public, endpointPrivate: a.private}[choice]
}

// has lists the kinds that there are, in the order of their preference.
func (a addresses) has() []string {
	var out []string
	for _, choice := range []string{endpointDNS, endpointPublic, endpointPrivate} {
		if a.by(choice) != "" {
			out = append(out, choice)
		}
	}
	return out
}

// choose is the kind of endpoint that is used: the one that was asked for, or the first one
// that there is.
func (d *describedCluster) choose(choice string) (string, error) {
	has := d.addresses().has()
	switch {
	case len(has) == 0:
		return "", fault.New(fault.Failed, "cluster %s in %s has no endpoint that takes anybody's requests", d.Name, d.Location).
			Hint("%s", d.enableDNS())
	case choice == endpointAuto || choice == "":
		return has[0], nil
	case d.addresses().by(choice) != "":
		return choice, nil
	}
	err := fault.New(fault.Invalid, "cluster %s in %s has no %s endpoint that takes requests: it has %s", d.Name, d.Location, choice, strings.Join(has, ", "))
	if choice == endpointDNS {
		return "", err.Hint("--set %s=%s, or %s", clusterEndpointField.Name, has[0], d.enableDNS())
	}
	return "", err.Hint("--set %s=%s", clusterEndpointField.Name, has[0])
}

func (d *describedCluster) enableDNS() string {
	return "let requests in by the DNS endpoint: gcloud container clusters update " + d.Name + " --location " + d.Location + " --enable-dns-access"
}

// endpoint is how the cluster is reached. The certificates of DNS endpoints are those of
// Google's frontends, which everybody's system trusts; the others are the cluster's own.
func (d *describedCluster) endpoint(choice string) (connector.KubernetesEndpoint, error) {
	choice, err := d.choose(choice)
	if err != nil {
		return connector.KubernetesEndpoint{}, err
	}
	server, err := connector.ServerURL(d.addresses().by(choice))
	if err != nil {
		return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "cluster %s in %s: %w", d.Name, d.Location, err)
	}
	if choice == endpointDNS {
		return connector.KubernetesEndpoint{Server: server}, nil
	}
	authority, err := hop.Certificates(d.MasterAuth.ClusterCaCertificate)
	if err != nil {
		return connector.KubernetesEndpoint{}, fault.New(fault.Failed, "the certificate authority of cluster %s in %s: %w", d.Name, d.Location, err)
	}
	return connector.KubernetesEndpoint{Server: server, CertificateAuthority: authority}, nil
}
