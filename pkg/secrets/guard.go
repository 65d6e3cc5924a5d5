package secrets

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// guard makes a keyring safe to call: one call at a time, each with a time-out and
// a ctx, which the OS keyrings have none of. A call that does not come back (behind
// a prompt that nobody answers) stays the only one: until it does, the guard
// answers for it at once, with the same error, and starts no other.
type guard struct {
	keyring Keyring
	timeout time.Duration
	turn    chan struct{} // holds a token while a call is under way
	mu      sync.Mutex
	hung    error // set while the call under way is overdue
}

func newGuard(keyring Keyring, timeout time.Duration) *guard {
	return &guard{keyring: keyring, timeout: timeout, turn: make(chan struct{}, 1)}
}

var errOverdue = errors.New("overdue")

// Get implements Keyring.
func (g *guard) Get(ctx context.Context, account string) (secret.Text, error) {
	return g.do(ctx, func(ctx context.Context) (secret.Text, error) { return g.keyring.Get(ctx, account) })
}

// Set implements Keyring.
func (g *guard) Set(ctx context.Context, account string, value secret.Text) error {
	_, err := g.do(ctx, func(ctx context.Context) (secret.Text, error) {
		return secret.Text{}, g.keyring.Set(ctx, account, value)
	})
	return err
}

// Delete implements Keyring.
func (g *guard) Delete(ctx context.Context, account string) error {
	_, err := g.do(ctx, func(ctx context.Context) (secret.Text, error) {
		return secret.Text{}, g.keyring.Delete(ctx, account)
	})
	return err
}

func (g *guard) do(ctx context.Context, work func(context.Context) (secret.Text, error)) (secret.Text, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, g.timeout, errOverdue)
	defer cancel()
	if ctx.Err() != nil {
		return secret.Text{}, g.late(ctx)
	}
	if err := g.overdue(); err != nil {
		return secret.Text{}, err
	}
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return secret.Text{}, g.late(ctx)
	}
	c := &call{done: make(chan struct{})}
	go g.run(ctx, c, work)
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		return g.abandon(ctx, c)
	}
}

// call is one call under way; done closes when value and err are set.
type call struct {
	done  chan struct{}
	value secret.Text
	err   error
}

func (g *guard) run(ctx context.Context, c *call, work func(context.Context) (secret.Text, error)) {
	c.value, c.err = work(ctx)
	if ctx.Err() != nil && errors.Is(c.err, ctx.Err()) {
		c.err = g.late(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hung = nil
	close(c.done)
	<-g.turn
}

// abandon leaves a call to itself, unless it came back in this moment.
func (g *guard) abandon(ctx context.Context, c *call) (secret.Text, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	default:
	}
	err := g.late(ctx)
	if context.Cause(ctx) == errOverdue {
		g.hung = err
	}
	return secret.Text{}, err
}

func (g *guard) overdue() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hung
}

// late says why there is no answer: the time-out was ours, or the caller's.
func (g *guard) late(ctx context.Context) error {
	cause := context.Cause(ctx)
	if cause != errOverdue {
		return fault.New(fault.KindOf(cause), "the OS keyring was given no time to answer: %w", cause).
			Hint("try again; if that does not help, %s", unlockKeyring)
	}
	return fault.New(fault.NeedsPerson, "the OS keyring did not answer within %s: it is probably locked and waits for somebody to unlock it", g.timeout).
		Hint("%s", unlockKeyring)
}
