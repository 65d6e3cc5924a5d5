package broker

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// DockerRegistry is the resource type whose addresses are registry hosts.
const DockerRegistry = "docker-registry"

// Located is the answer to an address: which connector serves it, as which of its
// resources, and why.
type Located struct {
	entry        *entry
	Connector    registry.Connector
	ResourceType string
	ResourceName string
	Reason       string
}

// place is what somebody asks for: a resource by what a native tool calls it.
type place struct {
	resourceType string
	address      string
	authority    string // for clusters: the certificate authority that the tool trusts; "" is not told
}

// normalise brings the address into the form that locating compares: host and path
// without a scheme for registries; for clusters a server's URL, or a name.
func (p place) normalise() (place, error) {
	switch p.resourceType {
	case DockerRegistry:
		host, path, err := registryname.Address(p.address)
		if err != nil {
			return p, err
		}
		if p.address = host; path != "" {
			p.address = host + "/" + strings.Trim(path, "/")
		}
		return p, nil
	case KubernetesCluster:
		if isURL(p.address) {
			server, err := connector.ServerURL(p.address)
			p.address = server
			return p, err
		}
	}
	p.address = strings.TrimSpace(p.address)
	return p, nil
}

// Locate finds the connector that serves an address, from local data alone: an
// explicit pin wins, then the longest matching resource name, then what the
// connector types say that they serve. A pin of a registry's host is for what lies below
// it too, unless that is not the pinned connector's own, and another one's. Nil, without an error, means that nobody
// does; two that match equally are fault.Ambiguous. A cluster is also found by its
// name.
func (b *Broker) Locate(ctx context.Context, resourceType, address string) (*Located, error) {
	return b.locate(ctx, place{resourceType: resourceType, address: address})
}

func (b *Broker) locate(ctx context.Context, p place) (*Located, error) {
	p, err := p.normalise()
	if err != nil {
		return nil, err
	}
	ix, err := b.current(ctx)
	if err != nil {
		return nil, err
	}
	pinned, own, err := b.pinned(ix, p)
	if own || err != nil {
		return pinned, err
	}
	located, err := ix.locate(p)
	if located == nil && err == nil {
		located, err = ix.asked(p)
	}
	switch {
	case located != nil || err != nil:
		return located, err
	case pinned != nil:
		return pinned, nil
	}
	return nil, ix.suspect(p.address)
}

