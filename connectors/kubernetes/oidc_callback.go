package kubernetes

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// callbackPath is where on this machine the browser comes back to.
const callbackPath = "/callback"

// callback waits for the browser on a port of this machine.
type callback struct {
	server   *http.Server
	came     chan url.Values
	finished sync.Once
}

// receive starts to wait. Close it after use.
func receive(listener net.Listener) *callback {
	c := &callback{came: make(chan url.Values, 1)}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	c.server.SetKeepAlivesEnabled(false)
	go func() { _ = c.server.Serve(listener) }()
	return c
}

// ServeHTTP implements http.Handler: the first answer counts, and what is none does
// not.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet || r.URL.Path != callbackPath || !query.Has("code") && !query.Has("error") {
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

func (c *callback) wait(ctx context.Context) (url.Values, error) {
	select {
	case query := <-c.came:
		return query, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close ends the waiting, and lets the browser have its page.
func (c *callback) close() {
	c.finished.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if c.server.Shutdown(ctx) != nil {
			_ = c.server.Close()
		}
	})
}
