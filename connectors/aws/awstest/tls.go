package awstest

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// authority signs the certificates of the hosts that the proxy answers for.
type authority struct {
	*faketest.Authority

	mu    sync.Mutex
	hosts map[string]*tls.Certificate
}

func newAuthority(now time.Time) (*authority, error) {
	ca, err := faketest.NewAuthority("awstest", now)
	return &authority{Authority: ca, hosts: map[string]*tls.Certificate{}}, err
}

// forHost is the certificate of a host name or address, made at first use.
func (a *authority) forHost(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.hosts[host]; known != nil {
		return known, nil
	}
	made, err := a.ForServer(host)
	if err != nil {
		return nil, err
	}
	a.hosts[host] = &made
	return &made, nil
}

// CertificateAuthority is the certificate, PEM, of the authority that signs the
// certificates of the hosts that ProxyURL answers for.
func (s *Server) CertificateAuthority() string { return s.ca.PEM() }
