package gcp

import (
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/hop"
)

// How calls are repeated.
// https://cloud.google.com/storage/docs/retry-strategy
const (
	maxTries     = 4
	firstPause   = 200 * time.Millisecond // doubled every time
	longestPause = 4 * time.Second        // where a service asks for it
)

// repeating repeats calls that a service was too busy for, that it failed at, or whose
// connection broke. All calls of this package but one, which says so (hop.Once), may be
// repeated: they read, or mint what can be minted twice.
func repeating(inner http.RoundTripper, now func() time.Time) hop.Again {
	return hop.Again{
		Inner: inner, Tries: maxTries, Longest: longestPause, Broken: true, Now: now, Pause: hop.Pause,
		Wait: func(tried int) time.Duration { return hop.Backoff(tried, firstPause, longestPause) },
	}
}
