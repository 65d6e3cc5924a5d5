package docker

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// door is how a registry wants to be entered.
type door struct {
	url       string // the registry's version check, "https://HOST/v2/"
	challenge *transport.Challenge
}

func (s *session) hop() hop.Hop { return service("registry " + s.registry.String()) }

// ping asks the registry how it wants to be logged in to: over HTTPS, and where that
// gets no answer and it is allowed, over plain HTTP. A certificate that is not
// trusted is an answer.
func (s *session) ping(ctx context.Context) (door, error) {
	d, err := s.pingBy(ctx, "https")
	if err == nil || ctx.Err() != nil || !s.insecure && !s.registry.IsLoopback() || !noAnswer(err) {
		return d, err
	}
	d, plainErr := s.pingBy(ctx, "http")
	if plainErr != nil && !hop.Plain(err) {
		return d, err // what went wrong with HTTPS says more
	}
	return d, plainErr
}

// noAnswer reports whether an error of pingBy leaves open that plain HTTP works.
func noAnswer(err error) bool { return !hop.Untrusted(err) && (hop.Plain(err) || hop.Unreachable(err)) }

func (s *session) pingBy(ctx context.Context, scheme string) (door, error) {
	var options []name.Option
	if scheme == "http" {
		options = append(options, name.Insecure)
	}
	target, err := name.NewRegistry(s.registry.Endpoint(), options...)
	if err != nil {
		return door{}, fault.New(fault.Invalid, "%s: %w", s.hop(), err)
	}
	probe := &probe{inner: s.transport, scheme: scheme}
	challenge, err := transport.Ping(ctx, target, probe)
	if err != nil {
		return door{}, s.pingFailed(ctx, probe, err)
	}
	d := door{url: scheme + "://" + s.registry.Endpoint() + "/v2/", challenge: challenge}
	return d, s.checkSpeaks(d, probe)
}

func (s *session) pingFailed(ctx context.Context, p *probe, err error) error {
	var answer *transport.Error
	switch {
	case p.err != nil || ctx.Err() != nil:
		return s.hop().Silent(ctx, cmp.Or(p.err, ctx.Err()))
	case !errors.As(err, &answer): // answers came, but none that was whole
		return fault.New(fault.Failed, "%s redirects in circles, or breaks its answers off", s.hop()).Hint("check host and port")
	case answer.StatusCode == http.StatusForbidden || hop.Passing(answer.StatusCode):
		return refusedBy(s.hop())(answer.StatusCode, p.header, hop.Status(answer.StatusCode, diagnosed(answer.Errors)))
	}
	return s.notARegistry(hop.Status(answer.StatusCode, diagnosed(answer.Errors)))
}

// checkSpeaks tells registries from web servers that answer anything with a page.
// The version header is proof, but new registries may leave it out.
func (s *session) checkSpeaks(d door, p *probe) error {
	page := strings.HasPrefix(p.header.Get("Content-Type"), "text/html")
	switch {
	case p.header.Get("Docker-Distribution-Api-Version") != "":
		return nil
	case p.status == http.StatusOK && page:
		return s.notARegistry("200 OK, with a page for people")
	case p.status == http.StatusUnauthorized && d.challenge.Scheme == "":
		return s.notARegistry("401 Unauthorized, without saying how to log in")
	}
	return nil
}

func (s *session) notARegistry(words string) error {
	return fault.New(fault.Invalid, "%s is not a container registry: it answers /v2/ with %s", s.registry, words).
		Hint("check host and port; give the registry's own, not those of its web page")
}

// probe carries the requests of one ping, by one scheme: go-containerregistry would
// race HTTPS against plain HTTP on private networks, too, and tell neither header nor
// which of the two failed.
type probe struct {
	inner  http.RoundTripper
	scheme string

	// What came last. Only the goroutine that asks by the scheme writes them, and Ping
	// does not return before it is done.
	err    error
	status int
	header http.Header
}

var errOtherScheme = errors.New("not asked by this scheme")

// RoundTrip implements http.RoundTripper. Redirects (r.Response is set) may change
// the scheme: the guard behind it decides about those.
func (p *probe) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != p.scheme && r.Response == nil {
		return nil, errOtherScheme
	}
	response, err := p.inner.RoundTrip(r)
	if p.err = err; err == nil {
		p.status, p.header = response.StatusCode, response.Header
	}
	return response, err
}
