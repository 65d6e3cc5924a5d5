package gcp

import (
	"context"
	"net/http"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// answer is a service's refusal, in its own words.
type answer struct {
	api     api
	status  int // of HTTP
	header  http.Header
	code    string // "PERMISSION_DENIED", or OAuth's: "invalid_grant"
	message string // the service's words, as it said them
}

// answerOf reads a refusal: the errors of the APIs, or those of OAuth.
func answerOf(a api, response *http.Response, body []byte) *answer {
	return &answer{api: a, status: response.StatusCode, header: response.Header, message: string(body)}
}

// refused is the error for a refusal; shown are secrets that were sent.
func (c *clients) refused(a *answer, shown ...secret.Text) error {
	return fault.New(fault.Denied, "%s: %s", a.api.title, c.printable(a.message, shown...))
}

// foreign is the error for an answer that is none of Google's.
func (c *clients) foreign(service string, response *http.Response) error {
	return fault.New(fault.Invalid, "%s gave an answer that is not Google's: %s", service, hop.Status(response.StatusCode, ""))
}

// silent is the error for a service that said nothing.
func (c *clients) silent(ctx context.Context, service string, err error) error {
	return hop.Hop{Name: service, Advice: advice}.Silent(ctx, err)
}

// printable is a service's text with nothing in it that was presented to the service.
func (c *clients) printable(words string, shown ...secret.Text) string {
	return hop.OneLine(words)
}

var advice = &hop.Advice{}
