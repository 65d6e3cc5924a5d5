// Package oidctest is an OpenID Connect issuer inside the calling process, for tests
// and for the demonstration: discovery, keys, the authorization endpoint, the token
// endpoint and the device endpoint, over TLS with a certificate authority of its own
// or over plain HTTP. Its tokens are real JSON web tokens: a real kube-apiserver takes
// them.
//
// It is strict, since a fake that accepts anything proves nothing: unknown clients,
// missing or wrong PKCE verifiers, codes that are used twice, foreign redirects,
// refresh tokens that were spent and polls that come too early are refused, in the
// protocol's own words. It counts what it is asked. It refuses to be an issuer for
// real use: whoever opens the page for logging in is logged in.
package oidctest

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Options say what issuer to start.
type Options struct {
	Clients map[string]Client // by client id; none is one public client named DefaultClient
	TLS     bool
	Addr    string // where to listen; "" is a free port of 127.0.0.1
	ES256   bool   // sign by ECDSA; RS256 otherwise
	// Behaviour is how it behaves at first; see Server.Behave.
	Behaviour Behaviour
	Now       func() time.Time // nil is the process's clock
}

// DefaultClient is the client that an issuer knows when it is told of none.
const DefaultClient = "kubernetes"

// Client is a program that may send people here.
type Client struct {
	Secret string // "" is a public client
	Post   bool   // takes its secret in the form alone; HTTP basic authentication otherwise
}

// Endpoint is a part of the issuer.
type Endpoint string

// The endpoints.
const (
	Discovery           Endpoint = "/.well-known/openid-configuration"
	Keys                Endpoint = "/keys"
	Authorization       Endpoint = "/authorize"
	Token               Endpoint = "/token"
	DeviceAuthorization Endpoint = "/device_authorization"
	DevicePage          Endpoint = "/device"
)

// Server is a running issuer. It is safe for concurrent use.
type Server struct {
	clients map[string]Client
	now     func() time.Time
	signer  signer
	http    *httptest.Server

	mu        sync.Mutex
	behaviour Behaviour
	counts    map[Endpoint]int
	codes     map[string]grant
	refresh   map[string]*family
	devices   map[string]*device
	issued    map[string]map[string]any // ID tokens and their claims
}

// Start is New for a test, which fails if it cannot start and stops it when it ends.
func Start(t faketest.TB, options Options) *Server {
	t.Helper()
	return faketest.Started(t, func() (*Server, error) { return New(options) })
}

// New starts an issuer. Close stops it.
func New(options Options) (*Server, error) {
	s := &Server{
		clients: options.Clients, now: options.Now, behaviour: options.Behaviour,
		counts: map[Endpoint]int{}, codes: map[string]grant{}, refresh: map[string]*family{}, devices: map[string]*device{},
		issued: map[string]map[string]any{},
	}
	if s.clients == nil {
		s.clients = map[string]Client{DefaultClient: {}}
	}
	if s.now == nil {
		s.now = proc.Real().Now
	}
	var err error
	if s.signer, err = newSigner(options.ES256); err != nil {
		return nil, err
	}
	s.http = httptest.NewUnstartedServer(s.handler())
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	if options.Addr != "" {
		listener, err := net.Listen("tcp", options.Addr)
		if err != nil {
			return nil, err
		}
		_ = s.http.Listener.Close()
		s.http.Listener = listener
	}
	if options.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s, nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for endpoint, handle := range map[Endpoint]http.HandlerFunc{
		Discovery: s.discovery, Keys: s.keys, Authorization: s.authorize,
		Token: s.token, DeviceAuthorization: s.deviceAuthorize, DevicePage: s.devicePage,
	} {
		mux.HandleFunc(string(endpoint), func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.counts[endpoint]++
			if s.behaviour.Down {
				http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
				return
			}
			handle(w, r)
		})
	}
	return mux
}

// Close stops the issuer. Further calls do nothing.
func (s *Server) Close() error {
	s.http.Close()
	return nil
}

// URL is the issuer's name and address.
func (s *Server) URL() string { return s.http.URL }

// CertificateAuthority is, as PEM, whom clients have to trust; "" without TLS. The
// certificate is valid for 127.0.0.1 and [::1].
func (s *Server) CertificateAuthority() string {
	if s.http.TLS == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw}))
}

// InProcess answers requests for the issuer without a network, which a test with a
// clock of its own (testing/synctest) cannot wait for.
func (s *Server) InProcess() http.RoundTripper { return inProcess{s.handler()} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	inner := r.Clone(r.Context())
	inner.RequestURI = r.URL.RequestURI()
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	p.handler.ServeHTTP(w, inner)
	response := w.Result()
	response.Request = r
	return response, nil
}

// Count is how often an endpoint was asked.
func (s *Server) Count(endpoint Endpoint) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[endpoint]
}

// Behave changes how the issuer behaves from now on.
func (s *Server) Behave(change func(*Behaviour)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behaviour)
}

// RefreshToken is what a client has after a person logged in.
func (s *Server) RefreshToken(client string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newRefreshToken(&family{grant: grant{client: client}})
}

// Knows returns the claims of an ID token that is good, as an API server makes sure of
// that trusts the issuer.
func (s *Server) Knows(token string) (claims map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, ok = s.issued[token]
	ends, _ := claims["exp"].(int64)
	return claims, ok && s.now().Unix() < ends
}

// Revoke makes all refresh tokens invalid, as an administrator does who ends all
// sessions of a user.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refresh)
}
