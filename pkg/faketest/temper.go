package faketest

import (
	"context"
	"sync"
	"time"
)

// Temper is how a fake service misbehaves: slow, throttling, with a wrong clock. The zero
// value behaves well; it is safe for concurrent use.
type Temper struct {
	mu       sync.Mutex
	delay    time.Duration
	skew     time.Duration
	throttle []throttle
}

// throttle is calls that are refused for being too many; "" is any service, any action.
type throttle struct {
	service, action string
	left            int
}

// Delay makes every Wait take that long from now on.
func (t *Temper) Delay(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delay = d
}

// Skew makes the service's clock wrong by d.
func (t *Temper) Skew(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skew = d
}

// Throttle makes Throttled report the next n calls of a service's action; "" is any
// service, any action.
func (t *Temper) Throttle(service, action string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.throttle = append(t.throttle, throttle{service, action, n})
}

// Skewed is how far the service's clock is ahead.
func (t *Temper) Skewed() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.skew
}

// Wait lets the delay pass, or the client lose its patience.
func (t *Temper) Wait(ctx context.Context) {
	t.mu.Lock()
	delay := t.delay
	t.mu.Unlock()
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Throttled says whether a call is to be refused, and takes it off what is.
func (t *Temper) Throttled(service, action string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.throttle {
		one := &t.throttle[i]
		if one.left > 0 && (one.service == "" || one.service == service) && (one.action == "" || one.action == action) {
			one.left--
			return true
		}
	}
	return false
}
