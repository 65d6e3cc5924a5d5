package aws

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// advice is what a person can do about a service that gives no answer.
var advice = &hop.Advice{
	Late:        "try again; if it stays away, check region, endpoint_url, the network and the proxy",
	Unreachable: "check region, endpoint_url, the network and the proxy",
	Proxy:       "check the proxy in svcconn's environment (HTTPS_PROXY, NO_PROXY)",
	Plain:       "check the port of endpoint_url; where it is meant to speak plain HTTP, its scheme is http",
	WrongName:   "use an endpoint_url whose host its certificate has; a proxy that opens TLS connections can be the reason, too",
	Expired:     "check this machine's clock; if it is right, the endpoint needs a new certificate",
	Untrusted: "where the endpoint, or a proxy that opens TLS connections, has a certificate authority of its own, give that one's certificate: " +
		"--set ca_bundle=@ca.pem",
	Unusable: "check endpoint_url, and the proxy if there is one",
}

// answer is a service's refusal. It is in the chain of the error that failed makes of
// it, and takes the place of the SDK's own, whose message may repeat the request.
type answer struct {
	service string
	call    string // the operation, as AWS names it; "" where nobody said
	code    string // "AccessDenied"
	message string // the service's words, fit to be printed
	fault   smithy.ErrorFault
	status  int // of HTTP; 0 where there was none
	header  http.Header
	tries   int // how often the service was asked
}

var _ smithy.APIError = (*answer)(nil)

// Error implements error: code and message on one line.
func (a *answer) Error() string {
	switch {
	case a.code == unnamed: // an answer without a body
		return hop.Status(a.status, "")
	case a.message == "" || a.message == a.code:
		return a.code
	}
	return a.code + ": " + a.message
}

// ErrorCode implements smithy.APIError.
func (a *answer) ErrorCode() string { return a.code }

// ErrorMessage implements smithy.APIError.
func (a *answer) ErrorMessage() string { return a.message }

// ErrorFault implements smithy.APIError.
func (a *answer) ErrorFault() smithy.ErrorFault { return a.fault }

// unnamed is the SDK's code for an answer that has none.
const unnamed = "UnknownError"

// failed is the error for a call that did not succeed: what a person can do about it
// depends on the code of the service's answer, or on why there is none. service is what
// a person calls it; the words are the service's own, without what is secret in them.
func (c *clients) failed(ctx context.Context, service string, err error) error {
	var said smithy.APIError
	var responded *smithyhttp.ResponseError
	var unsent *smithyhttp.RequestSendError
	hasResponse := errors.As(err, &responded) && responded.HTTPStatusCode() != 0
	switch {
	case errors.As(err, &said):
		return c.refused(c.answer(service, err, said, responded))
	case errors.As(err, &unsent):
		return silent(ctx, service, unsent.Err)
	case isDone(ctx, err) || isOwn(err) || hop.Unreachable(err):
		return silent(ctx, service, err)
	case hasResponse:
		return foreign(service, responded.HTTPStatusCode(), responded.Response.Header)
	}
	return fault.New(fault.Invalid, "%s cannot be asked: %s", service, c.printable(withoutOperation(err).Error())).
		Hint("check region, partition, use_fips_endpoint and use_dualstack_endpoint: not every service is everywhere, in every way")
}

func isDone(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isOwn reports whether a guard of this package's has spoken.
func isOwn(err error) bool {
	var own *fault.Error
	return errors.As(err, &own)
}

// silent is the error for a service that gave no answer.
func silent(ctx context.Context, service string, err error) error {
	return hop.At(service, advice, err).Silent(ctx, err)
}

// foreign is the error for an answer that is not one of AWS's protocols.
func foreign(service string, status int, header http.Header) error {
	words := hop.Status(status, "")
	switch {
	case status >= http.StatusInternalServerError:
		return fault.New(fault.Unavailable, "%s is out of order: %s", service, words).Hint("try again %s", hop.Later(header))
	case status/100 == 3:
		return fault.New(fault.Invalid, "%s redirects elsewhere, where the keys do not belong: %s", service, words).
			Hint("check endpoint_url: give the address that it leads to, if that is the service's own")
	}
	return fault.New(fault.Invalid, "%s gave an answer that is not AWS's: %s", service, words).
		Hint("check endpoint_url, and the proxy if there is one: something else answers there")
}

// answer reads a refusal.
func (c *clients) answer(service string, err error, said smithy.APIError, responded *smithyhttp.ResponseError) *answer {
	a := &answer{
		service: service, code: hop.OneLine(said.ErrorCode()), message: c.printable(said.ErrorMessage()), fault: said.ErrorFault(),
		header: http.Header{}, tries: 1,
	}
	if responded != nil && responded.Response != nil && responded.Response.Response != nil {
		a.status, a.header = responded.HTTPStatusCode(), responded.Response.Header
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		a.call = operation.OperationName
	}
	var spent *retry.MaxAttemptsError
	if errors.As(err, &spent) {
		a.tries = spent.Attempt
	}
	return a
}

func withoutOperation(err error) error {
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}

// refused is the error for a refusal.
func (c *clients) refused(a *answer) error {
	if off, wrong := c.skew(a); wrong {
		return skewed(a, off)
	}
	m := a.meaning()
	if a.isBare() && slices.Contains([]meaning{invalidCall, noSuchThing, otherRegion}, m) {
		return foreign(a.service, a.status, a.header)
	}
	err := fault.New(m.kind, "%s %s: %w", a.service, strings.ReplaceAll(m.says, "CALL", a.subject()), a)
	if m.kind == fault.Unavailable {
		return err.Hint("try again %s", hop.Later(a.header))
	}
	return err.Hint("%s", m.hint)
}

// isBare reports whether AWS is not in the answer: neither a code nor words.
func (a *answer) isBare() bool {
	return a.code == unnamed && (a.message == "" || a.message == unnamed)
}

// subject is what was refused.
func (a *answer) subject() string {
	if a.call == "" {
		return "the request"
	}
	return a.call
}

// skew is how far this machine's clock is behind the service's. wrong says that this is
// why the service refuses.
// https://docs.aws.amazon.com/general/latest/gr/sigv4-troubleshooting.html
func (c *clients) skew(a *answer) (off time.Duration, wrong bool) {
	off = hop.Skew(a.header, c.now())
	return off, a.blamesClock() || a.has(signatureCodes) && off.Abs() > hop.SkewTolerated
}

// blamesClock reports whether the service says itself that the time is wrong.
func (a *answer) blamesClock() bool {
	return a.has(clockCodes) || slices.ContainsFunc(clockWords, a.says)
}

func skewed(a *answer, off time.Duration) error {
	return fault.New(fault.Denied, "%s refuses %s, since this machine's clock %s: %w", a.service, a.subject(), hop.ClockIs(off, "AWS's"), a).
		Hint("set this machine's clock: signatures are good for a few minutes")
}
