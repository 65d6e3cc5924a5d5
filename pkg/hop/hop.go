// Package hop has the errors about a service on the way to a credential, and how such
// a service is talked to, as far as that is the same for all connector types: what it
// means that no answer came, how much of an answer is repeated, when to come again, whom
// to trust.
//
// It refuses to know any service. The next step that a hint names depends on the fields
// of a connector type, which gives it as Advice; statuses and error bodies mean
// something else with each protocol, and stay with the connector types.
package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Hop is a service on the way to a credential.
type Hop struct {
	Name   string // as errors have it: "registry ghcr.io", "API server https://kube.example.com"
	Advice *Advice
}

// Advice is what a person can do about a service that gives no answer: a hint for each
// way to fail. A way without a hint is told like the one that it is a case of.
type Advice struct {
	Late        string // it did not answer in time
	Unreachable string // nobody listens, or the connection broke
	Proxy       string // the proxy does not let us through; a case of Unreachable
	Plain       string // a TLS handshake was answered with something else
	Alert       string // it breaks the TLS handshake off; a case of Unreachable
	WrongName   string // its certificate has another name
	Expired     string // its certificate has expired, or is of the future
	Untrusted   string // nobody whom we trust signed its certificate
	Unusable    string // anything else
}

// At is a service that gave no answer. Which address was asked says more than its name,
// and an error of an http.Client tells.
func At(name string, advice *Advice, err error) Hop {
	var at *url.Error
	if errors.As(err, &at) {
		if u, parseErr := url.Parse(at.URL); parseErr == nil && u.Host != "" {
			name += " at " + u.Host
		}
	}
	return Hop{Name: name, Advice: advice}
}

// String is the name.
func (h Hop) String() string { return h.Name }

// Silent is the error for a service that gave no answer: err is of an http.Client or a
// http.RoundTripper, ctx that of the request. A fault in it, of a guard of the
// connector's own, is kept.
func (h Hop) Silent(ctx context.Context, err error) error {
	var own *fault.Error
	if errors.As(err, &own) {
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
		return fault.New(fault.Unavailable, "%s did not answer in time", h).Hint("%s", h.Advice.Late)
	}
	return h.broken(err)
}

// broken is the error for an attempt to talk that failed on the way.
func (h Hop) broken(err error) error {
	var alert tls.AlertError
	switch {
	case h.Advice.Proxy != "" && atProxy(err):
		return fault.New(fault.Unavailable, "%s cannot be reached through the proxy: %w", h, err).Hint("%s", h.Advice.Proxy)
	case Untrusted(err):
		return h.untrusted(err)
	case Plain(err):
		return fault.New(fault.Invalid, "%s does not speak TLS: %w", h, err).Hint("%s", h.Advice.Plain)
	case h.Advice.Alert != "" && errors.As(err, &alert):
		return fault.New(fault.Denied, "%s breaks the TLS handshake off: %w", h, err).Hint("%s", h.Advice.Alert)
	case Unreachable(err):
		return fault.New(fault.Unavailable, "%s cannot be reached: %w", h, err).Hint("%s", h.Advice.Unreachable)
	}
	return fault.New(fault.Failed, "%s gave no usable answer: %w", h, err).Hint("%s", h.Advice.Unusable)
}

func (h Hop) untrusted(err error) error {
	fail := fault.New(fault.Failed, "the certificate of %s is not trusted: %w", h, err)
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return fail.Hint("%s", h.Advice.WrongName)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail.Hint("%s", h.Advice.Expired)
	}
	return fail.Hint("%s", h.Advice.Untrusted)
}

func atProxy(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && (failed.Op == "proxyconnect" || failed.Op == "socks connect")
}

// Untrusted reports whether a TLS handshake failed for a certificate of the server's.
func Untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
}

// Plain reports whether a TLS handshake was answered with something else.
func Plain(err error) bool {
	var header tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &header)
}

// Unreachable reports whether no connection came about, or one that broke.
func Unreachable(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
