package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
)

// hop is a service on the way to a credential, as errors name it: "API server
// https://kube.example.com".
type hop string

// maxWords bounds what is repeated of a service's words, in bytes.
const maxWords = 300

// silent is the error for a service that gave no answer.
func (h hop) silent(ctx context.Context, err error) error {
	var own *fault.Error
	if errors.As(err, &own) { // of proxyAnswered
		return fault.Within(own, "%s", h)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its URL repeats what the hop says
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled):
		return fault.New(fault.Interrupted, "%s: %w", h, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return fault.New(fault.Unavailable, "%s did not answer in time", h).Hint("try again; if it stays away, check its address, the network and the proxy")
	case atProxy(err):
		return fault.New(fault.Unavailable, "%s cannot be reached through the proxy: %w", h, err).
			Hint("check proxy_url, or the proxy in svcconn's environment (HTTPS_PROXY, NO_PROXY)")
	}
	return h.broken(err)
}

// broken is the error for an attempt to talk that failed on the way.
func (h hop) broken(err error) error {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.As(err, &verification):
		return h.untrusted(err)
	case plain(err):
		return fault.New(fault.Invalid, "%s does not speak TLS: %w", h, err).Hint("check its port")
	case errors.As(err, &alert):
		return fault.New(fault.Denied, "%s breaks the TLS handshake off: %w", h, err).
			Hint("if it refuses the client certificate, give the one that belongs to this cluster; else check tls_server_name")
	case unreachable(err):
		return fault.New(fault.Unavailable, "%s cannot be reached: %w", h, err).Hint("check its address, the network and the proxy")
	}
	return fault.New(fault.Failed, "%s gave no usable answer: %w", h, err).Hint("check its address, and the proxy if there is one")
}

func atProxy(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && (failed.Op == "proxyconnect" || failed.Op == "socks connect")
}

// plain reports whether a TLS handshake was answered with something else.
func plain(err error) bool {
	var header tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &header)
}

func unreachable(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (h hop) untrusted(err error) error {
	fail := fault.New(fault.Failed, "the certificate of %s is not trusted: %w", h, err)
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return fail.Hint("use an address that its certificate has, or say which name it has: --set tls_server_name=NAME")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail.Hint("check this machine's clock; if it is right, the server needs a new certificate")
	}
	return fail.Hint("give the certificate of the authority that signed it: --set certificate_authority=@ca.pem\n" +
		"--set insecure=true trusts any certificate, and whoever is on the way can then take the credentials")
}

// later says when a service wants to be asked again.
func later(header http.Header) string {
	after := header.Get("Retry-After")
	switch {
	case after == "":
		return "later"
	case strings.Trim(after, "0123456789") == "":
		return "in " + after + " seconds"
	}
	return "after " + oneLine(after)
}

// oneLine makes a service's text fit to be printed: no line breaks, no control
// characters for a terminal to obey, no more than it takes.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + " …"
	}
	return text
}
