package gcp

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

const (
	// patience bounds one call, further attempts included, whose caller sets no deadline.
	patience = 30 * time.Second
	// maxBody bounds an answer, in MiB. The longest are lists of clusters, each of which
	// comes with all that there is to say of it.
	maxBody = 8
)

// transportFor is the host's way of talking HTTP, with the connector's own idea of whom
// to trust, bounds for answers, and further attempts at what failed in passing.
func transportFor(host connector.Host, values field.Values) (http.RoundTripper, error) {
	inner, err := advice.Lasting(host.HTTP, authorityField.Get(values))
	if err != nil {
		return nil, err
	}
	return repeating(outgoing{inner, hop.WithoutProxy(inner)}, host.Now), nil
}

// withoutProxy is a transport of transportFor's that goes through no proxy.
func withoutProxy(transport http.RoundTripper) http.RoundTripper {
	again, _ := transport.(hop.Again)
	if o, ok := again.Inner.(outgoing); ok {
		again.Inner = outgoing{o.direct, o.direct}
		return again
	}
	return transport
}

// outgoing is the last one to see a request and the first one to see its answer. It takes
// out what the libraries say of this machine, and reads answers to their end: one that
// breaks off is a connection that broke. Plain HTTP is for this machine and for metadata
// servers alone, however their names are written (LOCALHOST, [::1%lo]): it goes directly.
type outgoing struct{ inner, direct http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "svcconn")
	r.Header.Del("X-Goog-Api-Client")
	way := o.inner
	if r.URL.Scheme == "http" {
		way = o.direct
	}
	response, err := way.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	inner := advice.Bounded(response.Body, maxBody)
	body, err := io.ReadAll(inner)
	_ = inner.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
