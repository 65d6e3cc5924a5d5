package broker

import (
	"context"
	"slices"

	"github.com/svcconn/svcconn/pkg/registry"
)

// Many lists the connectors, by name, that may reach several resources of a type: which
// those are, only their services can tell. It is answered from local data.
func (b *Broker) Many(ctx context.Context, resourceType string) ([]registry.Connector, error) {
	all, _, err := b.AllRegistered(ctx)
	if err != nil {
		return nil, err
	}
	var out []registry.Connector
	for _, r := range all {
		if r.ReachesMany(resourceType) {
			out = append(out, r.Connector)
		}
	}
	return out, nil
}

// ReachesMany reports whether the connector may reach several resources of a type.
func (r Registered) ReachesMany(resourceType string) bool {
	if r.Problem != nil || r.Settings.ResourceName != "" || !r.Settings.Covers(resourceType) {
		return false
	}
	t, err := r.Settings.Type.Resource(resourceType)
	return err == nil && t.Instances
}

// Pins lists the pins of a resource type, sorted by address.
func (b *Broker) Pins(resourceType string) ([]registry.Pin, error) {
	pins, err := b.pins.List()
	return slices.DeleteFunc(pins, func(p registry.Pin) bool { return p.ResourceType != resourceType }), err
}

// username is the user name that a located registry's login will have, from local data
// alone; ok is false where there is none to tell.
func (l *Located) username() (name string, ok bool) {
	r, err := l.entry.settings.Type.Resource(DockerRegistry)
	if err != nil || r.Username == nil {
		return "", false
	}
	return r.Username(l.entry.settings.Values), true
}
