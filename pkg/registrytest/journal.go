package registrytest

import (
	"maps"
	"net/http"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// Hop is one of the two services that a client of a registry talks to.
type Hop string

// The hops.
const (
	AtRegistry    Hop = "registry"
	AtTokenServer Hop = "token server"
)

// Request is one request that the registry has answered. It never has a secret.
type Request struct {
	At     Hop
	Method string
	Host   string // what the client called us
	Path   string
	Query  string
	Scheme string // of the Authorization header: "", "Basic" or "Bearer"
	User   string // who was authenticated; "" is nobody
	Status int
}

// Fault is something that goes wrong on demand.
type Fault struct {
	At         Hop
	Status     int    // what to answer; 0 with Hang
	RetryAfter string // the Retry-After header; "" is none
	Header     map[string]string
	Body       string
	Hang       bool // answer nothing until the client goes away
	Times      int  // how many requests it hits; 0 is all of them
}

// Requests returns what the registry has answered so far, in order.
func (s *Server) Requests() []Request { return s.journal.Requests() }

// Count returns how many requests a hop has answered so far.
func (s *Server) Count(at Hop) int {
	n := 0
	for _, r := range s.Requests() {
		if r.At == at {
			n++
		}
	}
	return n
}

// Forget empties the record of requests.
func (s *Server) Forget() { s.journal.Forget() }

// Inject makes something go wrong from now on. Several faults of one hop happen one
// after the other.
func (s *Server) Inject(fault Fault) {
	fault.Header = maps.Clone(fault.Header)
	s.journal.Inject(fault)
}

// Heal takes all faults away.
func (s *Server) Heal() { s.journal.Heal() }

// recorded answers with the next fault or the handler, and records the request.
func (s *Server) recorded(at Hop, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := faketest.Remembering(w)
		defer func() { // also when a fault hangs up
			s.journal.Add(Request{
				At: at, Method: r.Method, Host: r.Host, Path: r.URL.Path, Query: r.URL.RawQuery,
				Scheme: authScheme(r), User: a.User, Status: a.Status,
			})
		}()
		hits := func(f Fault) bool { return f.At == at }
		if fault, hit := s.journal.Next(hits, func(f *Fault) *int { return &f.Times }); hit {
			s.fail(a, r, fault)
			return
		}
		handler.ServeHTTP(a, r)
	})
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, fault Fault) {
	if fault.Hang {
		faketest.Hang(r, s.done)
	}
	if fault.RetryAfter != "" {
		w.Header().Set("Retry-After", fault.RetryAfter)
	}
	faketest.Write(w, fault.Status, fault.Header, fault.Body)
}
