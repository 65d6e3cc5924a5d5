package docker

import (
	"crypto/x509"
	"net/http"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// canonicalCertificates reads certificates as PEM, or as base64 of PEM, and returns
// them as PEM with nothing else around them.
func canonicalCertificates(text string) (string, error) {
	canonical, err := hop.Certificates(text)
	return canonical, fault.WithHint(err, "give a file of certificates in PEM format: --set certificate_authority=@ca.pem")
}

// trusting returns the transport with the connector's own idea of whom to trust.
func trusting(base http.RoundTripper, certificates string, anyone bool) (http.RoundTripper, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	if certificates == "" && !anyone {
		return base, nil
	}
	transport, err := hop.Transport(base)
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig.InsecureSkipVerify = anyone // what the field insecure says
	if certificates != "" {
		pool := trusted(transport.TLSClientConfig.RootCAs)
		pool.AppendCertsFromPEM([]byte(certificates))
		transport.TLSClientConfig.RootCAs = pool
	}
	return transport, nil
}

// trusted returns a copy of the pool; nil is the system's.
func trusted(pool *x509.CertPool) *x509.CertPool {
	if pool != nil {
		return pool.Clone()
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // a system without any: only the connector's own are left
		return x509.NewCertPool()
	}
	return pool
}
