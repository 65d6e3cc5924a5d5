package registrytest

import (
	"maps"
	"net/http"
	"slices"
	"sync"
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

// journal keeps what was asked and what is to go wrong.
type journal struct {
	mu       sync.Mutex
	requests []Request
	faults   []Fault
}

// Requests returns what the registry has answered so far, in order.
func (s *Server) Requests() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.requests)
}

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
func (s *Server) Forget() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.requests = nil
}

// Inject makes something go wrong from now on. Several faults of one hop happen one
// after the other.
func (s *Server) Inject(fault Fault) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	fault.Header = maps.Clone(fault.Header)
	s.journal.faults = append(s.journal.faults, fault)
}

// Heal takes all faults away.
func (s *Server) Heal() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.faults = nil
}

// next takes the fault that hits the next request of a hop.
func (j *journal) next(at Hop) (Fault, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(j.faults, func(f Fault) bool { return f.At == at })
	if i < 0 {
		return Fault{}, false
	}
	fault := j.faults[i]
	if fault.Times == 1 {
		j.faults = slices.Delete(j.faults, i, i+1)
	} else if fault.Times > 1 {
		j.faults[i].Times--
	}
	return fault, true
}

// recorded answers with the next fault or the handler, and records the request.
func (s *Server) recorded(at Hop, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		defer func() { s.journal.add(at, r, answer) }() // also when a fault hangs up
		if fault, hit := s.journal.next(at); hit {
			s.fail(answer, r, fault)
		} else {
			handler.ServeHTTP(answer, r)
		}
	})
}

func (j *journal) add(at Hop, r *http.Request, a *answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, Request{
		At: at, Method: r.Method, Host: r.Host, Path: r.URL.Path, Query: r.URL.RawQuery,
		Scheme: authScheme(r), User: a.user, Status: a.status,
	})
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, fault Fault) {
	if fault.Hang {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler) // net/http's way to hang up
	}
	for name, value := range fault.Header {
		w.Header().Set(name, value)
	}
	if fault.RetryAfter != "" {
		w.Header().Set("Retry-After", fault.RetryAfter)
	}
	w.WriteHeader(fault.Status)
	_, _ = w.Write([]byte(fault.Body))
}

// answer is a response whose status and user are remembered.
type answer struct {
	http.ResponseWriter
	status int
	user   string
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the real one.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// identify records who was authenticated.
func identify(w http.ResponseWriter, user string) {
	if a, ok := w.(*answer); ok {
		a.user = user
	}
}
