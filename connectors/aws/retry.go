package aws

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/svcconn/svcconn/pkg/hop"
)

// How calls are repeated.
const (
	maxAttempts  = 4
	firstPause   = 200 * time.Millisecond // doubled every time
	longestPause = firstPause << (maxAttempts - 2)
)

// newRetryer repeats calls that a service was too busy for, that it failed at, or whose
// connection broke. What cannot be reached is not asked again: the caller hears of it
// sooner.
func newRetryer(now func() time.Time) awssdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			return max(backoff(attempt), wanted(err, now)), nil
		})
		o.Retryables = []retry.IsErrorRetryable{
			retry.NoRetryCanceledError{},
			retry.IsErrorRetryableFunc(func(err error) awssdk.Ternary {
				return awssdk.BoolTernary(passing(err) && wanted(err, now) <= longestPause)
			}),
		}
		o.RateLimiter = timeLeft{}
	})
}

// backoff is how long to wait after an attempt, the first being 1.
func backoff(attempt int) time.Duration { return hop.Backoff(attempt, firstPause, longestPause) }

// wanted is how much later a service wants to be asked again; 0 where it does not say.
func wanted(err error, now func() time.Time) time.Duration {
	var responded *smithyhttp.ResponseError
	if !errors.As(err, &responded) || responded.Response == nil || responded.Response.Response == nil {
		return 0
	}
	wait, _ := hop.RetryAfter(responded.Response.Header, now())
	return wait
}

// passing reports whether the same call may succeed a moment later.
func passing(err error) bool {
	var unsent *smithyhttp.RequestSendError
	if errors.As(err, &unsent) {
		return hop.Broke(unsent.Err)
	}
	var said smithy.APIError
	if errors.As(err, &said) {
		a := answer{code: said.ErrorCode()}
		if m, ok := a.known(); ok && slices.Contains([]meaning{tooOften, brokenService, awayProvider}, m) {
			return true
		}
	}
	var responded *smithyhttp.ResponseError
	return errors.As(err, &responded) && (responded.HTTPStatusCode() >= http.StatusInternalServerError || responded.HTTPStatusCode() == http.StatusTooManyRequests)
}

// timeLeft lets a call be repeated where the caller's deadline leaves the time for it:
// else the service's last answer says more than that time ran out.
type timeLeft struct{}

var errNoTime = errors.New("there is no time left to ask again")

// GetToken implements retry.RateLimiter.
func (timeLeft) GetToken(ctx context.Context, _ uint) (func() error, error) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < longestPause { // deadlines are of the real clock
		return nil, errNoTime
	}
	return func() error { return nil }, nil
}

// AddTokens implements retry.RateLimiter.
func (timeLeft) AddTokens(uint) error { return nil }
