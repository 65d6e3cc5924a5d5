package faketest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// headerPatience is how long a client may take to send the header of a request.
const headerPatience = time.Minute

// Listening is the HTTP servers of a fake service. The zero value has none; it is safe for
// concurrent use.
type Listening struct {
	mu      sync.Mutex
	servers []*http.Server
}

// Listen answers on a free port of 127.0.0.1, host:port, until Close.
func (l *Listening) Listen(handler http.Handler) (address string, err error) {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	l.Serve(at, handler)
	return at.Addr().String(), nil
}

// Serve answers at a listener until Close.
func (l *Listening) Serve(at net.Listener, handler http.Handler) {
	server := newServer(handler)
	l.mu.Lock()
	l.servers = append(l.servers, server)
	l.mu.Unlock()
	go func() { _ = server.Serve(at) }()
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: headerPatience}
}

// Close takes no new requests, waits a moment for those under way, and cuts them off then.
// A second call does nothing.
func (l *Listening) Close() error {
	l.mu.Lock()
	servers := l.servers
	l.servers = nil
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var problems []error
	for _, server := range servers {
		if server.Shutdown(ctx) != nil {
			problems = append(problems, server.Close())
		}
	}
	return errors.Join(problems...)
}
