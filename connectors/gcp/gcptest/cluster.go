package gcptest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cluster says what a cluster of Kubernetes Engine is. The zero value is one that runs,
// with a public address and a DNS endpoint that lets nobody in from outside.
type Cluster struct {
	// Status is RUNNING, PROVISIONING, RECONCILING, STOPPING, ERROR or DEGRADED; "" is
	// RUNNING. One that is PROVISIONING has no endpoints yet.
	Status string
	// Endpoint is the public address of the API server, as "34.1.2.3"; it may have a port
	// here, which it never has at Google. "" makes an address up.
	Endpoint string
	// PrivateEndpoint is the address within the cluster's network; "" makes one up.
	PrivateEndpoint string
	// Private clusters have no public address: their private one is their endpoint.
	Private bool
	// NoIPEndpoints leaves the DNS endpoint as the only one.
	NoIPEndpoints bool
	// DNSEndpoint is a host name, maybe with a port; "" makes one up, below gke.goog.
	DNSEndpoint string
	// AllowExternalTraffic opens the DNS endpoint to the internet.
	AllowExternalTraffic bool
	// CertificateAuthority is the PEM that the server's certificate is signed by, but at
	// the DNS endpoint; "" is Server.CertificateAuthority.
	CertificateAuthority string
}

type clusterKey struct {
	project        *Project
	location, name string
}

type cluster struct {
	Cluster
	clusterKey
	created time.Time
}

// Cluster makes a cluster of the project in a region or a zone, or changes it. Names are
// unique within a location. A name or a location that no cluster may have makes every
// list of the project's clusters fail and say so.
func (p *Project) Cluster(location, name string, c Cluster) {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if !isClusterName(name) || !isZoneOrRegion(location) {
		p.mistake(containerName, "no cluster can be called %q, or none can be in %q", name, location)
		return
	}
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(p.id+"/"+location+"/"+name)))
	c.Status = cmp.Or(c.Status, "RUNNING")
	c.Endpoint = cmp.Or(c.Endpoint, madeUp("34.90", id))
	c.PrivateEndpoint = cmp.Or(c.PrivateEndpoint, madeUp("10.0", id))
	c.DNSEndpoint = cmp.Or(c.DNSEndpoint, "gke-"+id[:28]+"-"+p.number+"."+regionOf(location)+".gke.goog")
	c.CertificateAuthority = cmp.Or(c.CertificateAuthority, s.CertificateAuthority())
	key := clusterKey{p, location, name}
	s.others.clusters[key] = &cluster{Cluster: c, clusterKey: key, created: s.now()}
}

// madeUp is an address from the first half of one and from something hexadecimal.
func madeUp(half, id string) string {
	var a, b byte
	_, _ = fmt.Sscanf(id[:4], "%02x%02x", &a, &b) // is hexadecimal
	return fmt.Sprintf("%s.%d.%d", half, a, b)
}

// MissZones makes zones of the project ones that Kubernetes Engine gets no answer from: a
// list of clusters across locations leaves theirs out, and says so. None is all answer.
func (p *Project) MissZones(zones ...string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.others.missingZones[p] = slices.Clone(zones)
}

// regionOf is the region that a zone is in, or the region itself.
func regionOf(location string) string {
	if isZone(location) {
		return location[:strings.LastIndex(location, "-")]
	}
	return location
}
