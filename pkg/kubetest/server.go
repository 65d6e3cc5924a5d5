// Package kubetest is a Kubernetes API server inside the calling process, for tests:
// what of it has to do with who somebody is. It speaks TLS with a certificate
// authority of its own, and authenticates by bearer tokens, client certificates, and
// in its old versions by passwords. It answers SelfSubjectReview and
// SelfSubjectAccessReview, makes service account tokens by TokenRequest, signs client
// certificates by CertificateSigningRequest, and lists a few namespaces.
//
// It is strict, since a fake that accepts anything proves nothing: wrong, foreign and
// expired credentials, malformed objects, lifetimes out of bounds and what access
// control forbids are refused in the real server's words. It counts what it is asked
// and fails on demand. It refuses to be a cluster: nothing runs in it.
package kubetest

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

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Options say what API server to start. The zero value is a current one that knows
// nobody.
type Options struct {
	// Minor is the version, 1.Minor; 0 is a current one. Old ones take passwords (up to
	// 18) and review nobody (up to 25).
	Minor int

	Tokens    map[string]User   // bearer tokens, and whose they are
	Passwords map[string]string // by user name, for old versions
	// Authenticate knows further tokens, such as those of an OpenID Connect issuer.
	// Nil knows none.
	Authenticate func(token string) (User, bool)

	ServiceAccounts []string // that exist, as NAMESPACE/NAME
	// MaxTokenLifetime is the most that TokenRequest grants; asked for more, it gives
	// that. 0 is no bound.
	MaxTokenLifetime time.Duration

	// Forbidden is what access control allows nobody, as "VERB RESOURCE", such as "create
	// serviceaccounts/token" or "approve signers". Everybody else may do everything;
	// anonymous requests may only ask for the version.
	Forbidden []string

	// Unsigned leaves certificate signing requests that are approved without a
	// certificate.
	Unsigned bool

	// ServerNames are the names in the server's certificate; nil is localhost.
	// 127.0.0.1 is in it unless there are any.
	ServerNames []string

	Now func() time.Time // nil is the process's clock
}

// User is somebody as authentication knows them.
type User struct {
	Name   string
	Groups []string // system:authenticated goes without saying
}

const currentMinor = 36

// Server is a running API server. It is safe for concurrent use.
type Server struct {
	options  Options
	ca       *faketest.Authority // signs the server's certificate
	clients  *faketest.Authority // signs client certificates
	accounts *issuer             // signs tokens of service accounts
	listener net.Listener
	http     *http.Server
	done     chan struct{}
	close    func() error
	journal  faketest.Journal[Request, Fault]
	signing  signing
	vault    vault

	mu      sync.Mutex
	revoked map[string]bool // tokens that are not good any more
}

// Start is New for a test, which fails if it cannot start and stops it when it ends.
func Start(t faketest.TB, options Options) *Server {
	t.Helper()
	return faketest.Started(t, func() (*Server, error) { return New(options) })
}

// New starts an API server on a free port of 127.0.0.1. Close stops it.
func New(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = proc.Real().Now
	}
	if options.Minor == 0 {
		options.Minor = currentMinor
	}
	if options.ServerNames == nil {
		options.ServerNames = []string{"localhost", "127.0.0.1"}
	}
	s := &Server{options: options, done: make(chan struct{}), revoked: map[string]bool{}}
	s.signing.requests = map[string]*signingRequest{}
	s.close = sync.OnceValue(s.stop)
	var err error
	if s.ca, err = faketest.NewAuthority("kubetest", options.Now()); err != nil {
		return nil, err
	}
	if s.clients, err = faketest.NewAuthority("kubetest clients", options.Now()); err != nil {
		return nil, err
	}
	if s.accounts, err = newIssuer(); err != nil {
		return nil, err
	}
	certificate, err := s.ca.ForServer(options.ServerNames...)
	if err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.serve(certificate)
	return s, nil
}

func (s *Server) serve(certificate tls.Certificate) {
	s.http = &http.Server{
		Handler:           s.recorded(s.routes()),
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			ClientAuth:   tls.RequestClientCert, // verified by authentication, as the real one does
			ClientCAs:    s.clients.Pool(),
			MinVersion:   tls.VersionTLS12,
		},
	}
	go func() { _ = s.http.ServeTLS(s.listener, "", "") }()
}

// Close stops the server, and hangs up on whoever waits for it. It may be called more
// than once.
func (s *Server) Close() error { return s.close() }

func (s *Server) stop() error {
	close(s.done)
	err := s.http.Close()
	if errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// URL is the server's address: https://127.0.0.1:PORT.
func (s *Server) URL() string { return "https://" + s.listener.Addr().String() }

// CertificateAuthority is the certificate of the authority that signed the server's,
// in PEM.
func (s *Server) CertificateAuthority() string { return s.ca.PEM() }

// ClientAuthority is the certificate of the authority that the server trusts to sign
// client certificates, in PEM.
func (s *Server) ClientAuthority() string { return s.clients.PEM() }

// Revoke makes a token worthless from now on, whoever issued it.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked[token] = true
}

func (s *Server) isRevoked(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked[token]
}
