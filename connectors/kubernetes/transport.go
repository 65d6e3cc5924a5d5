package kubernetes

import (
	"net/http"
	"net/url"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
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
	transport, err := hop.Transport(base)
	if err != nil {
		return nil, err
	}
	transport.OnProxyConnectResponse = advice.ProxyAnswered
	transport.TLSClientConfig.InsecureSkipVerify = anyone // what the field insecure says
	if certificates != "" {
		transport.TLSClientConfig.RootCAs = hop.Pool(certificates)
	}
	return transport, nil
}
