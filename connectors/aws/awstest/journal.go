package awstest

import (
	"context"
	"sync"
	"time"
)

// Call is one call of a service.
type Call struct {
	Service   string // sts, ecr, ecr-public, eks, s3, sso, sso-oauth …
	Action    string // GetCallerIdentity, …; "" where the request was for none
	Region    string // of the signature; "" for calls without one
	Account   string // of the caller; "" where nobody was recognised
	Principal string // ARN of the caller; "" where nobody was recognised
	Code      string // of the error that it was answered with; "" for success
	Time      time.Time
}

// journal is what was asked, in order.
type journal struct {
	mu    sync.Mutex
	calls []Call
}

func (j *journal) add(r *request, code string) {
	call := Call{Service: r.service.name, Action: r.action, Region: r.region, Code: code, Time: r.now}
	if r.who != nil {
		call.Account, call.Principal = r.who.account.id, r.who.arn
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, call)
}

// Calls is what was asked since the start or the last ResetCalls, in the order in which it
// was answered.
func (s *Server) Calls() []Call {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return append([]Call(nil), s.journal.calls...)
}

// Count is how many calls there were of a service's action, whatever came of them; "" is
// any.
func (s *Server) Count(service, action string) int {
	n := 0
	for _, call := range s.Calls() {
		if matches(service, call.Service) && matches(action, call.Action) {
			n++
		}
	}
	return n
}

// matches says whether what was asked for is what there is; "" is anything.
func matches(want, have string) bool { return want == "" || want == have }

// ResetCalls forgets what was asked.
func (s *Server) ResetCalls() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.calls = nil
}

// unruly is how the server misbehaves.
type unruly struct {
	mu       sync.Mutex
	delay    time.Duration
	skew     time.Duration
	throttle []throttle
}

type throttle struct {
	service, action string
	left            int
}

// Delay makes every call take that much longer, beginning with the next one.
func (s *Server) Delay(d time.Duration) {
	s.unruly.mu.Lock()
	defer s.unruly.mu.Unlock()
	s.unruly.delay = d
}

// Skew makes AWS's clock differ from Options.Now: it is ahead by d, or behind where d is
// negative.
func (s *Server) Skew(d time.Duration) {
	s.unruly.mu.Lock()
	defer s.unruly.mu.Unlock()
	s.unruly.skew = d
}

// Throttle refuses the next n calls of a service's action for being too many; "" is any
// service, any action.
func (s *Server) Throttle(service, action string, n int) {
	s.unruly.mu.Lock()
	defer s.unruly.mu.Unlock()
	s.unruly.throttle = append(s.unruly.throttle, throttle{service, action, n})
}

func (u *unruly) skewed() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.skew
}

// wait lets the delay pass, or the client lose its patience.
func (u *unruly) wait(ctx context.Context) {
	u.mu.Lock()
	delay := u.delay
	u.mu.Unlock()
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

// throttled takes one off what is to be throttled.
func (u *unruly) throttled(service, action string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range u.throttle {
		t := &u.throttle[i]
		if t.left > 0 && matches(t.service, service) && matches(t.action, action) {
			t.left--
			return true
		}
	}
	return false
}
