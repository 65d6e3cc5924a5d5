package cache

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// flight is one mint under way, for all who wait for it.
type flight struct {
	ask        Ask
	serial     uint64
	stage      atomic.Pointer[string]
	done       chan struct{}
	forgotten  bool          // guarded by Cache.mu
	left       time.Duration // the most that those who wait ask for; guarded by Cache.mu
	landed     time.Time     // by the wall clock
	credential connector.Credential
	err        error
}

// newFlight is a mint that is about to begin. Called with mu held.
func (c *Cache) newFlight(ask Ask) *flight {
	c.serial++
	f := &flight{ask: ask, serial: c.serial, done: make(chan struct{})}
	c.flights[ask.Key] = f
	return f
}

// takeOff starts a mint for a caller. Called with mu held.
func (c *Cache) takeOff(ctx context.Context, ask Ask) *flight {
	f := c.newFlight(ask)
	go func() {
		unnoticed := false
		c.fly(context.WithoutCancel(ctx), f, func() {
			if e := c.settle(f.ask, f.serial, f.credential, f.err); e != nil {
				e.uses, e.left = 1, f.left // whoever waits is using it
				c.hurry(e, c.clock.now())
			}
			unnoticed = f.err != nil && c.stillServing(ask)
		})
		if unnoticed && c.refreshed != nil {
			c.refreshed(ask.Meta, nil, f.err)
		}
	}()
	return f
}

// stillServing reports whether a credential is kept for an ask whose mint has failed:
// nobody need notice the failure then. Its next attempt is put off. Called with mu held.
func (c *Cache) stillServing(ask Ask) bool {
	e := c.entries[ask.Key]
	if e == nil || e.serial <= ask.Past || e.freshFor(c.clock.now()) <= 0 {
		return false
	}
	e.putOff(c.clock.Elapsed())
	return true
}

// fly mints, then lands: settle runs with mu held, unless the flight was forgotten.
func (c *Cache) fly(ctx context.Context, f *flight, settle func()) {
	if f.ask.MintTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.ask.MintTimeout)
		defer cancel()
	}
	f.credential, f.err = f.ask.Mint(ctx, func(doing string) { f.stage.Store(&doing) })
	c.mu.Lock()
	f.landed = c.clock.Wall()
	if !f.forgotten {
		delete(c.flights, f.ask.Key)
		settle()
	}
	c.mu.Unlock()
	close(f.done)
}

func (f *flight) wait(ctx context.Context, mine bool) (Answer, error) {
	select {
	case <-f.done:
		return f.answer(mine)
	case <-ctx.Done():
	}
	select { // both at once: the answer counts
	case <-f.done:
		return f.answer(mine)
	default:
	}
	doing := "starting"
	if stage := f.stage.Load(); stage != nil {
		doing = *stage
	}
	kind := fault.KindOf(context.Cause(ctx))
	if kind == fault.Unavailable {
		return Answer{}, fault.New(kind, "no credential in time: still %s", doing).
			Hint("try again: what is under way goes on; if it stays slow, raise the timeout in config.toml (`svcconn config path` tells where)")
	}
	return Answer{}, fault.New(kind, "stopped while %s: %w", doing, context.Cause(ctx))
}

// answer is the outcome of a flight that is done.
func (f *flight) answer(mine bool) (Answer, error) {
	if f.err != nil {
		return Answer{}, f.err
	}
	return Answer{Credential: f.credential, Minted: mine, Serial: f.serial, Until: Until(f.landed, f.credential.Expiry())}, nil
}

// Tick refreshes ahead what is in use and will soon go stale, drops what has gone
// stale, and returns how long until it wants to be called again (at most a
// minute). The refreshes run in the background; ctx bounds them.
func (c *Cache) Tick(ctx context.Context) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	c.sweep(now)
	next := betweenTicks
	for key, e := range c.entries {
		if e.expires.IsZero() || !e.ask.Refresh || e.uses == 0 || c.flights[key] != nil {
			continue
		}
		if due := e.dueIn(now); due > 0 {
			next = min(next, due)
			continue
		}
		c.refresh(ctx, e)
	}
	return max(next, time.Second)
}

// refresh mints anew while the old credential goes on being served. Called with
// mu held.
func (c *Cache) refresh(ctx context.Context, old *entry) {
	f := c.newFlight(old.ask)
	go func() {
		c.fly(ctx, f, func() {
			if f.err == nil {
				if e := c.settle(f.ask, f.serial, f.credential, nil); e != nil && f.left > 0 {
					e.uses, e.left = 1, f.left // somebody waited for it
					c.hurry(e, c.clock.now())
				}
				return
			}
			old.putOff(c.clock.Elapsed())
		})
		if c.refreshed != nil {
			c.refreshed(f.ask.Meta, f.credential, f.err)
		}
	}()
}
