// Package registrytest is an OCI registry with authentication, inside the calling
// process, for tests and for the demonstration: go-containerregistry's registry as
// storage behind HTTP basic authentication or a token server of its own, over HTTP or
// over TLS with a certificate authority of its own. Real docker, podman, skopeo and
// crane push to it and pull from it.
//
// It is strict, since a fake that accepts anything proves nothing: wrong passwords,
// foreign, altered and expired tokens, scopes that were not granted and malformed
// token requests are refused in the service's own wire format. It counts what it is
// asked and fails on demand. It refuses to be a registry for real use: images live
// in memory.
package registrytest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Mode is how the registry wants to be logged in to.
type Mode string

// The modes.
const (
	Anonymous Mode = "anonymous" // asks for nothing
	Basic     Mode = "basic"     // HTTP basic authentication
	Bearer    Mode = "bearer"    // tokens of its token server, as Docker Hub, GHCR and Harbor do
)

// Options say what registry to start. The zero value is a registry over HTTP, on a
// free port of 127.0.0.1, that asks for no login.
type Options struct {
	Mode  Mode            // "" is Anonymous
	Users map[string]User // by name
	TLS   bool
	Addr  string // where to listen; "" is a free port of 127.0.0.1

	// Public is the prefix of repositories that anyone may pull from, such as
	// "public/"; "" is none.
	Public string

	// SeparateTokenServer gives the token server a port of its own. It is at the
	// registry's otherwise: crane refuses others on addresses of this machine.
	SeparateTokenServer bool
	// Realm overrides what the registry tells clients its token server is.
	Realm string
	// TokenLifetime is how long a token lasts; 0 is 5 minutes.
	TokenLifetime time.Duration

	Now func() time.Time // nil is the process's clock
}

// User is someone who may log in.
type User struct {
	Password      string
	IdentityToken string // an OAuth2 refresh token, accepted by the token server; "" is none
	ReadOnly      bool   // may pull, not push
}

// service is what tokens are issued for.
const service = "registrytest"

// Server is a running registry. It is safe for concurrent use.
type Server struct {
	options   Options
	storage   http.Handler
	key       []byte // signs tokens
	authority *faketest.Authority
	registry  net.Listener
	tokens    net.Listener // the same as registry unless the token server is separate
	servers   []*http.Server
	done      chan struct{}
	close     func() error
	journal   faketest.Journal[Request, Fault]
}

// Start is New for a test, which fails if it cannot start and stops it when it ends.
func Start(t faketest.TB, options Options) *Server {
	t.Helper()
	return faketest.Started(t, func() (*Server, error) { return New(options) })
}

// New starts a registry. Close stops it.
func New(options Options) (*Server, error) {
	options = options.withDefaults()
	s := &Server{
		options: options,
		storage: registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)),
		key:     newKey(),
		done:    make(chan struct{}),
	}
	s.close = sync.OnceValue(s.stop)
	var err error
	if s.authority, err = faketest.NewAuthority("registrytest", options.Now()); err != nil {
		return nil, err
	}
	if s.registry, err = s.listen(options.Addr); err != nil {
		return nil, err
	}
	s.tokens = s.registry
	if options.SeparateTokenServer {
		if s.tokens, err = s.listen("127.0.0.1:0"); err != nil {
			return nil, errors.Join(err, s.registry.Close())
		}
		s.serve(s.tokens, s.recorded(AtTokenServer, http.HandlerFunc(s.token)))
	}
	s.serve(s.registry, s.mux())
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Mode == "" {
		o.Mode = Anonymous
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = proc.Real().Now
	}
	return o
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.recorded(AtRegistry, http.HandlerFunc(s.guarded)))
	if !s.options.SeparateTokenServer {
		mux.Handle(tokenPath, s.recorded(AtTokenServer, http.HandlerFunc(s.token)))
	}
	return mux
}

func (s *Server) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil || !s.options.TLS {
		return l, err
	}
	certificate, err := s.authority.ForServer(certified...)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}), nil
}

// certified are the hosts that the registry's certificate is for.
var certified = []string{"localhost", "127.0.0.1", "::1", "registry-1.docker.io", "auth.docker.io", "registry.example.com"}

func (s *Server) serve(l net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }()
}

// Close stops the registry and whatever request it has at hand. Further calls do
// nothing.
func (s *Server) Close() error { return s.close() }

func (s *Server) stop() error {
	close(s.done)
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}

// Host is the registry's name, "127.0.0.1:PORT".
func (s *Server) Host() string { return s.registry.Addr().String() }

// TokenHost is where the token server listens, "127.0.0.1:PORT".
func (s *Server) TokenHost() string { return s.tokens.Addr().String() }

// URL is where the registry is, without a slash at its end.
func (s *Server) URL() string { return s.scheme() + "://" + s.Host() }

func (s *Server) scheme() string {
	if s.options.TLS {
		return "https"
	}
	return "http"
}

// CertificateAuthority is the certificate, as PEM, of whom the registry's own is signed
// by. The registry's is valid for 127.0.0.1, [::1] and localhost, and for Docker Hub's
// hosts, so that a test can lead a client here that means to go there.
func (s *Server) CertificateAuthority() string { return s.authority.PEM() }

// Transport trusts the registry's certificate authority and connects to the registry
// whatever host it is asked for. It goes through no proxy.
func (s *Server) Transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.authority.Pool()},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Host())
		},
	}
}
