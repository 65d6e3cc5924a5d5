// Package cache keeps minted credentials in memory: one mint at a time for a key
// however many ask, freshness on two clocks, refresh ahead of expiry, failures
// remembered for a moment.
//
// It refuses to write anything anywhere, to serve what is no longer fresh, and to
// know what a credential is for: keys and metadata are its caller's.
package cache

import (
	"context"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

const (
	// failureKept is how long a failure answers for the same key: long enough to
	// stop a storm, short enough that a person who mends it does not notice.
	failureKept = 2 * time.Second
	// firstRetry is the wait after a failed refresh; it doubles up to lastRetry.
	firstRetry, lastRetry = 15 * time.Second, 5 * time.Minute
	// betweenTicks is the longest time between two calls of Tick.
	betweenTicks = time.Minute
	// maxEntries bounds the memory: beyond it, what was used longest ago goes.
	maxEntries = 10_000
)

// Meta says what an entry is, without its value.
type Meta struct {
	ConnectorID, Connector, ResourceType, ResourceName string

	Revision string // of the connector's settings when it was minted
}

// Ask is a question to the cache.
type Ask struct {
	Key  string // everything that the credential depends on, digested
	Meta Meta
	Keep time.Duration // how long a credential without expiry is kept
	// Mint gets a new credential. It runs detached from any one caller, bounded
	// by MintTimeout, and reports the hop that it is at through stage.
	Mint func(ctx context.Context, stage Stage) (connector.Credential, error)
	// MintTimeout bounds one mint.
	MintTimeout time.Duration
	// Refresh allows Mint to be called again later, with nobody waiting.
	Refresh bool
	// Left, if not zero, is how much life a credential shall have left to be of use. One
	// that is kept with less is minted anew if a credential of its lifetime has room for
	// that (see ample); while that fails, the kept one goes on serving.
	Left time.Duration
	// Past, if not zero, is the Serial of an answer that the service has rejected: only
	// a credential whose mint began after that one's will do. Of many who ask so, one
	// mint serves all.
	Past uint64
}

// Stage is told what a mint is doing ("reading the OS keyring"), for the error
// of whoever runs out of time.
type Stage func(doing string)

// Answer is a credential from the cache.
type Answer struct {
	Credential connector.Credential
	Minted     bool      // this very call caused the mint
	Serial     uint64    // of the mint; it grows
	Until      time.Time // when it stops being handed out, on the wall clock; zero where it does not expire
}

// Info describes a kept entry.
type Info struct {
	Meta
	Minted, Expires, Until time.Time // Expires is zero for never
	Uses                   int64
}

// Cache keeps credentials. It is safe for concurrent use.
type Cache struct {
	clock Clock
	// refreshed is told the outcome of every refresh ahead.
	refreshed func(Meta, connector.Credential, error)

	wake chan struct{} // see Wake

	mu       sync.Mutex
	entries  map[string]*entry
	failures map[string]failure
	flights  map[string]*flight
	serial   uint64 // of the last mint that was begun
}

type entry struct {
	serial     uint64
	meta       Meta
	credential connector.Credential
	expires    time.Time
	keep       time.Duration
	minted     moment
	ask        Ask
	uses       int64 // since it was minted
	total      int64
	left       time.Duration // the most that was asked for since it was minted
	lastUse    time.Duration // on the monotonic clock
	notBefore  time.Duration // no refresh before, on the monotonic clock
	retry      time.Duration
}

type failure struct {
	at  moment
	err error
}

// New makes an empty cache. refreshed, if not nil, is told the outcome of each
// refresh ahead.
func New(clock Clock, refreshed func(Meta, connector.Credential, error)) *Cache {
	return &Cache{
		clock: clock, refreshed: refreshed, wake: make(chan struct{}, 1),
		entries: map[string]*entry{}, failures: map[string]failure{}, flights: map[string]*flight{},
	}
}

// Get answers from what is kept, or mints; N callers at once cause one mint. A
// caller whose ctx ends gets an error that names the stage the mint is at, while
// the mint goes on for those who come next. What is kept stays kept when a mint past
// it fails, and serves those who merely wanted one with more life left.
func (c *Cache) Get(ctx context.Context, ask Ask) (Answer, error) {
	c.mu.Lock()
	now := c.clock.now()
	e := c.entries[ask.Key]
	if e != nil && (e.serial <= ask.Past || e.freshFor(now) <= 0) {
		e = nil
	}
	if e != nil && !e.lacks(ask.Left, now) {
		answer := e.use(ask, now)
		c.hurry(e, now)
		c.mu.Unlock()
		return answer, nil
	}
	if f, ok := c.failures[ask.Key]; ok && now.since(f.at) < failureKept {
		c.mu.Unlock()
		return c.insteadOf(f.err, ask, e)
	}
	f := c.flights[ask.Key]
	mine := f == nil
	if mine {
		f = c.takeOff(ctx, ask)
	}
	f.left = max(f.left, ask.Left)
	c.mu.Unlock()
	answer, err := f.wait(ctx, mine)
	if err != nil {
		return c.insteadOf(err, ask, e)
	}
	return answer, nil
}

// insteadOf answers with a kept entry (nil is none) where a better one could not be had,
// if it is still kept and fresh.
func (c *Cache) insteadOf(err error, ask Ask, e *entry) (Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	if e == nil || c.entries[ask.Key] != e || e.freshFor(now) <= 0 {
		return Answer{}, err
	}
	return e.use(ask, now), nil
}

// use hands an entry out. Called with mu held.
func (e *entry) use(ask Ask, now moment) Answer {
	e.uses++
	e.total++
	e.left = max(e.left, ask.Left)
	e.lastUse = now.elapsed
	return Answer{Credential: e.credential, Serial: e.serial, Until: e.until()}
}

// hurry has Tick called earlier than it asked for, for an entry that is in use from now
// on. Called with mu held.
func (c *Cache) hurry(e *entry, now moment) {
	if e.uses != 1 || e.expires.IsZero() || !e.ask.Refresh || e.dueIn(now) >= betweenTicks {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Wake is told when Tick shall be called at once, whatever it asked for: what lives for a
// minute or two could be gone by then.
func (c *Cache) Wake() <-chan struct{} { return c.wake }

// putOff has an entry not be minted anew for a while, since that failed just now.
func (e *entry) putOff(elapsed time.Duration) {
	e.retry = min(max(2*e.retry, firstRetry), lastRetry)
	e.notBefore = elapsed + e.retry
}

// settle records the outcome of a mint and returns the entry it made, if any.
// Called with mu held.
func (c *Cache) settle(ask Ask, serial uint64, credential connector.Credential, err error) *entry {
	now := c.clock.now()
	if err != nil {
		if worthKeeping(err) {
			c.failures[ask.Key] = failure{now, err}
		}
		return nil
	}
	delete(c.failures, ask.Key)
	e := &entry{
		serial: serial, meta: ask.Meta, credential: credential, expires: credential.Expiry(), keep: ask.Keep,
		minted: now, ask: ask, lastUse: now.elapsed,
	}
	if e.freshFor(now) <= 0 {
		return nil // too short a life to be handed out twice
	}
	if old := c.entries[ask.Key]; old != nil {
		e.total = old.total
	}
	c.entries[ask.Key] = e
	c.trim(now)
	return e
}

// worthKeeping: a failure that a person can mend in the next second (an unlock, a
// login) or caused (Ctrl-C) must not outlive its cause.
func worthKeeping(err error) bool {
	switch fault.KindOf(err) {
	case fault.NeedsPerson, fault.Interrupted, fault.Invalid:
		return false
	}
	return true
}

// trim keeps the number of entries in bounds. Called with mu held.
func (c *Cache) trim(now moment) {
	if len(c.entries) <= maxEntries {
		return
	}
	c.sweep(now)
	for len(c.entries) > maxEntries {
		oldest := ""
		for key, e := range c.entries {
			if oldest == "" || e.lastUse < c.entries[oldest].lastUse {
				oldest = key
			}
		}
		delete(c.entries, oldest)
	}
}

// sweep drops what has gone stale. Called with mu held.
func (c *Cache) sweep(now moment) {
	for key, e := range c.entries {
		if e.gone(now) {
			delete(c.entries, key)
		}
	}
	for key, f := range c.failures {
		if now.since(f.at) >= failureKept {
			delete(c.failures, key)
		}
	}
}

// Forget drops every entry and failure that match picks, and sees to it that the
// mints under way are not kept either. It returns how many credentials it dropped.
func (c *Cache) Forget(match func(Meta) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	dropped := 0
	for key, e := range c.entries {
		if match(e.meta) {
			delete(c.entries, key)
			dropped++
		}
	}
	clear(c.failures)
	for key, f := range c.flights {
		if match(f.ask.Meta) {
			f.forgotten = true
			delete(c.flights, key)
		}
	}
	return dropped
}

// Kept describes what is kept and still fresh.
func (c *Cache) Kept() []Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	infos := make([]Info, 0, len(c.entries))
	for _, e := range c.entries {
		if left := e.freshFor(now); left > 0 {
			infos = append(infos, Info{Meta: e.meta, Minted: e.minted.wall, Expires: e.expires, Until: now.wall.Add(left), Uses: e.total})
		}
	}
	return infos
}

// LastFailure returns the failure that is remembered for a key, if any.
func (c *Cache) LastFailure(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.failures[key]; ok && c.clock.now().since(f.at) < failureKept {
		return f.err
	}
	return nil
}
