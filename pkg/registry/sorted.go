package registry

import (
	"maps"
	"slices"
)

func sortedNames(r SecretRef) []string {
	names := slices.Concat(r.Fields, slices.Collect(maps.Keys(r.References)))
	slices.Sort(names)
	return slices.Compact(names)
}
