package connectortest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Silence is the addresses of services that give no answer, each for another reason.
type Silence struct {
	Gone      string // nobody listens
	Untrusted string // its certificate is nobody's whom one trusts
	Plain     string // its scheme is https, and it speaks HTTP
	Refusing  string // a proxy that lets nobody through (407)
}

// NewSilence starts them, for a test.
func NewSilence(t *testing.T) Silence {
	t.Helper()
	start := func(status int) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		t.Cleanup(server.Close)
		return server
	}
	secure, plain, gone, refusing := start(404), start(404), start(404), start(407)
	secure.StartTLS()
	for _, server := range []*httptest.Server{plain, gone, refusing} {
		server.Start()
	}
	gone.Close()
	return Silence{Gone: gone.URL, Untrusted: secure.URL, Plain: strings.Replace(plain.URL, "http:", "https:", 1), Refusing: refusing.URL}
}

// HostOf is the host and port of an address.
func HostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

// NewHanging is the address of a service that takes questions and answers none, until the
// test ends.
func NewHanging(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(ended); server.Close() })
	return server.URL
}
