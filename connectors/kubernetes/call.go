package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// Bounds of what an API server may ask of us.
const (
	maxBody      = 1 << 20         // bytes of an answer
	maxRetries   = 3               // how often it may ask us to come again
	longestPause = 5 * time.Second // and how much later
)

// refusal is an answer that is not what was asked for.
type refusal struct {
	status int
	reason string // as a Status object has it; "" where there was none
	words  string // status and the server's own, on one line
}

// Error implements error.
func (r *refusal) Error() string { return r.words }

// statusOf is the HTTP status that an error of call is about; 0 where there was none.
func statusOf(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// call sends an object to a path of the API server (nil is none) and reads the answer
// into another. Errors have the kinds that callers decide by, and the server's words.
func (a *api) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.New(fault.Failed, "%s: %w", a.hop(), err)
	}
	for attempt := 0; ; attempt++ {
		response, err := a.send(ctx, method, path, in != nil, body)
		if err != nil {
			return a.hop().Silent(ctx, err)
		}
		wait, again := a.comeAgain(response)
		if !again || attempt == maxRetries {
			return a.take(ctx, path, response, out)
		}
		_ = response.Body.Close()
		if err := a.pause(ctx, wait); err != nil {
			return a.hop().Silent(ctx, err)
		}
	}
}

func (a *api) send(ctx context.Context, method, path string, hasBody bool, body []byte) (*http.Response, error) {
	if !hasBody {
		body = nil
	}
	r, err := http.NewRequestWithContext(ctx, method, a.endpoint.Server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "svcconn")
	r.Header.Set("Accept", "application/json")
	if hasBody {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case !a.proof.token.IsEmpty():
		r.Header.Set("Authorization", "Bearer "+a.proof.token.Reveal())
	case a.proof.username != "":
		r.SetBasicAuth(a.proof.username, a.proof.password.Reveal())
	}
	return a.http.Do(r)
}

// comeAgain reads when a server that is too busy wants to be asked again: an API
// server that says so has done nothing yet.
func (a *api) comeAgain(response *http.Response) (time.Duration, bool) {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode < http.StatusInternalServerError {
		return 0, false
	}
	wait, said := hop.RetryAfter(response.Header, a.now())
	return wait, said && wait <= longestPause
}

// take reads an answer, and closes it.
func (a *api) take(ctx context.Context, path string, response *http.Response, out any) error {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return a.hop().Silent(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		return a.refused(path, response, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return a.notAnAPIServer(path, hop.Status(response.StatusCode, "and no object"))
	}
	return nil
}

// refused is the error for an answer that is not what was asked for.
func (a *api) refused(path string, response *http.Response, body []byte) error {
	r := &refusal{status: response.StatusCode, words: hop.Status(response.StatusCode, "")}
	var status struct{ Kind, Reason, Message string }
	isStatus := json.Unmarshal(body, &status) == nil && status.Kind == "Status"
	if isStatus {
		r.reason = status.Reason
		r.words = hop.Status(response.StatusCode, hop.Scrubbed(status.Message, a.proof.token, a.proof.password))
	}
	h := a.hop()
	switch {
	case r.status == http.StatusUnauthorized:
		return fault.New(fault.Denied, "%s refuses the credentials: %w", h, r)
	case r.status == http.StatusForbidden:
		return fault.New(fault.Denied, "%s forbids it: %w", h, r)
	case r.status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "%s is being asked too often: %w", h, r).Hint("try again %s", hop.Later(response.Header))
	case r.status >= http.StatusInternalServerError:
		return fault.New(fault.Unavailable, "%s is out of order: %w", h, r).Hint("try again %s", hop.Later(response.Header))
	case r.status/100 == 3:
		return fault.New(fault.Invalid, "%s redirects to %s, where the credentials do not belong", h, origin(response)).
			Hint("if that is the API server's real address, register it under that")
	case r.status == http.StatusNotFound:
		return fault.New(fault.NotFound, "%s has no %s: %w", h, path, r)
	case isStatus:
		return fault.New(fault.Invalid, "%s does not accept it: %w", h, r)
	}
	return a.notAnAPIServer(path, r.words)
}

func (a *api) notAnAPIServer(path, words string) error {
	return fault.New(fault.Invalid, "%s is not a Kubernetes API server: it answers %s with %s", a.endpoint.Server, path, words).
		Hint("check host, port and path; give the cluster's own address, not that of its web page")
}

// origin is where a redirect leads, without what may be secret in it.
func origin(response *http.Response) string {
	to, err := response.Location()
	if err != nil {
		return "nowhere"
	}
	return hop.OneLine((&url.URL{Scheme: to.Scheme, Host: to.Host}).String())
}
