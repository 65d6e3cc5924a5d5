package docker

import (
	"context"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// plainGuard is the last one to see a request: whatever a registry, its challenge or
// a redirect led us to, nothing goes over plain HTTP to another machine unless the
// connector says so. It guards requests without a password, too, since their answers
// say where the password goes next.
type plainGuard struct {
	inner   http.RoundTripper
	allowed bool
}

// RoundTrip implements http.RoundTripper.
func (g plainGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" && !g.allowed && !registryname.Loopback(r.URL.Hostname()) {
		return nil, fault.New(fault.Failed, "%s is only offered over plain HTTP, where anyone on the way can read the password", r.URL.Host).
			Hint("--set insecure=true allows that; better have it speak HTTPS")
	}
	return g.inner.RoundTrip(r)
}

// Retries: how long to wait before each, and how much longer a service may ask for.
const (
	firstPause   = 250 * time.Millisecond // doubled every time
	maxRetries   = 3
	longestPause = 5 * time.Second
)

// retrying repeats requests that a service was too busy for, when it says so.
// go-containerregistry has the like, but that one knows no Retry-After and sleeps on
// when the caller has gone.
func retrying(inner http.RoundTripper, now func() time.Time, pause func(context.Context, time.Duration) error) hop.Again {
	return hop.Again{
		Inner: inner, Tries: 1 + maxRetries, Longest: longestPause, Now: now, Pause: pause,
		Wait: func(tried int) time.Duration { return firstPause << (tried - 1) },
	}
}
