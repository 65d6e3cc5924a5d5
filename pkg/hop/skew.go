package hop

import (
	"net/http"
	"strings"
	"time"
)

// SkewTolerated is how far clocks may differ before a service refuses what was signed by
// the other: five minutes with most of them.
const SkewTolerated = 5 * time.Minute

// Skew is how far a clock that says now is behind that of a service, by the Date of an
// answer: negative where it is ahead. It is 0 where nobody said, or a cache did.
func Skew(header http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || header.Get("Age") != "" {
		return 0
	}
	return date.Sub(now)
}

// ClockIs says of this machine's clock how it is compared with somebody's: "is 17m behind
// AWS's", "is 3h12m ahead of AWS's", "differs from AWS's" where the skew is tolerated.
func ClockIs(skew time.Duration, whose string) string {
	said := strings.TrimSuffix(skew.Abs().Round(time.Minute).String(), "0s")
	switch {
	case skew > SkewTolerated:
		return "is " + said + " behind " + whose
	case skew < -SkewTolerated:
		return "is " + said + " ahead of " + whose
	}
	return "differs from " + whose
}
