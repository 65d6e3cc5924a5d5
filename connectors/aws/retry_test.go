package aws

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Throttling is answered by asking again, and told when that did not help.
func TestRetries(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		handler func(n int, w http.ResponseWriter)
		within  time.Duration
		asked   int
		kind    fault.Kind
	}{
		"once":            {func(n int, w http.ResponseWriter) { throttles(w, n == 1) }, time.Minute, 2, ""},
		"for ever":        {func(_ int, w http.ResponseWriter) { throttles(w, true) }, time.Minute, maxAttempts, fault.Unavailable},
		"no time left":    {func(_ int, w http.ResponseWriter) { throttles(w, true) }, longestPause - time.Millisecond, 1, fault.Unavailable},
		"broken off":      {func(n int, w http.ResponseWriter) { hangsUp(w, n < 3) }, time.Minute, 3, ""},
		"refused":         {func(_ int, w http.ResponseWriter) { refusing("STS", 403, nil, "AccessDenied", "no")(w, nil) }, time.Minute, 1, fault.Denied},
		"wants much time": {func(_ int, w http.ResponseWriter) { w.Header().Set("Retry-After", "60"); w.WriteHeader(503) }, time.Minute, 1, fault.Unavailable},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			asked := make(chan int, 1)
			asked <- 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n := <-asked + 1
				asked <- n
				test.handler(n, w)
			}))
			defer server.Close()
			c := wire(t, server.URL)
			ctx, cancel := context.WithTimeout(t.Context(), test.within)
			defer cancel()
			err := asking["STS"](ctx, c)
			if err != nil {
				err = c.failed(ctx, "STS", err)
			}
			if n := <-asked; n != test.asked || fault.KindOf(err) != test.kind {
				t.Errorf("asked %d times, not %d: %v", n, test.asked, err)
			}
		})
	}
}

func throttles(w http.ResponseWriter, now bool) {
	if now {
		refusing("STS", 400, nil, "Throttling", "Rate exceeded")(w, nil)
		return
	}
	_, _ = w.Write([]byte("<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"))
}

func hangsUp(w http.ResponseWriter, now bool) {
	if now {
		panic(http.ErrAbortHandler)
	}
	throttles(w, false)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{0: firstPause, 1: firstPause, 2: 2 * firstPause, 3: 4 * firstPause, 99: longestPause} {
		if got := backoff(attempt); got < want/2 || got > want {
			t.Errorf("after attempt %d it waits for %s", attempt, got)
		}
	}
	if newRetryer(proc.Real().Now).MaxAttempts() != maxAttempts {
		t.Error("not as often as said")
	}
	var limiter retry.RateLimiter = timeLeft{}
	if _, err := limiter.GetToken(t.Context(), 1); err != nil || limiter.AddTokens(1) != nil {
		t.Error(err)
	}
}
