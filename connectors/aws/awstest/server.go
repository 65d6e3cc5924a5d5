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
	"errors"
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
	issuer  *issuer
	listens faketest.Listening
	address string
	proxy   *faketest.Proxy
	journal faketest.Journal[Call, struct{}]
	temper  faketest.Temper

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
	s.order = s.services()
	for _, service := range s.order {
		s.service[service.name] = service
	}
	var err error
	if s.issuer, err = newIssuer(); err != nil {
		return nil, err
	}
	if s.address, err = s.listens.Listen(http.HandlerFunc(s.answerAWS)); err != nil {
		return nil, err
	}
	if s.proxy, err = faketest.StartProxy("awstest", options.Now(), s.atHost); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// URL is the address of all services, by plain HTTP: an endpoint_url.
func (s *Server) URL() string { return "http://" + s.address }

// Close stops the server: it takes no new requests, waits a moment for those under way,
// and cuts them off then. A second call does nothing.
func (s *Server) Close() error {
	err := s.listens.Close()
	if s.proxy != nil {
		err = errors.Join(err, s.proxy.Close())
	}
	return err
}

// now is the time by AWS's clock.
func (s *Server) now() time.Time { return s.options.Now().Add(s.temper.Skewed()) }
