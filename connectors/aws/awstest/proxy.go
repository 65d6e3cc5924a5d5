package awstest

import "net/http"

// ProxyURL is the address of an HTTP proxy, for HTTPS_PROXY and HTTP_PROXY. It answers for
// every host of AWS's, with a certificate that CertificateAuthority has signed, and for
// those of Route. Whatever else is asked of it gets 502.
func (s *Server) ProxyURL() string { return s.proxy.URL() }

// CertificateAuthority is the certificate, PEM, of the authority that signs the
// certificates of the hosts that ProxyURL answers for.
func (s *Server) CertificateAuthority() string { return s.proxy.CertificateAuthority() }

// Route makes a handler answer for a host, in place of AWS where it is one of AWS's: a
// registry as 123456789012.dkr.ecr.eu-central-1.amazonaws.com, for one. The host has no
// port; the handler answers for all of them, with TLS and without.
func (s *Server) Route(host string, handler http.Handler) { s.proxy.Route(host, handler) }

// atHost is what answers for a host; nil is nothing.
func (s *Server) atHost(host string) http.Handler {
	if _, ours := parseHost(host); ours {
		return http.HandlerFunc(s.answerAWS)
	}
	return nil
}
