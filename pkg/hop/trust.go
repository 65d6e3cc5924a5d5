package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Transport returns a copy of a way of talking HTTP, nil being http.DefaultTransport,
// whose settings for TLS are there and can be changed.
func Transport(base http.RoundTripper) (*http.Transport, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	original, ok := base.(*http.Transport)
	if !ok {
		return nil, fault.New(fault.Failed, "the settings for TLS cannot be honoured by this way of talking HTTP (%T)", base)
	}
	transport := original.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

// ProxyAnswered is an http.Transport's OnProxyConnectResponse that says what a proxy
// said that does not let us through. Its address is all that is repeated: the rest of
// its URL may be a password.
func (a *Advice) ProxyAnswered(_ context.Context, proxy *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return fault.New(fault.Unavailable, "the proxy %s does not let us through: %s", proxy.Host, OneLine(response.Status)).Hint("%s", a.Proxy)
}

// Pool has the certificates of a PEM text, and no others.
func Pool(certificates string) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certificates))
	return pool
}

// Certificates reads certificates as PEM, or as base64 of PEM, and returns them as PEM
// with nothing else around them. That there is none is an error without a hint: the
// caller knows what the field is called.
func Certificates(text string) (string, error) {
	var out strings.Builder
	for block, rest := pem.Decode(Unwrapped(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return "", fault.New(fault.Invalid, "it has a %s, which is no certificate", OneLine(block.Type)).
				Hint("give the certificates alone: this field is not a secret and is stored in plain text")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", fault.New(fault.Invalid, "one of its certificates is malformed: %w", err)
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	if out.Len() == 0 {
		return "", fault.New(fault.Invalid, "there is no certificate in it")
	}
	return strings.TrimSpace(out.String()), nil
}

// Unwrapped undoes the base64 that is put around PEM here and there, where there is any.
func Unwrapped(text string) []byte {
	if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		return raw
	}
	return []byte(text)
}
