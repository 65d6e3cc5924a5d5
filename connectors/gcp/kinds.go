package gcp

import (
	"context"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// kind is a resource type: what it says of itself, and how its resources are listed and
// logged in to.
type kind struct {
	connector.ResourceType
	// list yields the canonical names of what there is. Where the connector is for one
	// resource, it asks about that one alone, with no more rights than its use needs.
	list func(ctx context.Context, s *session, yield func(name string) error) error
	// mint gets the credential for one resource, whose name is canonical and in scope.
	mint func(ctx context.Context, s *session, request connector.Request) (connector.Credential, error)
}

// kinds lists the resource types in the order of their documentation.
func kinds() []kind {
	return []kind{genericKind(), bucketKind(), clusterKind(), registryKind()}
}

// declaredKinds is the resource types as the connector type declares them.
func declaredKinds() []connector.ResourceType {
	var out []connector.ResourceType
	for _, k := range kinds() {
		out = append(out, k.ResourceType)
	}
	return out
}

func kindOf(resourceType string) (kind, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.Name == resourceType })
	if i < 0 {
		return kind{}, fault.New(fault.Invalid, "connector type %s has no resources of type %q", typeName, resourceType).
			Hint("it has: %s", strings.Join([]string{genericType, bucketType, clusterType, registryType}, ", "))
	}
	return all[i], nil
}
