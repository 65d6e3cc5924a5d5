package hop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Again repeats requests that a service was too busy for or failed at. What cannot be
// reached is not asked again: the caller hears of it sooner. It is safe for concurrent use
// if its parts are.
type Again struct {
	Inner http.RoundTripper
	Tries int // how often a request is sent, at most
	// Wait is how long to wait after so many tries, where the service does not ask for more.
	Wait func(tried int) time.Duration
	// Longest is how long is waited at most: the answer of a service that asks for more
	// stands.
	Longest time.Duration
	Broken  bool // requests whose connection broke off are repeated, too
	Now     func() time.Time
	Pause   func(context.Context, time.Duration) error // package function Pause; tests do not wait
}

// RoundTrip implements http.RoundTripper. Whoever was waited for in vain, or cannot be
// waited for since the caller's time is up before, has the last word: its answer or error
// is returned, with the number of tries.
func (a Again) RoundTrip(r *http.Request) (*http.Response, error) {
	for tried := 1; ; tried++ {
		response, err := a.send(r, tried)
		wait, worth := a.worth(r, response, err, tried)
		if !worth {
			return counted(response, err, tried)
		}
		switch pauseErr := a.Pause(r.Context(), wait); {
		case errors.Is(pauseErr, context.DeadlineExceeded):
			return counted(response, err, tried)
		case pauseErr != nil:
			discard(response)
			return nil, pauseErr
		}
		discard(response)
	}
}

func (a Again) send(r *http.Request, tried int) (*http.Response, error) {
	if tried == 1 || r.GetBody == nil {
		return a.Inner.RoundTrip(r)
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = body
	return a.Inner.RoundTrip(r)
}

// worth reports whether the same request may succeed after a wait that the caller has time
// for: as long again is left for the answer.
func (a Again) worth(r *http.Request, response *http.Response, err error, tried int) (wait time.Duration, worth bool) {
	replayable := (r.Body == nil || r.Body == http.NoBody || r.GetBody != nil) && r.Context().Value(onceKey{}) == nil
	if tried >= a.Tries || !replayable {
		return 0, false
	}
	wait = a.Wait(tried)
	if err != nil {
		return wait, a.Broken && Broke(err) && hasTime(r.Context(), wait)
	}
	wanted, _ := RetryAfter(response.Header, a.Now())
	wait = max(wait, wanted)
	return wait, Passing(response.StatusCode) && wait <= a.Longest && hasTime(r.Context(), wait)
}

// onceKey is where a context has that its requests are not repeated.
type onceKey struct{}

// Once is a context whose requests Again does not repeat: they show something that is good
// for one use, and whoever took it may have done so before the answer was lost.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// hasTime goes by the real clock, as deadlines do.
func hasTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) >= 2*wait
}

// Passing reports whether a status means that a request may succeed a moment later.
func Passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// discard reads an answer to its end, if that is near, so that the connection is used again.
func discard(response *http.Response) {
	if response != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
		_ = response.Body.Close()
	}
}

// Broke reports whether a connection that there was broke off.
func Broke(err error) bool {
	var failed *net.OpError
	if errors.As(err, &failed) {
		return (failed.Op == "read" || failed.Op == "write") && !failed.Timeout()
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Backoff is how long to wait after an attempt, the first being 1: a pause that is doubled
// every time, up to the longest; between half of it and all of it, so that those who were
// refused together do not come back together.
func Backoff(attempt int, first, longest time.Duration) time.Duration {
	pause := first
	for ; attempt > 1 && pause < longest; attempt-- {
		pause *= 2
	}
	pause = min(pause, longest)
	return pause/2 + rand.N(pause/2+1)
}

// triesKey is where the context of an answer's request has the number of tries.
type triesKey struct{}

// Tries is how often Again sent the request of an answer.
func Tries(response *http.Response) int {
	if response.Request != nil {
		if n, ok := response.Request.Context().Value(triesKey{}).(int); ok {
			return n
		}
	}
	return 1
}

// inVain is the error of the last of several tries.
type inVain struct {
	tries int
	err   error
}

func (e *inVain) Error() string { return fmt.Sprintf("%v, after %d tries", e.err, e.tries) }
func (e *inVain) Unwrap() error { return e.err }

func counted(response *http.Response, err error, tries int) (*http.Response, error) {
	switch {
	case tries == 1:
	case err != nil:
		return nil, &inVain{tries, err}
	case response.Request != nil:
		response.Request = response.Request.WithContext(context.WithValue(response.Request.Context(), triesKey{}, tries))
	}
	return response, err
}

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
