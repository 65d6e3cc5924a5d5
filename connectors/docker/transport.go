package docker

import (
	"context"
	"errors"
	"io"
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
// when the caller has gone. Services that do not answer at all are not asked again:
// the caller hears of it sooner.
type retrying struct {
	inner http.RoundTripper
	now   func() time.Time
	pause func(context.Context, time.Duration) error
}

// RoundTrip implements http.RoundTripper. Whoever is waited for in vain gets the
// service's last answer.
func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	backoff := firstPause
	for attempt := 0; ; attempt++ {
		response, err := t.attempt(r, attempt)
		if err != nil || !passing(response.StatusCode) || attempt == maxRetries {
			return response, err
		}
		wanted, _ := hop.RetryAfter(response.Header, t.now())
		wait := max(backoff, wanted)
		if wait > longestPause {
			return response, nil
		}
		if err := t.pause(r.Context(), wait); errors.Is(err, context.DeadlineExceeded) {
			return response, nil // it says more than that time ran out
		} else if err != nil {
			return nil, errors.Join(err, response.Body.Close())
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody)) // so that the connection is used again
		_ = response.Body.Close()
		backoff *= 2
	}
}

func (t retrying) attempt(r *http.Request, attempt int) (*http.Response, error) {
	if attempt == 0 || r.GetBody == nil {
		return t.inner.RoundTrip(r)
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = body
	return t.inner.RoundTrip(r)
}

func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
