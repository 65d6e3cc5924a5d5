package gcptest

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	repository := func(location string) func(string) bool {
		return func(name string) bool { return isRepositoryName(location, name) }
	}
	for what, test := range map[string]struct {
		is       func(string) bool
		yes, not []string
	}{
		"buckets": {
			isBucketName,
			[]string{"abc", "a-b_c", "1bucket", "my.example.com", "project.appspot.com", long, long + "." + long + "." + long, "1.2.3", "a.b"},
			[]string{"", "ab", long + "a", "Abc", "-ab", "ab-", "a..b", ".ab", "ab.", "goog-data", "my-google-data", "192.168.5.4", "a b", "a/b", "bücket", strings.Repeat("a.", 111) + "a"},
		},
		"clusters":         {isClusterName, []string{"a", "one", "a-1", strings.Repeat("a", 40)}, []string{"", "1a", "-a", "a-", "A", "a_b", "a.b", strings.Repeat("a", 41)}},
		"zones, regions":   {isZoneOrRegion, []string{"us-central1", "us-central1-a", "europe-west12", "northamerica-northeast1-c"}, []string{"", "us", "-", "us-central", "us-central1-", "us-central1-ab", "us-central1-a-b", "US-CENTRAL1"}},
		"repositories":     {repository("europe-west1"), []string{"a", "team-app", long}, []string{"", "1a", "a-", "a_b", "a.b", "A", long + "a", "gcr.io", "eu.gcr.io"}},
		"those of the us":  {repository("us"), []string{"gcr.io", "us.gcr.io", "images"}, []string{"eu.gcr.io", "asia.gcr.io", "xx.gcr.io"}},
		"those of europe":  {repository("europe"), []string{"eu.gcr.io"}, []string{"gcr.io"}},
		"those of asia":    {repository("asia"), []string{"asia.gcr.io"}, []string{"us.gcr.io"}},
		"names of objects": {func(name string) bool { return checkObjectName(name) == nil }, []string{"a", "a/b", "ä", "a b", strings.Repeat("a", 1024)}, []string{"", ".", "..", "a\nb", "a\rb", "\xff", strings.Repeat("a", 1025), ".well-known/acme-challenge/x"}},
	} {
		for _, name := range test.yes {
			if !test.is(name) {
				t.Errorf("%s: %q is none", what, name)
			}
		}
		for _, name := range test.not {
			if test.is(name) {
				t.Errorf("%s: %q is one", what, name)
			}
		}
	}
}

func TestRegistryLocations(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, location := range registryLocations {
		if multi := location == "us" || location == "europe" || location == "asia"; seen[location] || !multi && (!isZoneOrRegion(location) || isZone(location)) {
			t.Errorf("%q", location)
		}
		seen[location] = true
	}
	for host, location := range dockerHosts {
		if !seen[location] {
			t.Errorf("%s is in %q", host, location)
		}
	}
}
