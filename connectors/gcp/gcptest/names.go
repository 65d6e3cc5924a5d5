package gcptest

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

var (
	bucketLabels    = field.Lazily(`^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$`)
	clusterNames    = field.Lazily(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)
	repositoryNames = field.Lazily(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	zonesAndRegions = field.Lazily(`^[a-z]+-[a-z]+[0-9]+(-[a-z])?$`)
)

// isBucketName says whether a bucket may have a name.
// https://cloud.google.com/storage/docs/buckets#naming
func isBucketName(name string) bool {
	if strings.HasPrefix(name, "goog") || strings.Contains(name, "google") || len(name) < 3 || len(name) > 222 {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	return !slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
		return len(label) > 63 || !bucketLabels.MatchString(label)
	})
}

// isClusterName says whether a cluster may have a name.
// https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
func isClusterName(name string) bool { return clusterNames.MatchString(name) }

// isZoneOrRegion says whether a name is one of a zone, or of a region, as clusters have them.
func isZoneOrRegion(name string) bool { return zonesAndRegions.MatchString(name) }

// isZone says whether the name of a zone or a region is that of a zone.
func isZone(location string) bool { return strings.Count(location, "-") == 2 }

// dockerHosts are the hosts of Container Registry, whose images are in the repositories of
// Artifact Registry that are called like them, in one location each.
// https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo
var dockerHosts = map[string]string{"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}

// isRepositoryName says whether a repository in a location may have a name.
// https://cloud.google.com/artifact-registry/docs/repositories/create-repos
func isRepositoryName(location, name string) bool {
	if only, legacy := dockerHosts[name]; legacy {
		return location == only
	}
	return repositoryNames.MatchString(name)
}

// registryLocations are where Artifact Registry is: regions, and what spans several.
// https://cloud.google.com/artifact-registry/docs/repositories/repo-locations
var registryLocations = []string{
	"africa-south1", "asia", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3",
	"asia-south1", "asia-southeast1", "asia-southeast2", "australia-southeast1", "europe", "europe-central2",
	"europe-north1", "europe-southwest1", "europe-west1", "europe-west12", "europe-west2", "europe-west3", "europe-west4",
	"europe-west6", "europe-west8", "europe-west9", "me-central1", "me-west1", "northamerica-northeast1",
	"northamerica-northeast2", "southamerica-east1", "us", "us-central1", "us-east1", "us-east4", "us-west1",
}
