// Package callback waits on a port of this machine for a browser that comes back from a
// login page (RFC 8252, loopback redirection).
//
// It refuses to judge what the browser brought: whose answer it is says the state in it,
// which is the caller's to compare.
package callback

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Path is where on this machine the browser comes back to.
const Path = "/callback"

// Callback waits for one answer. It is safe for concurrent use.
type Callback struct {
	server   *http.Server
	came     chan url.Values
	finished sync.Once
}

// Receive starts to wait on a listener, which it takes over. Close the Callback after
// use.
func Receive(listener net.Listener) *Callback {
	c := &Callback{came: make(chan url.Values, 1)}
	c.server = &http.Server{Handler: http.HandlerFunc(c.answer), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	c.server.SetKeepAlivesEnabled(false)
	go func() { _ = c.server.Serve(listener) }()
	return c
}

// answer takes the first answer, and nothing that is none.
func (c *Callback) answer(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet || r.URL.Path != Path || !query.Has("code") && !query.Has("error") {
		http.NotFound(w, r)
		return
	}
	select {
	case c.came <- query:
	default:
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>svcconn</title><p>svcconn has taken the login from here. Its terminal says how it ended; this page can be closed.</p>\n")
}

// Wait returns what the browser brought, a query with code or error in it. The error is
// that of ctx.
func (c *Callback) Wait(ctx context.Context) (url.Values, error) {
	select {
	case query := <-c.came:
		return query, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the waiting, and lets the browser have its page. It may be called again.
func (c *Callback) Close() {
	c.finished.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if c.server.Shutdown(ctx) != nil {
			_ = c.server.Close()
		}
	})
}
