package broker

import (
	"context"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// KubernetesCluster is the resource type whose addresses are the URLs of API servers.
const KubernetesCluster = "kubernetes-cluster"

// LocateCluster finds the connector that serves a cluster, as Locate does. authority,
// if not "", is the certificate authority (PEM) that the tool trusts for it: it tells
// clusters apart that were or are behind one address.
func (b *Broker) LocateCluster(ctx context.Context, server, authority string) (*Located, error) {
	return b.locate(ctx, place{resourceType: KubernetesCluster, address: server, authority: authority})
}

// Endpoint is how the API server of a located cluster is reached; ok is false where
// only the service knows, and for other resources.
func (l *Located) Endpoint() (endpoint connector.KubernetesEndpoint, ok bool) {
	return l.entry.endpoint()
}

func (e *entry) endpoint() (connector.KubernetesEndpoint, bool) {
	if e.problem != nil {
		return connector.KubernetesEndpoint{}, false
	}
	r, err := e.settings.Type.Resource(KubernetesCluster)
	if err != nil || r.Endpoint == nil || !e.settings.Covers(KubernetesCluster) {
		return connector.KubernetesEndpoint{}, false
	}
	return r.Endpoint(e.settings)
}

// isURL tells the address of a cluster from its name.
func isURL(address string) bool { return strings.Contains(address, "://") }

// addServer indexes an entry by the address of its one API server.
func (ix *index) addServer(e *entry) {
	endpoint, ok := e.endpoint()
	if !ok {
		return
	}
	if server, err := connector.ServerURL(endpoint.Server); err == nil {
		ix.servers[server] = append(ix.servers[server], e)
	}
}

// cluster finds who serves a cluster, by its whole address or its name. Nil, without
// an error, means that nobody does.
func (ix *index) cluster(p place) (*Located, error) {
	found := ix.servers[p.address]
	if !isURL(p.address) {
		found = ix.named[KubernetesCluster][p.address]
	}
	if len(found) == 0 {
		return nil, nil
	}
	same := ofAuthority(found, p.authority)
	if len(same) == 0 {
		return nil, anotherCluster(found[0], p)
	}
	return settle(p, same, func(e *entry) (string, string) {
		return e.settings.ResourceName, e.because()
	})
}

func (e *entry) because() string {
	if endpoint, ok := e.endpoint(); ok {
		return fmt.Sprintf("its cluster %s is at %s", e.settings.ResourceName, endpoint.Server)
	}
	return "its cluster is " + e.settings.ResourceName
}

// reasonForCluster says whether the entry's cluster is the one asked for, and why.
func (e *entry) reasonForCluster(p place) (bool, string) {
	endpoint, _ := e.endpoint()
	server, err := connector.ServerURL(endpoint.Server)
	return err == nil && p.address == server || p.address == e.settings.ResourceName, e.because()
}

// ofAuthority picks the entries whose clusters can have a certificate authority: those
// that trust it too, else those that name none.
func ofAuthority(found []*entry, authority string) []*entry {
	theirs := certificates(authority)
	if len(theirs) == 0 {
		return found
	}
	var same, open []*entry
	for _, e := range found {
		endpoint, _ := e.endpoint()
		ours := certificates(endpoint.CertificateAuthority)
		switch {
		case len(ours) == 0:
			open = append(open, e)
		case slices.ContainsFunc(ours, func(der string) bool { return slices.Contains(theirs, der) }):
			same = append(same, e)
		}
	}
	if len(same) > 0 {
		return same
	}
	return open
}

// certificates returns what a PEM text has, comparable.
func certificates(text string) (out []string) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		out = append(out, string(block.Bytes))
	}
	return out
}

func anotherCluster(e *entry, p place) error {
	return fault.New(fault.Denied, "the cluster at %s has another certificate authority than that of connector %s: it is another cluster", p.address, e.connector.Name).
		Hint("if it was set up anew: svcconn update %[1]s --set certificate_authority=@ca.pem, then svcconn login kubectl --connector %[1]s; else register a connector for it", e.connector.Name)
}
