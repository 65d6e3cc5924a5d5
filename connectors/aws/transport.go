package aws

import (
	"io"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

const (
	// patience bounds one request whose caller sets no deadline.
	patience = 30 * time.Second
	// idle is how long a connection stays open for the next call of the same session.
	idle = 5 * time.Second
	// connections is how many of them stay open for one service: listings ask for the
	// regions at the same time.
	connections = 16
	// maxBody bounds an answer, in bytes. The longest are pages of a thousand buckets or
	// repositories.
	maxBody = 8 << 20
)

// transportFor is the host's way of talking HTTP, with the connector's own idea of whom
// to trust: as with AWS_CA_BUNDLE, it takes the place of the system's.
func transportFor(host connector.Host, values field.Values) (http.RoundTripper, error) {
	base, certificates := host.HTTP, authorityField.Get(values)
	if base == nil {
		base = http.DefaultTransport
	}
	if _, ok := base.(*http.Transport); !ok && certificates == "" {
		return outgoing{base}, nil
	}
	transport, err := hop.Transport(base)
	if err != nil {
		return nil, err
	}
	transport.DisableKeepAlives, transport.IdleConnTimeout, transport.MaxIdleConnsPerHost = false, idle, connections
	transport.OnProxyConnectResponse = advice.ProxyAnswered
	if certificates != "" {
		transport.TLSClientConfig.RootCAs = hop.Pool(certificates)
	}
	return outgoing{transport}, nil
}

// withoutProxy is a transport of transportFor's that goes through no proxy.
func withoutProxy(transport http.RoundTripper) http.RoundTripper {
	o, _ := transport.(outgoing)
	inner, ok := o.inner.(*http.Transport)
	if !ok {
		return transport
	}
	inner = inner.Clone()
	inner.Proxy = nil
	return outgoing{inner}
}

// outgoing is the last one to see a request and the first one to see its answer. It
// takes out what the SDK found in the environment, and bounds answers.
type outgoing struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper. None of the headers is signed.
func (o outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "svcconn")
	r.Header.Del("X-Amzn-Trace-Id") // _X_AMZN_TRACE_ID
	if r.Body != nil {
		// The SDK closes the body once there is an answer. Its WriteTo then fails with
		// io.EOF, for which net/http closes the connection under the answer that is being
		// read. Its Read just ends.
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	response, err := o.inner.RoundTrip(r)
	if err == nil {
		response.Body = &bounded{inner: response.Body, left: maxBody}
	}
	return response, err
}

// bounded is a body that may not be longer than it is expected to be.
type bounded struct {
	inner io.ReadCloser
	left  int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.inner.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fault.New(fault.Failed, "it gave an answer of more than %d MiB", maxBody>>20).Hint("check endpoint_url, and the proxy if there is one")
	}
	return n, err
}

// Close implements io.Closer.
func (b *bounded) Close() error { return b.inner.Close() }
