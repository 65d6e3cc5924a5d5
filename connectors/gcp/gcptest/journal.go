package gcptest

import "time"

// Call is one call of a service.
type Call struct {
	Service   string // oauth2, accounts, sts, iamcredentials, metadata, storage, …
	Action    string // token.jwt-bearer, clusters.list, …; "" where the request was for none
	Project   string // of what was asked for, as the request has it; "" where it has none
	Principal string // who asked, or got a token: an e-mail address, or principal://…; "" is nobody
	Code      string // of the error that it was answered with; "" for success
	Time      time.Time
}

// call is what the journal has of a request.
func (r *request) call(code string) Call {
	out := Call{Service: r.service.name, Project: r.project(), Code: code, Time: r.now}
	if r.op != nil {
		out.Action = r.op.action
	}
	if r.action != "" {
		out.Action = r.action
	}
	switch {
	case r.token != nil:
		out.Principal = r.token.who.name
	case r.subject != nil:
		out.Principal = r.subject.name
	}
	return out
}

// Calls is what was asked since the start or the last ResetCalls, in the order in which it
// was answered.
func (s *Server) Calls() []Call { return s.journal.Requests() }

// Count is how many calls there were of a service's action, whatever came of them; "" is
// any.
func (s *Server) Count(service, action string) int {
	n := 0
	for _, call := range s.Calls() {
		if (service == "" || service == call.Service) && (action == "" || action == call.Action) {
			n++
		}
	}
	return n
}

// ResetCalls forgets what was asked.
func (s *Server) ResetCalls() { s.journal.Forget() }

// Delay makes every call take that much longer, beginning with the next one.
func (s *Server) Delay(d time.Duration) { s.temper.Delay(d) }

// Skew makes Google's clock differ from Options.Now: it is ahead by d, or behind where d is
// negative.
func (s *Server) Skew(d time.Duration) { s.temper.Skew(d) }

// Throttle refuses the next n calls of a service's action for being too many; "" is any
// service, any action.
func (s *Server) Throttle(service, action string, n int) { s.temper.Throttle(service, action, n) }
