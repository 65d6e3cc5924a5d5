package faketest

import (
	"net/http"
	"slices"
	"sync"
)

// Journal is what a fake service has answered, requests of type R in order, and what is
// to go wrong, mishaps of type M. The zero value is empty and ready; it is safe for
// concurrent use.
type Journal[R, M any] struct {
	mu       sync.Mutex
	requests []R
	mishaps  []M
}

// Add records a request.
func (j *Journal[R, M]) Add(request R) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, request)
}

// Requests returns what was recorded, in order.
func (j *Journal[R, M]) Requests() []R {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requests)
}

// Forget empties the record of requests.
func (j *Journal[R, M]) Forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = nil
}

// Inject makes something go wrong from now on.
func (j *Journal[R, M]) Inject(mishap M) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mishaps = append(j.mishaps, mishap)
}

// Heal takes all mishaps away.
func (j *Journal[R, M]) Heal() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mishaps = nil
}

// Next takes the first mishap that fits. times is where one keeps how many requests it
// still hits; 0 is all of them.
func (j *Journal[R, M]) Next(fits func(M) bool, times func(*M) *int) (M, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(j.mishaps, fits)
	if i < 0 {
		var none M
		return none, false
	}
	mishap := j.mishaps[i]
	switch left := times(&j.mishaps[i]); *left {
	case 0:
	case 1:
		j.mishaps = slices.Delete(j.mishaps, i, i+1)
	default:
		*left--
	}
	return mishap, true
}

// Answer is a response whose status, and the user that it is for, are remembered.
type Answer struct {
	http.ResponseWriter
	Status int
	User   string // who was authenticated; "" is nobody
}

// Remembering makes an answer of a response.
func Remembering(w http.ResponseWriter) *Answer {
	return &Answer{ResponseWriter: w, Status: http.StatusOK}
}

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) {
	a.Status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the real one.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Identify records who was authenticated, where the response is an Answer.
func Identify(w http.ResponseWriter, user string) {
	if a, ok := w.(*Answer); ok {
		a.User = user
	}
}

// Hang answers nothing until the client goes away or the service is done, and hangs up.
func Hang(r *http.Request, done <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-done:
	}
	panic(http.ErrAbortHandler) // net/http's way to hang up
}

// Write answers with a status, headers and a body.
func Write(w http.ResponseWriter, status int, header map[string]string, body string) {
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
