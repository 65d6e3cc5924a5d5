package kubetest

import (
	"maps"
	"net/http"
	"strings"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// Request is one request that the server has answered. It never has a secret.
type Request struct {
	Method string
	Path   string
	User   string // who was authenticated; "" is nobody
	Status int
}

// Fault is something that goes wrong on demand.
type Fault struct {
	Path   string // what the paths begin with that it hits; "" is all
	Status int    // what to answer; 0 with Hang
	Header map[string]string
	Body   string
	Hang   bool // answer nothing until the client goes away
	Times  int  // how many requests it hits; 0 is all of them
}

// Requests returns what the server has answered so far, in order.
func (s *Server) Requests() []Request { return s.journal.Requests() }

// Count returns how many requests by a method to paths that end so the server has
// answered so far, whatever the answer.
func (s *Server) Count(method, suffix string) int {
	n := 0
	for _, r := range s.Requests() {
		if r.Method == method && strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}

// Inject makes something go wrong from now on. The first fault that fits a request
// hits it.
func (s *Server) Inject(fault Fault) {
	fault.Header = maps.Clone(fault.Header)
	s.journal.Inject(fault)
}

// Heal takes all faults away.
func (s *Server) Heal() { s.journal.Heal() }

// recorded answers with the next fault or the handler, and records the request.
func (s *Server) recorded(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := faketest.Remembering(w)
		defer func() { // also when a fault hangs up
			s.journal.Add(Request{Method: r.Method, Path: r.URL.Path, User: a.User, Status: a.Status})
		}()
		hits := func(f Fault) bool { return strings.HasPrefix(r.URL.Path, f.Path) }
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
	faketest.Write(w, fault.Status, fault.Header, fault.Body)
}

// identify records who was authenticated.
func identify(w http.ResponseWriter, user User) { faketest.Identify(w, user.Name) }
