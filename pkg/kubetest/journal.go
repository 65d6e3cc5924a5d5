package kubetest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
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

// journal keeps what was asked and what is to go wrong.
type journal struct {
	mu       sync.Mutex
	requests []Request
	faults   []Fault
}

// Requests returns what the server has answered so far, in order.
func (s *Server) Requests() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.requests)
}

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

// next takes the fault that hits a request.
func (j *journal) next(path string) (Fault, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(j.faults, func(f Fault) bool { return strings.HasPrefix(path, f.Path) })
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
func (s *Server) recorded(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w, status: http.StatusOK}
		defer func() { s.journal.add(r, a) }() // also when a fault hangs up
		if fault, hit := s.journal.next(r.URL.Path); hit {
			s.fail(a, r, fault)
			return
		}
		handler.ServeHTTP(a, r)
	})
}

func (j *journal) add(r *http.Request, a *answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, Request{Method: r.Method, Path: r.URL.Path, User: a.user, Status: a.status})
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

// identify records who was authenticated.
func identify(w http.ResponseWriter, user User) {
	if a, ok := w.(*answer); ok {
		a.user = user.Name
	}
}
