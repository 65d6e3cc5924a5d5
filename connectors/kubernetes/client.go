package kubernetes

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/hop"
)

// client reaches the API server of one cluster. It is safe for concurrent use and
// knows no login: see as.
type client struct {
	host     connector.Host
	endpoint connector.KubernetesEndpoint
	base     *http.Transport // of the endpoint; copies of it present certificates
	pause    func(context.Context, time.Duration) error
}

func newClient(host connector.Host, endpoint connector.KubernetesEndpoint) (*client, error) {
	base, err := endpointTransport(host.HTTP, endpoint)
	if err != nil {
		return nil, err
	}
	return &client{host: host, endpoint: endpoint, base: base, pause: hop.Pause}, nil
}

func (c *client) hop() hop.Hop { return service("API server " + c.endpoint.Server) }

// now is the time as the machine has it.
func (c *client) now() time.Time { return c.host.Now() }

// api is a client with a login. Whoever got it closes it.
type api struct {
	*client
	proof proof
	http  *http.Client
}

// as logs a client in. Nobody is asked yet.
//
// A certificate is presented whatever authorities the server asks for: one that it
// does not know is then refused in so many words, rather than left out, which would
// make us anonymous.
func (c *client) as(p proof) (*api, error) {
	transport := c.base.Clone()
	transport.DisableKeepAlives = false // close lets the connections go
	if p.certificate != "" {
		pair, err := keyPair(p.certificate, p.key)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return &api{client: c, proof: p, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// close lets the connections go.
func (a *api) close() { a.http.CloseIdleConnections() }
