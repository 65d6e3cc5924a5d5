package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

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

const (
	// idle is how long a connection stays open for the next call of the same session.
	idle = 5 * time.Second
	// connections is how many of them stay open for one service: listings ask for all
	// regions at the same time.
	connections = 16
)

// Lasting is a way of talking HTTP whose connections stay open for the next call of a
// session, and whose proxy says why it does not let us through. Certificates, as PEM, take
// the place of the system's; "" leaves those. A way of talking that is none of package
// http's is returned as it is, where there are no certificates to honour.
func (a *Advice) Lasting(base http.RoundTripper, certificates string) (http.RoundTripper, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	if _, ok := base.(*http.Transport); !ok && certificates == "" {
		return base, nil
	}
	transport, err := Transport(base)
	if err != nil {
		return nil, err
	}
	transport.DisableKeepAlives, transport.IdleConnTimeout, transport.MaxIdleConnsPerHost = false, idle, connections
	transport.OnProxyConnectResponse = a.ProxyAnswered
	if certificates != "" {
		transport.TLSClientConfig.RootCAs = Pool(certificates)
	}
	return transport, nil
}

// WithoutProxy is a way of talking HTTP that goes through no proxy, where it is one of
// package http's.
func WithoutProxy(base http.RoundTripper) http.RoundTripper {
	original, ok := base.(*http.Transport)
	if !ok {
		return base
	}
	transport := original.Clone()
	transport.Proxy = nil
	return transport
}

// Bounded is the body of an answer that may not be longer than so many MiB: to read on is
// an error.
func (a *Advice) Bounded(body io.ReadCloser, mebibytes int) io.ReadCloser {
	return &bounded{ReadCloser: body, advice: a, most: mebibytes, left: mebibytes << 20}
}

type bounded struct {
	io.ReadCloser
	advice     *Advice
	most, left int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fault.New(fault.Failed, "it gave an answer of more than %d MiB", b.most).Hint("%s", b.advice.Unusable)
	}
	return n, err
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
