// Package gcptest is Google Cloud inside the calling process, for tests and for the
// demonstration: the authorization server and its consent page, the Security Token Service,
// IAM's credentials, the metadata server, Cloud Storage, Kubernetes Engine, Artifact
// Registry with its registries, and Resource Manager, as one HTTP server, with a proxy that
// answers for Google's own host names. gcloud and the SDKs are its clients as they are.
//
// It is strict, since a fake that accepts anything proves nothing. Assertions, subject
// tokens, refresh tokens, PKCE, scopes and credential access boundaries are checked by code
// of its own, from the documentation; keys and tokens end, and can be revoked; permissions
// are looked up at every call; what is refused is refused in Google's words and formats. It
// writes down what it is asked, is slow, throttles and has a wrong clock on demand. It
// refuses to be a cloud: nothing runs in it and nothing survives it.
package gcptest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Options say what Google to start. The zero value is one with the process's clock and
// pages of two.
type Options struct {
	Now      func() time.Time // nil is the process's clock
	PageSize int              // the most that a page of a list has; 0 is 2
}

const defaultPageSize = 2

// Server is a running Google. It is safe for concurrent use.
type Server struct {
	options  Options
	services []*service // never changes
	listens  faketest.Listening
	address  string
	proxy    *faketest.Proxy
	journal  faketest.Journal[Call, struct{}]
	temper   faketest.Temper
	pageKey  faketest.Pages

	universesMu sync.Mutex
	universes   map[string]string // domain of APIs to that of registries

	// mu guards the world: projects, identities, tokens and the services' own state. Every
	// operation runs with it held.
	mu       sync.Mutex
	projects map[string]*Project // by id
	people   people
	tokens   tokens
	pools    map[string]*pool // by resource name
	issuer   *Issuer
	machines machines
	others   others
}

// Start is New for a test, which fails if it cannot start and stops it when it ends.
func Start(t faketest.TB, options Options) *Server {
	t.Helper()
	return faketest.Started(t, func() (*Server, error) { return New(options) })
}

// New starts a Google without projects on free ports of 127.0.0.1. Close stops it.
func New(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = proc.Real().Now
	}
	if options.PageSize == 0 {
		options.PageSize = defaultPageSize
	}
	s := &Server{
		options: options, services: everyService(), pageKey: faketest.NewPages(), universes: map[string]string{}, projects: map[string]*Project{}, pools: map[string]*pool{},
		people: newPeople(), tokens: newTokens(), machines: newMachines(), others: newOthers(),
	}
	s.issuer = &Issuer{now: s.now}
	var err error
	if s.address, err = s.listens.Listen(s.Handler()); err != nil {
		return nil, err
	}
	if s.proxy, err = faketest.StartProxy("gcptest", options.Now(), s.atHost); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// URL is the address of all services, by plain HTTP, told apart by path: what a field for
// an endpoint takes. It has no slash at its end. Where two services have a path in common,
// URL()+"/artifactregistry", for one, is Artifact Registry alone.
func (s *Server) URL() string { return "http://" + s.address }

// Handler answers for all services, told apart by the request's host where that is one of
// Google's, else by path: for Route, or for a server of one's own.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.answerGoogle) }

// ProxyURL is the address of an HTTP proxy, for HTTPS_PROXY and HTTP_PROXY. It answers for
// every host of Google's, with a certificate that CertificateAuthority has signed, and for
// those of Route and Universe. Whatever else is asked of it gets 502.
func (s *Server) ProxyURL() string { return s.proxy.URL() }

// CertificateAuthority is the certificate, PEM, of the authority that signs the
// certificates of the hosts that ProxyURL answers for.
func (s *Server) CertificateAuthority() string { return s.proxy.CertificateAuthority() }

// Route makes a handler answer for a host, in place of Google where it is one of Google's.
// The host has no port; the handler answers for all of them, with TLS and without.
func (s *Server) Route(host string, handler http.Handler) { s.proxy.Route(host, handler) }

// atHost is what answers for a host; nil is nothing.
func (s *Server) atHost(host string) http.Handler {
	if s.isRegistry(host) {
		return s.Registry(host)
	}
	if _, ours := s.parseHost(host); ours {
		return s.Handler()
	}
	return nil
}

// Close stops the server: it takes no new requests, waits a moment for those under way,
// and cuts them off then. A second call does nothing.
func (s *Server) Close() error {
	err := s.listens.Close()
	if s.proxy != nil {
		err = errors.Join(err, s.proxy.Close())
	}
	return err
}

// now is the time by Google's clock.
func (s *Server) now() time.Time { return s.options.Now().Add(s.temper.Skewed()) }
