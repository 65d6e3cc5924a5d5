// Package awstest is Amazon Web Services inside the calling process, for tests and for
// the demonstration: STS, ECR, ECR Public, EKS, S3, IAM Identity Center and the metadata
// services, as one HTTP server, with a proxy that answers for AWS's own host names. The
// AWS CLI and the SDKs are its clients as they are.
//
// It is strict, since a fake that accepts anything proves nothing. Signatures are
// recomputed by code of its own, from the documentation; keys end, and can be revoked;
// identity and session policies are evaluated at every call; bounds and formats of names
// are enforced; what is refused is refused in AWS's words and in the format of the
// service's protocol. It writes down what it is asked, is slow, throttles and has a wrong
// clock on demand. It refuses to be a cloud: nothing runs in it and nothing survives it.
package awstest

import (
	"context"
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

// Options say what AWS to start. The zero value is one with the process's clock and pages
// of two.
type Options struct {
	Now      func() time.Time // nil is the process's clock
	PageSize int              // the most that a page of a list has; 0 is 2
}

const defaultPageSize = 2

// Server is a running AWS. It is safe for concurrent use.
type Server struct {
	options Options
	service map[string]*service // by name; never changes
	order   []*service          // the order in which unsigned requests are offered
	ca      *authority
	issuer  *issuer
	plain   net.Listener
	proxy   *proxy
	servers []*http.Server
	close   func() error
	journal journal
	unruly  unruly

	// mu guards the world: all that accounts, keys and the services' own state are. Every
	// operation runs with it held.
	mu       sync.Mutex
	accounts map[string]*Account
	keys     map[string]*accessKey // by access key id
	others   others
}

// Start is New for a test, which fails if it cannot start and stops it when it ends.
func Start(t faketest.TB, options Options) *Server {
	t.Helper()
	return faketest.Started(t, func() (*Server, error) { return New(options) })
}

// New starts an AWS without accounts on free ports of 127.0.0.1. Close stops it.
func New(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = proc.Real().Now
	}
	if options.PageSize == 0 {
		options.PageSize = defaultPageSize
	}
	s := &Server{options: options, accounts: map[string]*Account{}, keys: map[string]*accessKey{}, service: map[string]*service{}}
	s.close = sync.OnceValue(s.stop)
	s.order = s.services()
	for _, service := range s.order {
		s.service[service.name] = service
	}
	var err error
	if s.ca, err = newAuthority(options.Now()); err != nil {
		return nil, err
	}
	if s.issuer, err = newIssuer(); err != nil {
		return nil, err
	}
	if s.plain, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.serve(s.plain, http.HandlerFunc(s.answerAWS))
	if s.proxy, err = s.startProxy(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// serve answers at a listener until the server is closed.
func (s *Server) serve(at net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(at) }()
}

// URL is the address of all services, by plain HTTP: an endpoint_url.
func (s *Server) URL() string { return "http://" + s.plain.Addr().String() }

// Close stops the server: it takes no new requests, waits a moment for those under way,
// and cuts them off then. A second call does nothing.
func (s *Server) Close() error { return s.close() }

func (s *Server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var problems []error
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			problems = append(problems, server.Close())
		}
	}
	if s.proxy != nil {
		s.proxy.stop()
	}
	return errors.Join(problems...)
}

// now is the time by AWS's clock.
func (s *Server) now() time.Time { return s.options.Now().Add(s.unruly.skewed()) }
