package broker

import (
	"context"
	"slices"
	"strings"
)

// Clusters lists the clusters that connectors reach, each with its connector, from
// local data alone: not those of a connector that reaches several, which only its
// service can list.
func (b *Broker) Clusters(ctx context.Context) ([]*Located, error) {
	ix, err := b.current(ctx)
	if err != nil {
		return nil, err
	}
	var found []*Located
	for name, entries := range ix.named[KubernetesCluster] {
		for _, e := range entries {
			found = append(found, e.located(KubernetesCluster, name, e.because()))
		}
	}
	slices.SortFunc(found, func(a, b *Located) int {
		return strings.Compare(a.ResourceName+"\x00"+a.Connector.Name, b.ResourceName+"\x00"+b.Connector.Name)
	})
	return found, nil
}
