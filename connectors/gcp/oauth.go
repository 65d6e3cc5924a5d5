package gcp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// fetch gets a token by a piece of x/oauth2, which finds its HTTP client in ctx. The
// library's own errors repeat answers as text, and lose what was wrong with a connection:
// what came back is kept where it came in. shown are secrets that were sent, which an
// answer may repeat.
func (c *clients) fetch(ctx context.Context, a api, get func(ctx context.Context) (*oauth2.Token, error), shown ...secret.Text) (token, error) {
	seen := &seeing{ctx: ctx, inner: c.http.Transport, api: a}
	client := *c.http
	client.Transport = seen
	got, err := get(context.WithValue(ctx, oauth2.HTTPClient, &client))
	switch {
	case err != nil && seen.refused != nil:
		return token{}, c.refused(seen.refused, shown...)
	case err != nil && seen.silent != nil:
		return token{}, c.silent(ctx, a.title, seen.silent)
	case err != nil && seen.answered != nil:
		return token{}, c.foreign(a.title, seen.answered)
	case err != nil:
		return token{}, fault.New(fault.Failed, "%s cannot be asked: %s", a.title, c.printable(err.Error(), shown...))
	case got.AccessToken == "" || got.Expiry.IsZero():
		return token{}, fault.New(fault.Failed, "%s gave a token without saying until when it is good", a.title).
			Hint("check the address that tokens come from, and the proxy if there is one: something else answers there")
	}
	return token{text: secret.New(got.AccessToken), expires: c.byOurClock(got.Expiry)}, nil
}

// byOurClock is an expiry that x/oauth2 reckoned from the process's clock.
func (c *clients) byOurClock(at time.Time) time.Time {
	return c.host.Now().Add(time.Until(at).Round(time.Second))
}

// seeing is a transport that keeps what went wrong last.
type seeing struct {
	ctx      context.Context // of fetch: pieces of x/oauth2 make requests without one
	inner    http.RoundTripper
	api      api
	refused  *answer        // the service said no
	silent   error          // it said nothing
	answered *http.Response // what it said last, whatever it was; its body is read
}

// RoundTrip implements http.RoundTripper.
func (s *seeing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.refused, s.silent, s.answered = nil, nil, nil
	ctx := s.ctx
	if patience, ok := r.Context().Deadline(); ok { // of the client
		limited, cancel := context.WithDeadline(ctx, patience)
		defer cancel()
		ctx = limited
	}
	response, err := s.inner.RoundTrip(r.WithContext(ctx))
	if err != nil {
		s.silent = &url.Error{Op: r.Method, URL: r.URL.Scheme + "://" + r.URL.Host, Err: err}
		return nil, err
	}
	s.answered = response
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		s.silent = err
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	said := answerOf(s.asked(r.URL), response, body)
	if response.StatusCode/100 != 2 || said.code != "" { // some servers refuse with 200 OK
		s.refused = said
	}
	return response, nil
}

// asked is the API at an address: a token that was got by federation may serve to become
// a service account, within the same call.
func (s *seeing) asked(at *url.URL) api {
	if strings.HasSuffix(at.Path, ":generateAccessToken") {
		return credentialsAPI
	}
	return s.api
}
