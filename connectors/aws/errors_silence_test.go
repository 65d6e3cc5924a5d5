package aws

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/proc"
)

// Whatever answers in place of AWS, a service without an answer is told as such.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		status int
		header http.Header
		body   string
		kind   fault.Kind
		says   string
	}{
		"page":             {404, nil, "<html><body>canary<br></body></html>", fault.Invalid, "not AWS's: 404 Not Found"},
		"page that is XML": {404, nil, "<html/>", fault.Invalid, "not AWS's: 404 Not Found"},
		"page, all well":   {200, nil, "<html><br>", fault.Invalid, "not AWS's: 200 OK"},
		"gateway":          {502, http.Header{"Retry-After": {"7"}}, "<html><br>", fault.Unavailable, "is out of order: 502 Bad Gateway"},
		"redirect":         {302, http.Header{"Location": {"https://evil.example.com/?canary"}}, "", fault.Invalid, "redirects elsewhere"},
		"portal":           {403, nil, "", fault.Denied, "refuses"},
		"torn":             {200, http.Header{"Content-Length": {"1000"}}, "<GetCallerIdentityResponse>", fault.Unavailable, "cannot be reached"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range test.header {
					w.Header()[name] = values
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			c := wire(t, server.URL)
			says(t, what, c.failed(t.Context(), "STS", asking["STS"](t.Context(), c)), test.kind, test.says, "")
		})
	}
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
		"gone":          {wire(t, silence.Gone), fault.Unavailable, "STS at " + at(silence.Gone) + " cannot be reached: dial tcp", "region"},
		"untrusted":     {wire(t, silence.Untrusted), fault.Failed, "the certificate of STS at " + at(silence.Untrusted) + " is not trusted", "ca_bundle"},
		"plain":         {wire(t, silence.Plain), fault.Invalid, "does not speak TLS", "http"},
		"proxy refuses": {wire(t, "https://sts.example.com", by(strings.Replace(silence.Refusing, "//", "//me:canary@", 1))), fault.Unavailable, "the proxy " + at(silence.Refusing) + " does not let us through: 407", "HTTPS_PROXY"},
		"proxy gone":    {wire(t, "https://sts.example.com", by(silence.Gone)), fault.Unavailable, "STS at sts.example.com cannot be reached through the proxy", "HTTPS_PROXY"},
		"no endpoint": {wire(t, "", func(_ *connector.Host, v *field.Values) {
			v.Set(regionField.Name, "no region!")
		}), fault.Invalid, "STS cannot be asked", "region"},
	} {
		says(t, what, test.c.failed(t.Context(), "STS", asking["STS"](t.Context(), test.c)), test.kind, test.says, test.hint)
	}
}

// The caller's deadline and wish are told apart, at any moment of the call.
func TestCallersPatience(t *testing.T) {
	t.Parallel()
	c := wire(t, connectortest.NewHanging(t))
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	says(t, "late", c.failed(late, "STS", asking["STS"](late, c)), fault.Unavailable, "did not answer in time", "region")
	left, cancel := context.WithCancel(t.Context())
	cancel()
	says(t, "gone", c.failed(left, "STS", asking["STS"](left, c)), fault.Interrupted, "context canceled", "")
	says(t, "before it began", c.failed(left, "AWS", left.Err()), fault.Interrupted, "AWS: context canceled", "")
}

// A certificate authority of the connector's own is trusted, and nobody else.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { throttles(w, false) }))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	defer secure.Close()
	c := wire(t, secure.URL, func(_ *connector.Host, v *field.Values) { v.Set(authorityField.Name, pemOf(secure)) })
	if err := asking["STS"](t.Context(), c); err != nil {
		t.Error(err)
	}
	if _, err := newClients(connector.Host{HTTP: outgoing{}, Now: proc.Real().Now}, c.values); !fault.Is(err, fault.Failed) {
		t.Errorf("a way of talking that knows no certificates: %v", err)
	}
}
