package docker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/svcconn/svcconn/pkg/fault"
)

// hop is a service on the way to a login, as errors name it: "registry ghcr.io".
type hop string

// Bounds of what is read and repeated of a service's words.
const (
	maxBody  = 64 << 10
	maxWords = 300
)

// silent is the error for a service that gave no answer.
func (h hop) silent(ctx context.Context, err error) error {
	var own *fault.Error
	if errors.As(err, &own) { // of our guards
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
		return fault.New(fault.Unavailable, "%s did not answer in time", h).Hint("try again; if it stays away, check host, port, network and proxy")
	case untrusted(err):
		return h.untrusted(err)
	case plain(err):
		return fault.New(fault.Invalid, "%s does not speak TLS: %w", h, err).
			Hint("check its port; where it is meant to speak plain HTTP, --set insecure=true allows that, and anyone on the way can then read the password")
	case unreachable(err):
		return fault.New(fault.Unavailable, "%s cannot be reached: %w", h, err).Hint("check host, port, network and proxy")
	}
	return fault.New(fault.Failed, "%s gave no usable answer: %w", h, err).Hint("check host and port, and the proxy if there is one")
}

func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
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
		return fail.Hint("register the registry under a name that its certificate has")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail.Hint("check this machine's clock; if it is right, the registry needs a new certificate")
	}
	return fail.Hint("if it is signed by a certificate authority of your own, give that one's certificate: --set certificate_authority=@ca.pem\n" +
		"--set insecure=true trusts any certificate, and whoever is on the way can then read the password")
}

// refused is the error for a service that answered, but not with what was asked for.
// words are its own.
func (h hop) refused(status int, header http.Header, words string) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.New(fault.Denied, "%s refuses: %s", h, words)
	case status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "%s is being asked too often: %s", h, words).Hint("try again %s", later(header))
	case status >= http.StatusInternalServerError:
		return fault.New(fault.Unavailable, "%s is out of order: %s", h, words).Hint("try again %s", later(header))
	}
	return fault.New(fault.Failed, "%s gave an answer that makes no sense here: %s", h, words)
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

// wordsOf returns what a response says of its refusal, on one line: its status, and
// the message in whichever of the usual formats it has one.
func wordsOf(response *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxBody)) // what arrived says enough
	return withStatus(response.StatusCode, said(body))
}

func withStatus(status int, words string) string {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if words = oneLine(words); words != "" {
		text += ": " + words
	}
	return text
}

// said finds the message in an error body: the distribution specification's errors,
// OAuth2's error and error_description, or what Docker Hub and others have.
func said(body []byte) string {
	var message struct {
		Errors      []transport.Diagnostic `json:"errors"`
		Error       any                    `json:"error"`
		Description any                    `json:"error_description"`
		Details     any                    `json:"details"`
		Message     any                    `json:"message"`
	}
	_ = json.Unmarshal(body, &message) // a part that is of another shape says nothing
	var words []string
	if len(message.Errors) > 0 {
		words = append(words, diagnosed(message.Errors))
	}
	for _, part := range []any{message.Error, message.Description, message.Details, message.Message} {
		if text, ok := part.(string); ok && text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, ": ")
}

func diagnosed(errors []transport.Diagnostic) string {
	var words []string
	for _, e := range errors {
		words = append(words, strings.Trim(fmt.Sprintf("%s: %s", e.Code, e.Message), ": "))
	}
	return strings.Join(words, "; ")
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
