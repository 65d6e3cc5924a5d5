package awstest

import "time"

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

// call is what the journal has of a request.
func (r *request) call(code string) Call {
	call := Call{Service: r.service.name, Action: r.action, Region: r.region, Code: code, Time: r.now}
	if r.who != nil {
		call.Account, call.Principal = r.who.account.id, r.who.arn
	}
	return call
}

// Calls is what was asked since the start or the last ResetCalls, in the order in which it
// was answered.
func (s *Server) Calls() []Call { return s.journal.Requests() }

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
func (s *Server) ResetCalls() { s.journal.Forget() }

// Delay makes every call take that much longer, beginning with the next one.
func (s *Server) Delay(d time.Duration) { s.temper.Delay(d) }

// Skew makes AWS's clock differ from Options.Now: it is ahead by d, or behind where d is
// negative.
func (s *Server) Skew(d time.Duration) { s.temper.Skew(d) }

// Throttle refuses the next n calls of a service's action for being too many; "" is any
// service, any action.
func (s *Server) Throttle(service, action string, n int) { s.temper.Throttle(service, action, n) }
