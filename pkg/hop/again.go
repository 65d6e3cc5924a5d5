package hop

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Later says in a hint when a service wants to be asked again: "try again " and this.
func Later(header http.Header) string {
	after := header.Get("Retry-After")
	switch {
	case after == "":
		return "later"
	case strings.Trim(after, "0123456789") == "":
		return "in " + after + " seconds"
	}
	return "after " + OneLine(after)
}

// RetryAfter reads how much later a service wants to be asked again, in seconds or as a
// date. said is false where it does not say so in a way that can be read.
func RetryAfter(header http.Header, now time.Time) (wait time.Duration, said bool) {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now)), true
	}
	return 0, false
}

// Pause waits, or returns why ctx is done before that.
func Pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
