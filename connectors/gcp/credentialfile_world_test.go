package gcp

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

const ownProject = "acme-prod"

// authWorld is a Google behind a proxy, at its own host names, and a machine that logs in.
type authWorld struct {
	*gcptest.Server
	t       *testing.T
	project *gcptest.Project
	host    connector.Host
}

func newAuthWorld(t *testing.T) *authWorld {
	t.Helper()
	return authWorldWith(t, gcptest.Options{})
}

func authWorldWith(t *testing.T, options gcptest.Options) *authWorld {
	t.Helper()
	s := gcptest.Start(t, options)
	w := &authWorld{Server: s, t: t, project: s.Project(ownProject)}
	w.host = connector.Host{Now: time.Now, Home: t.TempDir(), Getenv: func(string) string { return "" }, HTTP: w.transport()}
	return w
}

func (w *authWorld) transport() *http.Transport {
	proxy, err := url.Parse(w.ProxyURL())
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(w.CertificateAuthority()))
	through := func(r *http.Request) (*url.URL, error) { // as HTTPS_PROXY does, which leaves this machine out
		if registryname.Loopback(r.URL.Hostname()) {
			return nil, nil
		}
		return proxy, nil
	}
	transport, err := hop.Transport(&http.Transport{Proxy: through, DisableKeepAlives: true})
	if err != nil {
		w.t.Fatal(err)
	}
	transport.TLSClientConfig.RootCAs = roots
	return transport
}

// fields are those of a connector, by name; secret ones are texts like the others.
type fields map[string]any

// settings checks a connector of an auth method.
func (f fields) settings(method string) (connector.Settings, error) {
	declared, err := Type().Method(method)
	if err != nil {
		return connector.Settings{}, err
	}
	spec := connector.Spec{Type: typeName, Method: method}
	for name, value := range f {
		if known, ok := declared.Fields.Find(name); ok && known.Info().Secret() {
			spec.Values.SetSecret(name, secret.New(value.(string)))
		} else {
			spec.Values.Set(name, value)
		}
	}
	return connector.Types{Type()}.Check(spec)
}

// session opens a connector that has to open.
func (w *authWorld) session(method string, f fields) *session {
	w.t.Helper()
	settings, err := f.settings(method)
	if err != nil {
		w.t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	opened, err := open(w.host, settings)
	if err != nil {
		w.t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	return opened.(*session)
}

// failsAs checks an error: its kind, words that it or its hint has, and that it shows none of
// these secrets.
func failsAs(t *testing.T, err error, kind fault.Kind, words []string, secrets ...string) {
	t.Helper()
	shown := fmt.Sprintf("%v\n%s", err, fault.HintOf(err))
	if !fault.Is(err, kind) {
		t.Errorf("%s: %s", fault.KindOf(err), shown)
	}
	for _, text := range words {
		if !strings.Contains(shown, text) {
			t.Errorf("no %q in: %s", text, shown)
		}
	}
	hides(t, shown, secrets...)
}

func hides(t *testing.T, shown string, secrets ...string) {
	t.Helper()
	for _, text := range secrets {
		if text != "" && strings.Contains(shown, text) {
			t.Errorf("a secret is seen: %s", shown)
		}
	}
}

// changed is a JSON object with other values; nil takes a key away.
func changed(t *testing.T, text string, change map[string]any) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	for key, value := range change {
		if value == nil {
			delete(object, key)
		} else {
			object[key] = value
		}
	}
	out, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// inFile is a value of a JSON object.
func inFile(t *testing.T, text, key string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	out, _ := object[key].(string)
	return out
}

// lasts checks the expiry of a token that was just got.
func lasts(t *testing.T, got token, lifetime time.Duration) {
	t.Helper()
	if left := time.Until(got.expires); left > lifetime+time.Second || left < lifetime-time.Minute {
		t.Errorf("it lasts %s, not %s", left, lifetime)
	}
}

// printed is all that a log could get to see of a value.
func printed(value any) string { return fmt.Sprintf("%v\n%+v\n%#v\n%s", value, value, value, value) }

func unescaped(text string) string {
	out, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return out
}

// route makes an answer, JSON, be that of a host.
func (w *authWorld) route(host string, status int, answer string) {
	w.Route(host, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { reply(out, status, answer) }))
}

// reply answers with JSON.
func reply(out http.ResponseWriter, status int, answer string) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_, _ = out.Write([]byte(answer))
}
