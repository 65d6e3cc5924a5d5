package agent

import (
	"sync"
	"time"
)

// Waits between two mints that the same client causes by asking again, and how many
// clients are remembered.
const (
	firstWait, lastWait = 10 * time.Second, 5 * time.Minute
	maxAskers           = 4096
)

// process is one process for as long as it lives; the zero value is unknown. (Numbers
// of processes are used again, hence when it was started, in whatever unit the system
// has.)
type process struct {
	pid     int
	started uint64
}

// asker is a client and what it asks for.
type asker struct {
	process process
	target  string
}

// rejections finds out which credentials were rejected. client-go runs its exec plugin
// again after a 401 and does not say why; but it keeps what it was given for as long as
// that is good. So the same client that asks again for what it has evidently saw it
// rejected. One kubectl command does so up to seven times: only the first causes a mint,
// and the next one after a wait that doubles.
type rejections struct {
	now func() time.Time

	mu     sync.Mutex
	askers map[asker]*handOut
}

// handOut is what a client was given last.
type handOut struct {
	serial   uint64
	at       time.Time
	until    time.Time     // when the client has to ask again anyway; zero is never
	rejected time.Time     // when it last asked too early, with effect
	wait     time.Duration // from then, until that has effect again
}

func newRejections(now func() time.Time) *rejections {
	return &rejections{now: now, askers: map[asker]*handOut{}}
}

// rejected returns the serial of the credential that a client has evidently seen
// rejected; 0 is none.
func (r *rejections) rejected(a asker) uint64 {
	if a.process == (process{}) {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.askers[a]
	if h == nil {
		return 0
	}
	now := r.now()
	if !h.until.IsZero() && !now.Before(h.until) {
		delete(r.askers, a) // it asks because it has to
		return 0
	}
	quiet := now.Sub(h.rejected)
	switch {
	case h.rejected.IsZero() || quiet > 2*lastWait:
		h.wait = firstWait
	case quiet < h.wait:
		return 0
	default:
		h.wait = min(2*h.wait, lastWait)
	}
	h.rejected = now
	return h.serial
}

// gave remembers what a client was given, and until when it will use that.
func (r *rejections) gave(a asker, serial uint64, until time.Time) {
	if a.process == (process{}) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.askers[a]
	if h == nil {
		r.trim()
		h = &handOut{}
		r.askers[a] = h
	}
	h.serial, h.at, h.until = serial, r.now(), until
}

// trim makes room: what is over goes, then the older half. Called with mu held.
func (r *rejections) trim() {
	if len(r.askers) < maxAskers {
		return
	}
	now := r.now()
	var oldest time.Time
	for a, h := range r.askers {
		if !h.until.IsZero() && !now.Before(h.until) {
			delete(r.askers, a)
		} else if oldest.IsZero() || h.at.Before(oldest) {
			oldest = h.at
		}
	}
	middle := oldest.Add(now.Sub(oldest) / 2)
	for a, h := range r.askers {
		if len(r.askers) >= maxAskers && !h.at.After(middle) {
			delete(r.askers, a)
		}
	}
}
