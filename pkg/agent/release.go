package agent

import (
	"strings"

	"golang.org/x/mod/semver"
)

// newer reports whether release a is later than release b. Builds without a version
// are neither later nor earlier than any.
func newer(a, b string) bool {
	a, b = canonical(a), canonical(b)
	return semver.IsValid(a) && semver.IsValid(b) && semver.Compare(a, b) > 0
}

func canonical(release string) string {
	if release != "" && !strings.HasPrefix(release, "v") {
		return "v" + release
	}
	return release
}
