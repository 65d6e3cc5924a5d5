package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/oidctest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// visitor is a person with a browser.
type visitor struct {
	t      *testing.T
	http   *http.Client
	absent bool                          // no browser can be opened
	visit  func(page string)             // what the browser does; nil goes where it is led
	onTell func(v *visitor, text string) // what being told something makes the person do

	mu    sync.Mutex
	pages []string
	told  []string
}

func newVisitor(t *testing.T, issuer *oidctest.Server) *visitor {
	transport, err := trusting(&http.Transport{DisableKeepAlives: true}, issuer.CertificateAuthority(), false)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, http: &http.Client{Transport: transport}}
}

// OpenBrowser implements connector.Person.
func (v *visitor) OpenBrowser(page string) error {
	if v.absent {
		return errors.New("there is no display")
	}
	v.mu.Lock()
	v.pages = append(v.pages, page)
	v.mu.Unlock()
	if v.visit != nil {
		v.visit(page)
		return nil
	}
	go v.follow(page)
	return nil
}

// follow goes where a page leads. The login may be over before it has all been read.
func (v *visitor) follow(page string) {
	response, err := v.http.Get(page)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// Tell implements connector.Person.
func (v *visitor) Tell(text string) {
	v.mu.Lock()
	v.told = append(v.told, text)
	v.mu.Unlock()
	if v.onTell != nil {
		v.onTell(v, text)
	}
}

func (v *visitor) browsers() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.pages)
}

// seen is all that the person saw.
func (v *visitor) seen() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Join(append(v.pages, v.told...), "\n")
}

// oidcWorld is an issuer, a person and a connector's settings.
type oidcWorld struct {
	*oidctest.Server
	t      *testing.T
	person *visitor
	host   connector.Host
	values field.Values
}

func newOIDCWorld(t *testing.T, options oidctest.Options) *oidcWorld {
	t.Helper()
	options.ES256 = !options.TLS // both are used; RSA keys take long to make
	issuer := oidctest.Start(t, options)
	w := &oidcWorld{Server: issuer, t: t, person: newVisitor(t, issuer)}
	w.host = connector.Host{Now: time.Now, HTTP: &http.Transport{DisableKeepAlives: true}, Person: w.person}
	w.values.Set("server", "https://kube.example.com")
	w.values.Set("cluster_name", "kube")
	w.values.Set("issuer_url", issuer.URL())
	w.values.Set("client_id", oidctest.DefaultClient)
	if options.TLS {
		w.values.Set("issuer_certificate_authority", issuer.CertificateAuthority())
	}
	return w
}

func (w *oidcWorld) set(name string, value any) *oidcWorld {
	w.values.Set(name, value)
	return w
}

func (w *oidcWorld) open() *oidcLogin {
	w.t.Helper()
	settings, err := connector.Types{Type()}.Check(connector.Spec{Type: typeName, Method: methodOIDC, Values: w.values})
	if err != nil {
		w.t.Fatal(err)
	}
	opened, err := openOIDC(w.host, settings)
	if err != nil {
		w.t.Fatal(err)
	}
	o := opened.(*oidcLogin)
	o.patience = time.Minute // a test that fails shall not hang
	return o
}

// login is one session's token, and the refresh token that it leaves.
func (w *oidcWorld) login() (proof, secret.Text, error) {
	w.t.Helper()
	o := w.open()
	p, err := o.prove(w.t.Context(), nil, 0)
	if err != nil {
		w.clean(err, o.refresh)
	}
	return p, o.renewed()[oidcRefreshToken.Name], err
}

// clean looks for secrets in an error, and in what the person saw.
func (w *oidcWorld) clean(err error, secrets ...secret.Text) {
	w.t.Helper()
	for _, s := range append(secrets, w.values.Secrets()["refresh_token"], w.values.Secrets()["client_secret"]) {
		if !s.IsEmpty() && strings.Contains(fmt.Sprintf("%v %s %s", err, fault.HintOf(err), w.person.seen()), s.Reveal()) {
			w.t.Errorf("a secret is seen: %v", err)
		}
	}
}

func (w *oidcWorld) mustLogin() (proof, secret.Text) {
	w.t.Helper()
	p, refresh, err := w.login()
	if err != nil {
		w.t.Fatalf("%v (%s)", err, fault.HintOf(err))
	}
	w.clean(nil, refresh, p.token)
	return p, refresh
}

// enterCode has the person visit the page for the code that he is told.
func enterCode(issuer *oidctest.Server) func(*visitor, string) {
	return func(v *visitor, text string) {
		if _, code, ok := strings.Cut(text, "enter the code "); ok {
			v.follow(issuer.URL() + string(oidctest.DevicePage) + "?user_code=" + code)
		}
	}
}

func (*visitor) Ask(context.Context, string) (secret.Text, error) {
	return secret.Text{}, errors.New("nothing to say")
}
