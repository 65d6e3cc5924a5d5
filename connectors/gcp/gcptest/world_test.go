package gcptest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

const (
	cloudScope = "https://www.googleapis.com/auth/cloud-platform"
	emailScope = "https://www.googleapis.com/auth/userinfo.email"
	exchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType = "urn:ietf:params:oauth:token-type:access_token"
	jwtType    = "urn:ietf:params:oauth:token-type:jwt"
	awsType    = "urn:ietf:params:aws:token-type:aws4_request"
)

// world is a server with a clock that a test moves.
type world struct {
	*gcptest.Server
	mu    sync.Mutex
	clock time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	w.Server = gcptest.Start(t, gcptest.Options{Now: w.time})
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// through is an HTTP client that goes through a server's proxy and follows no redirects.
func through(t *testing.T, s *gcptest.Server) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(s.CertificateAuthority()))
	proxy, err := url.Parse(s.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// asGoogle is a context in which x/oauth2 asks the server by Google's host names.
func asGoogle(t *testing.T, s *gcptest.Server) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), oauth2.HTTPClient, through(t, s))
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request to the plain address.
func (w *world) ask(t *testing.T, method, path string, header http.Header, body string) reply {
	t.Helper()
	return ask(t, http.DefaultClient, method, w.URL()+path, header, body)
}

func ask(t *testing.T, client *http.Client, method, address string, header http.Header, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

// post sends a form to the plain address.
func (w *world) post(t *testing.T, path string, form url.Values) reply {
	t.Helper()
	return w.ask(t, http.MethodPost, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form.Encode())
}

// form makes a form of names and values.
func form(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// field is a text of an answer's JSON, or a number of it as JSON has it.
func (r reply) field(t *testing.T, path ...string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(r.body), &value); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("no %q in %s", path, r.body)
		}
		value = object[name]
	}
	if text, ok := value.(string); ok {
		return text
	}
	out, _ := json.Marshal(value)
	return string(out)
}

// good wants success, and returns the reply.
func (r reply) good(t *testing.T) reply {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return r
}

// oauthRefused wants an error of OAuth's format.
func (r reply) oauthRefused(t *testing.T, what string, status int, code, text string) {
	t.Helper()
	if r.status != status || r.field(t, "error") != code || !strings.Contains(r.field(t, "error_description"), text) {
		t.Errorf("%s: %d %s, want %d %s %q", what, r.status, r.body, status, code, text)
	}
}

// refused wants an error of Google's format: a status and a reason, "" for none.
func (r reply) refused(t *testing.T, what string, status int, code, reason, text string) {
	t.Helper()
	if r.status != status || r.field(t, "error", "status") != code || r.field(t, "error", "code") != "" && r.field(t, "error", "code") != itoa(status) {
		t.Errorf("%s: %d %s, want %d %s", what, r.status, r.body, status, code)
	}
	if !strings.Contains(r.field(t, "error", "message"), text) || reason != "" && !strings.Contains(r.body, `"reason": "`+reason+`"`) {
		t.Errorf("%s: %s, want %s and %q", what, r.body, reason, text)
	}
}

func itoa(n int) string {
	out, _ := json.Marshal(n)
	return string(out)
}

// bearer is the header with an access token.
func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// impersonate asks for a token of an account.
func (w *world) impersonate(t *testing.T, header http.Header, email, body string) reply {
	t.Helper()
	return w.ask(t, http.MethodPost, "/v1/projects/-/serviceAccounts/"+email+":generateAccessToken", header, body)
}

const cloudBody = `{"scope":["` + cloudScope + `"]}`
