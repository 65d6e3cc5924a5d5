package docker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// canonicalCertificates reads certificates as PEM, or as base64 of PEM, and returns
// them as PEM with nothing else around them.
func canonicalCertificates(text string) (string, error) {
	rest := []byte(text)
	if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		rest = raw
	}
	var out strings.Builder
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		if err := checkCertificate(block); err != nil {
			return "", err
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
		rest = after
	}
	if out.Len() == 0 {
		return "", fault.New(fault.Invalid, "there is no certificate in it").
			Hint("give a file of certificates in PEM format: --set certificate_authority=@ca.pem")
	}
	return strings.TrimSpace(out.String()), nil
}

func checkCertificate(block *pem.Block) error {
	if block.Type != "CERTIFICATE" {
		return fault.New(fault.Invalid, "it has a %s, which is no certificate", block.Type).
			Hint("give the certificates alone: this field is not a secret and is stored in plain text")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return fault.New(fault.Invalid, "one of its certificates is malformed: %w", err)
	}
	return nil
}

// trusting returns the transport with the connector's own idea of whom to trust.
func trusting(base http.RoundTripper, certificates string, anyone bool) (http.RoundTripper, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	if certificates == "" && !anyone {
		return base, nil
	}
	transport, ok := base.(*http.Transport)
	if !ok {
		return nil, fault.New(fault.Failed, "certificate_authority and insecure cannot be honoured by this way of talking HTTP (%T)", base)
	}
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{}
	}
	transport.TLSClientConfig.InsecureSkipVerify = anyone //nolint:gosec // what the field insecure says
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
