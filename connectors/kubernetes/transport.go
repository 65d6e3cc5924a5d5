package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// endpointTransport is the host's way of talking HTTP as an endpoint wants it: its
// idea of whom to trust takes the place of the system's, as in a kubeconfig, and its
// proxy that of the environment's.
func endpointTransport(base http.RoundTripper, endpoint connector.KubernetesEndpoint) (*http.Transport, error) {
	transport, err := trusting(base, endpoint.CertificateAuthority, endpoint.Insecure)
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig.ServerName = endpoint.TLSServerName
	if endpoint.ProxyURL != "" {
		proxy, err := url.Parse(endpoint.ProxyURL)
		if err != nil {
			return nil, fault.New(fault.Invalid, "field %s is not a URL", proxyURL.Name)
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	return transport, nil
}

// trusting returns a copy of a transport that trusts the certificates given, and no
// others; anyone if so told; those of the system if neither.
func trusting(base http.RoundTripper, certificates string, anyone bool) (*http.Transport, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	original, ok := base.(*http.Transport)
	if !ok {
		return nil, fault.New(fault.Failed, "the settings for TLS cannot be honoured by this way of talking HTTP (%T)", base)
	}
	transport := original.Clone()
	transport.OnProxyConnectResponse = proxyAnswered
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport.TLSClientConfig.InsecureSkipVerify = anyone //nolint:gosec // what the field insecure says
	if certificates != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(certificates))
		transport.TLSClientConfig.RootCAs = pool
	}
	return transport, nil
}

// proxyAnswered says what a proxy said that does not let us through. Its address is
// all that is repeated: the rest of its URL may be a password.
func proxyAnswered(_ context.Context, proxy *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return fault.New(fault.Unavailable, "the proxy %s does not let us through: %s", proxy.Host, oneLine(response.Status)).
		Hint("check proxy_url, or the proxy in svcconn's environment (HTTPS_PROXY, NO_PROXY)")
}

// pause waits, or returns why ctx is done before that.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
