package connector

import (
	"context"
	"sync"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Listing is a part of a list that is asked for by itself: what one region has, or one
// kind of it.
type Listing struct {
	Where string // as errors have it: "region eu-central-1"
	List  func(ctx context.Context, yield func(name string) error) error
}

// ListTogether runs listings at once. Yield is called by one at a time, and none goes on
// once it has returned an error. One that fails does not lose what the others have: its
// error comes when all have ended, and several are one error of the first one's kind.
func ListTogether(ctx context.Context, yield func(name string) error, listings []Listing) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var enough error
	one := func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		if enough == nil {
			enough = yield(name)
		}
		if enough != nil {
			stop()
		}
		return enough
	}
	errs := make([]error, len(listings))
	var all sync.WaitGroup
	for i, l := range listings {
		all.Go(func() { errs[i] = fault.Within(l.List(ctx, one), "%s", l.Where) })
	}
	all.Wait()
	if enough != nil {
		return enough
	}
	return several(errs)
}

// several is one error of those that are not nil, of the kind of the first.
func several(errs []error) error {
	var out error
	for _, err := range errs {
		switch {
		case err == nil:
		case out == nil:
			out = err
		default:
			out = fault.New(fault.KindOf(out), "%w; %w", out, err)
		}
	}
	return out
}
