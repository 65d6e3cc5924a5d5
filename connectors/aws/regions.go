package aws

import (
	"context"
	"sync"

	"github.com/svcconn/svcconn/pkg/fault"
)

// listing asks a service about one region, or one of its kind, and yields what there is.
type listing struct {
	where string // as errors have it: "region eu-central-1"
	list  func(ctx context.Context, yield func(name string) error) error
}

// together runs listings at once. Yield is called by one at a time, and none goes on
// once it has returned an error. One that fails does not lose what the others have:
// its error comes when all have ended.
func together(ctx context.Context, yield func(name string) error, listings []listing) error {
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
		all.Go(func() { errs[i] = fault.Within(l.list(ctx, one), "%s", l.where) })
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
