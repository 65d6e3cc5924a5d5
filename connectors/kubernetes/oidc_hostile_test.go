package kubernetes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/oidctest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Answers that no issuer should give.
func TestOIDCOddAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"null": "null", "no object": "[]", "empty": "{}", "no JSON": "hello", "negative": `{"device_code":"d","user_code":"u","verification_uri":"https://x/","interval":-9223372036854775808,"expires_in":-5}`,
		"evil page": `{"device_code":"d","user_code":"u","verification_uri":"javascript:alert(1)"}`,
		"huge":      `{"device_code":"d","user_code":"u","verification_uri":"https://x/","interval":9223372036854775807,"expires_in":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOIDCWorld(t, oidctest.Options{})
			inner := w.host.HTTP
			w.host.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == string(oidctest.DeviceAuthorization) {
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
				}
				return inner.RoundTrip(r)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := w.set("grant", "device-code").open().prove(ctx, nil, 0); err == nil || fault.Is(err, fault.Interrupted) {
				t.Errorf("accepted: %v", err)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An issuer that repeats what it was sent does not make us repeat it, and one that
// redirects does not get the secrets sent on.
func TestOIDCSecretsStayBetweenTheTwo(t *testing.T) {
	t.Parallel()
	const refresh, hidden = "refresh-canary-3Kd8Vw", "client-canary-9Yb2Nq"
	for name, answer := range map[string]func(r *http.Request, body string) *http.Response{
		"echo": func(r *http.Request, body string) *http.Response {
			form, _ := url.ParseQuery(body)
			said := fmt.Sprintf(`{"error":"invalid_request","error_description":"%s %s?"}`, form.Get("refresh_token"), form.Get("client_secret"))
			return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(said)), Request: r}
		},
		"redirect": func(r *http.Request, _ string) *http.Response {
			return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"https://evil.example.com/" + refresh}}, Body: http.NoBody, Request: r}
		},
		"words": func(r *http.Request, body string) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		},
	} {
		w := newOIDCWorld(t, oidctest.Options{Clients: map[string]oidctest.Client{"kubernetes": {Secret: hidden, Post: true}}})
		w.values.SetSecret("refresh_token", secret.New(refresh))
		w.values.SetSecret("client_secret", secret.New(hidden))
		inner := w.host.HTTP
		w.host.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "evil.example.com" {
				t.Errorf("%s: the secrets were sent on", name)
			}
			if r.URL.Path != string(oidctest.Token) {
				return inner.RoundTrip(r)
			}
			body, err := io.ReadAll(r.Body)
			return answer(r, string(body)), err
		})
		_, _, err := w.login()
		if err == nil || strings.Contains(fmt.Sprintf("%+v %s", err, fault.HintOf(err)), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
