package aws

import (
	"io"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

const (
	// patience bounds one request whose caller sets no deadline.
	patience = 30 * time.Second
	// maxBody bounds an answer, in MiB. The longest are pages of a thousand buckets or
	// repositories.
	maxBody = 8
)

// transportFor is the host's way of talking HTTP, with the connector's own idea of whom
// to trust: as with AWS_CA_BUNDLE, it takes the place of the system's.
func transportFor(host connector.Host, values field.Values) (http.RoundTripper, error) {
	transport, err := advice.Lasting(host.HTTP, authorityField.Get(values))
	if err != nil {
		return nil, err
	}
	return outgoing{transport}, nil
}

// withoutProxy is a transport of transportFor's that goes through no proxy.
func withoutProxy(transport http.RoundTripper) http.RoundTripper {
	if o, ok := transport.(outgoing); ok {
		return outgoing{hop.WithoutProxy(o.inner)}
	}
	return transport
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
		response.Body = advice.Bounded(response.Body, maxBody)
	}
	return response, err
}