// locate finds who reaches the one resource that has the address.
func (ix *index) locate(p place) (*Located, error) {
	if p.resourceType == KubernetesCluster {
		return ix.cluster(p)
	}
	found, _ := ix.matches(p.resourceType, p.address)
	if len(found) == 0 && p.resourceType != DockerRegistry { // whose addresses have one spelling by now
		found = ix.spelled(p)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return settle(p, found, func(e *entry) (string, string) {
		return e.settings.ResourceName, "its resource is " + e.settings.ResourceName
	})
}

// spelled returns the entries of whose one resource the address is another spelling:
// only their type knows how its names are written.
func (ix *index) spelled(p place) []*entry {
	var found []*entry
	for name, entries := range ix.named[p.resourceType] {
		for _, e := range entries {
			r, err := e.settings.Type.Resource(p.resourceType)
			if err != nil {
				continue
			}
			if canonical, err := r.Parse(e.settings.Values, p.address); err == nil && canonical == name {
				found = append(found, e)
			}
		}
	}
	return found
}

// pinned looks for an explicit pin of the address or of a parent of it; own reports that
// the pin is for the address itself, or that its connector serves the address without it.
// A pin whose connector is gone or broken is an error, not a reason to look elsewhere.
func (b *Broker) pinned(ix *index, p place) (located *Located, own bool, err error) {
	pins, err := b.pins.List()
	if err != nil || len(pins) == 0 {
		return nil, false, err
	}
	best := -1
	for i, pin := range pins {
		if pin.ResourceType == p.resourceType && p.isAt(pin.Address) &&
			(best < 0 || len(pin.Address) > len(pins[best].Address)) {
			best = i
		}
	}
	if best < 0 {
		return nil, false, nil
	}
	pin := pins[best]
	e, err := ix.lookup(pin.Connector)
	if err != nil {
		return nil, false, fault.WithHint(fault.Within(err, "%s is pinned to connector %s", pin.Address, pin.Connector),
			"`svcconn logout %s %s` removes the pin", toolOf(p.resourceType), pin.Address)
	}
	if len(ofAuthority([]*entry{e}, p.authority)) == 0 {
		return nil, false, anotherCluster(e, p)
	}
	serves, _ := e.reasonFor(p)
	return e.located(p.resourceType, pin.ResourceName, "it is pinned to "+pin.Address), serves || p.address == pin.Address, nil
}

// isAt reports whether the place has an address or lies below it. Clusters do not lie
// below each other: the path of one is part of its name.
func (p place) isAt(address string) bool {
	return p.address == address || p.resourceType != KubernetesCluster && within(p.address, address)
}

// within reports whether an address is parent or lies below it.
func within(address, parent string) bool {
	return address == parent || strings.HasPrefix(address, parent+"/")
}

// asked asks the connectors that reach several resources whether the address is
// one of them.
func (ix *index) asked(p place) (*Located, error) {
	names := map[*entry]string{}
	var found []*entry
	for _, e := range ix.serving[p.resourceType] {
		r, err := e.settings.Type.Resource(p.resourceType)
		if err != nil {
			continue
		}
		if name, ok := r.Serves(e.settings, p.address); ok {
			found = append(found, e)
			names[e] = name
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return settle(p, found, func(e *entry) (string, string) {
		return names[e], "its type serves " + names[e]
	})
}

func (e *entry) located(resourceType, name, reason string) *Located {
	return &Located{entry: e, Connector: e.connector, ResourceType: resourceType, ResourceName: name, Reason: reason}
}

// settle picks the only one of several equal matches, or says how to settle it.
func settle(p place, found []*entry, describe func(*entry) (name, reason string)) (*Located, error) {
	if len(found) == 1 {
		name, reason := describe(found[0])
		return found[0].located(p.resourceType, name, reason), nil
	}
	names := make([]string, len(found))
	for i, e := range found {
		names[i] = e.connector.Name
	}
	slices.Sort(names)
	err := fault.New(fault.Ambiguous, "%d connectors serve %s equally well: %s", len(found), p.address, strings.Join(names, ", "))
	if p.resourceType == KubernetesCluster { // a kubeconfig names the connector
		return nil, err.Hint("settle it with: svcconn login kubectl --connector %s", names[0])
	}
	return nil, err.Hint("settle it with: svcconn login %s --connector %s %s", toolOf(p.resourceType), names[0], p.address)
}

// toolOf names the native tool whose login pins an address.
func toolOf(resourceType string) string {
	if resourceType == DockerRegistry {
		return "docker"
	}
	return "kubectl"
}

// Login is a registry that can be logged in to, and the user name that will be
// handed out for it.
type Login struct{ Registry, Username string }

// Logins lists the hosts that a credential can be had for, from local data alone: those
// that are a connector's one registry, and those that login docker pinned; not those of
// expired, broken or ambiguous connectors.
func (b *Broker) Logins(ctx context.Context) ([]Login, error) {
	ix, err := b.current(ctx)
	if err != nil {
		return nil, err
	}
	pins, err := b.Pins(DockerRegistry)
	if err != nil {
		return nil, err
	}
	hosts := slices.Collect(maps.Keys(ix.named[DockerRegistry]))
	for _, pin := range pins {
		hosts = append(hosts, pin.Address)
	}
	slices.Sort(hosts)
	var logins []Login
	for _, host := range slices.Compact(hosts) {
		if strings.Contains(host, "/") { // docker and podman ask for hosts
			continue
		}
		located, err := b.Locate(ctx, DockerRegistry, host)
		if err != nil || located == nil || b.expired(located.Connector) != nil {
			continue
		}
		if name, ok := located.username(); ok {
			logins = append(logins, Login{host, name})
		}
	}
	return logins, nil
}

// Resolve turns what a person named into a connector and a resource, within the
// connector's scope.
func (b *Broker) Resolve(ctx context.Context, request Request) (*Located, error) {
	return b.resolve(ctx, request)
}

// Pin settles which connector serves an address, whichever others could.
func (b *Broker) Pin(ctx context.Context, pin registry.Pin) error { return b.pins.Set(ctx, pin) }

// Unpin removes the pins of the addresses, or all of the resource type.
func (b *Broker) Unpin(ctx context.Context, resourceType string, addresses []string) error {
	if len(addresses) == 0 {
		pins, err := b.pins.List()
		if err != nil {
			return err
		}
		for _, pin := range pins {
			if pin.ResourceType == resourceType {
				addresses = append(addresses, pin.Address)
			}
		}
	}
	for _, address := range addresses {
		if err := b.pins.Remove(ctx, resourceType, address); err != nil {
			return err
		}
	}
	return nil
}
