package aws

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	account1 = "123456789012"
	account2 = "210987654321"
	// planted is a secret that must show nowhere.
	planted = "canary-Qm7xT2vK9sWc"
)

// noon is when most tests play.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is an AWS and a machine that talks to it.
type world struct {
	*awstest.Server
	clock *clock
	host  connector.Host

	mu    sync.Mutex
	forms []url.Values // of the requests that had one, as they were sent
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: &clock{at: noon}}
	w.Server = awstest.Start(t, awstest.Options{Now: w.clock.Now})
	w.host = connector.Host{
		Now: w.clock.Now, Home: t.TempDir(), HTTP: w,
		Getenv: func(name string) string { return map[string]string{"USER": "jane"}[name] },
	}
	return w
}

// RoundTrip implements http.RoundTripper: it writes down what is sent.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(raw))
		if form, err := url.ParseQuery(string(raw)); err == nil {
			w.mu.Lock()
			w.forms = append(w.forms, form)
			w.mu.Unlock()
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// sent is the forms of an action, in order.
func (w *world) sent(action string) []url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []url.Values
	for _, form := range w.forms {
		if form.Get("Action") == action {
			out = append(out, form)
		}
	}
	return out
}

// spec is a connector, its secrets in the fields that their names say.
func (w *world) spec(t *testing.T, method string, fields map[string]any) connector.Spec {
	t.Helper()
	spec := connector.Spec{Type: typeName, Method: method, Values: given(t, map[string]any{"endpoint_url": w.URL()})}
	declared, err := Type().Method(method)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		if f, ok := declared.Fields.Find(name); ok && f.Info().Secret() {
			spec.Values.SetSecret(name, secret.New(value.(string)))
			continue
		}
		spec.Values.Set(name, value)
	}
	return spec
}

// with is fields with an access key among them.
func with(k awstest.Keys, fields map[string]any) map[string]any {
	out := map[string]any{"aws_access_key_id": k.AccessKeyID, "aws_secret_access_key": k.SecretAccessKey}
	if k.SessionToken != "" {
		out["aws_session_token"] = k.SessionToken
	}
	for name, value := range fields {
		out[name] = value
	}
	return out
}

func (w *world) open(t *testing.T, spec connector.Spec) *session {
	t.Helper()
	settings, err := connector.Types{Type()}.Check(spec)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClients(w.host, settings.Values)
	if err != nil {
		t.Fatal(err)
	}
	c.retryer = func() awssdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Backoff = maxAttempts, retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	s, err := openWith(c, settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is open for a method and its fields.
func (w *world) opened(t *testing.T, method string, fields map[string]any) *session {
	t.Helper()
	return w.open(t, w.spec(t, method, fields))
}

// got is the keys for a purpose, and who STS says that their bearer is.
func got(t *testing.T, s *session, want purpose) (keys, string) {
	t.Helper()
	k, err := s.keysFor(t.Context(), want)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	who, err := s.whoAmI(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if k.account != "" && k.account != who.account {
		t.Errorf("the keys are said to be of account %s, and are of %s", k.account, who.account)
	}
	return k, who.arn
}

// refusal is the error of what cannot be had, and has no secret in it.
func refusal(t *testing.T, s *session, want purpose) error {
	t.Helper()
	_, err := s.keysFor(t.Context(), want)
	if err == nil {
		t.Fatal("there are keys")
	}
	shown := fmt.Sprintf("%v %+v %#v %s", err, err, err, fault.HintOf(err))
	for name, text := range s.values.Secrets() {
		if strings.Contains(shown, text.Reveal()) {
			t.Errorf("the error shows %s: %s", name, shown)
		}
	}
	return err
}

// person answers questions.
type person struct {
	answer func() string
	mu     sync.Mutex
	asked  []string
}

func (*person) OpenBrowser(string) error { return fmt.Errorf("there is no display") }
func (*person) Tell(string)              {}

func (p *person) Ask(_ context.Context, question string) (secret.Text, error) {
	p.mu.Lock()
	p.asked = append(p.asked, question)
	p.mu.Unlock()
	return secret.New(p.answer()), nil
}

func (p *person) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// plantSecrets sets secret fields to what must show nowhere.
func plantSecrets(v *field.Values, names []string) {
	for _, name := range names {
		v.SetSecret(name, secret.New(planted))
	}
}

func noCanary(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil && strings.Contains(fmt.Sprintf("%v %#v %s", err, err, fault.HintOf(err)), planted) {
		t.Errorf("%s: the error shows a secret: %v", what, err)
	}
}
