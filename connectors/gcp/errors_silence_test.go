package gcp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// both are asked by JSON and by x/oauth2.
var both = []api{storageAPI, oauthAPI}

// Whatever answers in place of Google, a service without an answer is told as such.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		status int
		header http.Header
		body   string
		kind   fault.Kind
		says   string
		hint   string
	}{
		"page":           {404, nil, "<html><body>canary</body></html>", fault.Invalid, "gave an answer that is not Google's: 404 Not Found", "api_endpoint_"},
		"page, all well": {200, nil, "<html>canary", fault.Invalid, "gave an answer that is not Google's: 200 OK", "proxy"},
		"empty":          {400, nil, "", fault.Invalid, "not Google's: 400 Bad Request", "proxy"},
		"other JSON":     {400, nil, `{"message":"canary","error":5}`, fault.Invalid, "not Google's: 400 Bad Request", "proxy"},
		"portal":         {403, nil, "<html>canary", fault.Denied, "refuses without a word: 403 Forbidden", "something else may answer"},
		"login":          {401, nil, "<html>canary", fault.Denied, "refuses without a word: 401 Unauthorized", "something else may answer"},
		"proxy":          {407, nil, "canary", fault.Unavailable, "the proxy in front of", "HTTPS_PROXY"},
		"gateway":        {502, http.Header{"Retry-After": {"3"}}, "<html>canary", fault.Unavailable, "is out of order, after 4 tries: 502 Bad Gateway", "try again in 3 seconds"},
		"busy":           {429, nil, "canary", fault.Unavailable, "is being asked too often, after 4 tries: 429 Too Many Requests", "try again later"},
		"busy for long":  {503, http.Header{"Retry-After": {"60"}}, "", fault.Unavailable, "is out of order: 503 Service Unavailable", "in 60 seconds"},
		"redirect":       {302, http.Header{"Location": {"https://evil.example.com/?canary"}}, "", fault.Invalid, "redirects elsewhere, where the credential does not belong: 302 Found", "api_endpoint_"},
		"torn":           {200, http.Header{"Content-Length": {"1000"}}, "{", fault.Unavailable, "cannot be reached: unexpected EOF, after 4 tries", "api_endpoint_"},
	} {
		for _, a := range both {
			says(t, a.service+", "+what, asks(t.Context(), answeringAlways(t, test.status, test.header, test.body), a), test.kind, test.says, test.hint)
		}
	}
	says(t, "no token", asks(t.Context(), answeringAlways(t, 200, nil, `{"access_token":"canary"}`), oauthAPI), fault.Failed, "without saying until when", "proxy")
	says(t, "neither", asks(t.Context(), answeringAlways(t, 200, nil, `{"token_type":"canary"}`), oauthAPI), fault.Invalid, "not Google's", "proxy")
}

// Without an answer, what is on the way is to blame.
func TestSilence(t *testing.T) {
	t.Parallel()
	silence := connectortest.NewSilence(t)
	by := func(proxy string) func(*connector.Host, *field.Values) {
		return func(h *connector.Host, _ *field.Values) {
			u, err := url.Parse(proxy)
			if err != nil {
				t.Error(err)
			}
			h.HTTP = &http.Transport{Proxy: http.ProxyURL(u)}
		}
	}
	at := connectortest.HostOf
	for what, test := range map[string]struct {
		c    *clients
		kind fault.Kind
		says string
		hint string
	}{
		"gone":          {wired(t, silence.Gone), fault.Unavailable, "at " + at(silence.Gone) + " cannot be reached: dial tcp", "api_endpoint_"},
		"untrusted":     {wired(t, silence.Untrusted), fault.Failed, "at " + at(silence.Untrusted) + " is not trusted", "ca_bundle"},
		"plain":         {wired(t, silence.Plain), fault.Invalid, "does not speak TLS", "http"},
		"proxy refuses": {wired(t, "https://x.example.com", by(strings.Replace(silence.Refusing, "//", "//me:canary@", 1))), fault.Unavailable, "at x.example.com: the proxy " + at(silence.Refusing) + " does not let us through: 407", "HTTPS_PROXY"},
		"proxy gone":    {wired(t, "https://x.example.com", by(silence.Gone)), fault.Unavailable, "at x.example.com cannot be reached through the proxy", "HTTPS_PROXY"},
	} {
		for _, a := range both {
			says(t, a.service+", "+what, asks(t.Context(), test.c, a), test.kind, test.says, test.hint)
		}
	}
	says(t, "no endpoint", asks(t.Context(), wired(t, "http://x y"), storageAPI), fault.Invalid, "Cloud Storage cannot be asked", "api_endpoint_storage")
	says(t, "no endpoint", asks(t.Context(), wired(t, "http://x y"), oauthAPI), fault.Failed, "Google's authorization server cannot be asked", "")
}

// The caller's deadline and wish are told apart, at any moment of the call.
func TestCallersPatience(t *testing.T) {
	t.Parallel()
	c := wired(t, connectortest.NewHanging(t))
	for _, a := range both {
		late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		says(t, "late", asks(late, c, a), fault.Unavailable, "did not answer in time", "api_endpoint_")
		left, cancel := context.WithCancel(t.Context())
		cancel()
		says(t, "gone", asks(left, c, a), fault.Interrupted, "context canceled", "")
	}
}
