package kubernetes

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/oidctest"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestOIDCLogins(t *testing.T) {
	t.Parallel()
	const quick = time.Second
	for name, c := range map[string]struct {
		options oidctest.Options
		prepare func(*oidcWorld)
		device  bool
	}{
		"by browser":      {oidctest.Options{}, func(*oidcWorld) {}, false},
		"over TLS, RS256": {oidctest.Options{TLS: true}, func(w *oidcWorld) { w.set("grant", "authcode") }, false},
		"secret in the header": {oidctest.Options{Clients: map[string]oidctest.Client{"kubernetes": {Secret: "s%3 é"}}}, func(w *oidcWorld) {
			w.values.SetSecret("client_secret", secret.New("s%3 é"))
		}, false},
		"secret in the form": {oidctest.Options{Clients: map[string]oidctest.Client{"kubernetes": {Secret: "sesame", Post: true}}}, func(w *oidcWorld) {
			w.values.SetSecret("client_secret", secret.New("sesame"))
		}, false},
		"localhost": {oidctest.Options{}, func(w *oidcWorld) {
			w.set("redirect_host", "localhost").set("auth_parameters", "prompt=consent").set("audience", "kube")
		}, false},
		"device code": {oidctest.Options{Behaviour: oidctest.Behaviour{DeviceInterval: quick}}, func(w *oidcWorld) { w.set("grant", "device-code") }, true},
		"device code with a secret": {oidctest.Options{
			Clients: map[string]oidctest.Client{"kubernetes": {Secret: "sesame"}}, Behaviour: oidctest.Behaviour{DeviceInterval: quick},
		}, func(w *oidcWorld) {
			w.set("grant", "device-code").values.SetSecret("client_secret", secret.New("sesame"))
		}, true},
		"no browser, so a device code": {oidctest.Options{Behaviour: oidctest.Behaviour{DeviceInterval: quick}}, func(w *oidcWorld) { w.person.absent = true }, true},
		"no browser, so the person opens the page": {oidctest.Options{}, func(w *oidcWorld) {
			w.set("grant", "authcode").person.absent = true
			w.person.onTell = func(v *visitor, text string) {
				if _, page, ok := strings.Cut(text, "open "); ok && strings.Contains(text, "no display") {
					go v.follow(page)
				}
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOIDCWorld(t, c.options)
			w.person.onTell = enterCode(w.Server)
			c.prepare(w)
			p, refresh := w.mustLogin()
			if left := time.Until(p.expires); left < 4*time.Minute || left > 5*time.Minute {
				t.Errorf("the token ends in %s", left)
			}
			if claimsOf(p.token).Subject != "jane" || refresh.IsEmpty() {
				t.Errorf("subject %q, refresh token %v", claimsOf(p.token).Subject, refresh)
			}
			if device := w.Count(oidctest.DeviceAuthorization) > 0; device != c.device {
				t.Errorf("device code: %t", device)
			}
			w.values.SetSecret("refresh_token", refresh)
			w.host.Person = nil
			again, _ := w.mustLogin()
			if again.token.Equal(p.token) || w.person.browsers() > 1 {
				t.Error("the refresh token was not used")
			}
		})
	}
}

// failingLogin runs a login that shall fail, and returns the error.
func (w *oidcWorld) failingLogin(kind fault.Kind, words ...string) {
	w.t.Helper()
	_, _, err := w.login()
	if !fault.Is(err, kind) {
		w.t.Fatalf("%v (%s), want %s", err, fault.KindOf(err), kind)
	}
	for _, text := range words {
		if !strings.Contains(err.Error()+" "+fault.HintOf(err), text) {
			w.t.Errorf("%v, hint %q: no %q", err, fault.HintOf(err), text)
		}
	}
}

func TestOIDCLoginsThatFail(t *testing.T) {
	t.Parallel()
	behave := func(change func(*oidctest.Behaviour)) func(*oidcWorld) {
		return func(w *oidcWorld) { w.Behave(change) }
	}
	for name, c := range map[string]struct {
		prepare func(*oidcWorld)
		kind    fault.Kind
		words   []string
	}{
		"denied":          {behave(func(b *oidctest.Behaviour) { b.Deny = true }), fault.Denied, []string{"denied", "the person denied"}},
		"state mismatch":  {behave(func(b *oidctest.Behaviour) { b.TamperState = true }), fault.Denied, []string{"state"}},
		"nonce mismatch":  {behave(func(b *oidctest.Behaviour) { b.WrongNonce = true }), fault.Denied, []string{"nonce"}},
		"wrong audience":  {behave(func(b *oidctest.Behaviour) { b.Claims = map[string]any{"aud": "other"} }), fault.Denied, []string{"audience"}},
		"another party":   {behave(func(b *oidctest.Behaviour) { b.Claims = map[string]any{"aud": []string{"kubernetes", "x"}, "azp": "x"} }), fault.Denied, []string{"another client"}},
		"wrong issuer":    {behave(func(b *oidctest.Behaviour) { b.Claims = map[string]any{"iss": "https://other"} }), fault.Denied, []string{"https://other"}},
		"wrong signature": {behave(func(b *oidctest.Behaviour) { b.BadSignature = true }), fault.Denied, []string{"signature"}},
		"wrong hash":      {behave(func(b *oidctest.Behaviour) { b.Claims = map[string]any{"at_hash": "x"} }), fault.Denied, []string{"another access token"}},
		"expired":         {behave(func(b *oidctest.Behaviour) { b.Lifetime = -time.Minute }), fault.Denied, []string{"expired", "clock"}},
		"of the future":   {behave(func(b *oidctest.Behaviour) { b.Claims = map[string]any{"iat": time.Now().Add(time.Hour).Unix()} }), fault.Denied, []string{"future", "clock"}},
		"other issuer":    {behave(func(b *oidctest.Behaviour) { b.Issuer = "https://other.example.com" }), fault.Invalid, []string{"calls itself https://other.example.com", "--set issuer_url=https://other.example.com"}},
		"issuer down":     {behave(func(b *oidctest.Behaviour) { b.Down = true }), fault.Unavailable, []string{"503"}},
		"issuer away":     {func(w *oidcWorld) { w.Close() }, fault.Unavailable, []string{"cannot be reached"}},
		"no issuer":       {func(w *oidcWorld) { w.set("issuer_url", w.URL()+"/elsewhere") }, fault.Invalid, []string{"not an OpenID Connect issuer", "/elsewhere/.well-known"}},
		"unknown client":  {func(w *oidcWorld) { w.set("client_id", "nobody").set("grant", "device-code") }, fault.Denied, []string{"client_id"}},
		"wrong secret":    {func(w *oidcWorld) { w.values.SetSecret("client_secret", secret.New("wrong-canary-8Zr")) }, fault.Denied, []string{"client_secret"}},
		"no device code": {func(w *oidcWorld) {
			w.set("grant", "device-code").Behave(func(b *oidctest.Behaviour) { b.NoDevice = true })
		}, fault.Invalid, []string{"no login by device code"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOIDCWorld(t, oidctest.Options{})
			c.prepare(w)
			w.failingLogin(c.kind, c.words...)
		})
	}
}

func TestOIDCUntrustedIssuer(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{TLS: true})
	w.values.Unset("issuer_certificate_authority")
	w.failingLogin(fault.Failed, "not trusted", "--set issuer_certificate_authority=@ca.pem")
}

// A browser that never comes back, a person who presses Ctrl-C.
func TestOIDCLoginThatNobodyFinishes(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{})
	w.person.visit = func(string) {}
	o := w.open()
	o.patience = time.Millisecond
	if _, err := o.prove(t.Context(), nil, 0); !fault.Is(err, fault.NeedsPerson) || !strings.Contains(err.Error(), "nobody logged in") {
		t.Errorf("without an end: %v (%s)", err, fault.KindOf(err))
	}
	for _, grant := range []string{"authcode", "device-code"} {
		ctx, cancel := context.WithCancel(t.Context())
		w.person.visit = func(string) { cancel() }
		w.person.onTell = func(_ *visitor, text string) {
			if strings.Contains(text, "enter the code") {
				cancel()
			}
		}
		if _, err := w.set("grant", grant).open().prove(ctx, nil, 0); !fault.Is(err, fault.Interrupted) {
			t.Errorf("%s, interrupted: %v (%s)", grant, err, fault.KindOf(err))
		}
	}
}

func TestOIDCPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w := newOIDCWorld(t, oidctest.Options{})
	w.set("redirect_port", int64(taken.Addr().(*net.TCPAddr).Port)).failingLogin(fault.Failed, "cannot listen", "redirect_port")
	if w.person.browsers() != 0 {
		t.Error("a browser was opened all the same")
	}
}

// The port of the redirect is our own machine's alone, and takes nothing but the
// answer.
func TestOIDCCallback(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{})
	w.person.visit = func(page string) {
		u, err := url.Parse(page)
		if err != nil {
			t.Error(err)
			return
		}
		back, err := url.Parse(u.Query().Get("redirect_uri"))
		if err != nil || back.Hostname() != "127.0.0.1" {
			t.Errorf("redirect to %s, %v", back, err)
		}
		for _, stray := range []string{"/", "/favicon.ico?code=x", "/callback", "/callback?state=x"} {
			response, err := w.person.http.Get("http://" + back.Host + stray)
			if err != nil || response.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %v, %v", stray, response, err)
				continue
			}
			_ = response.Body.Close()
		}
		go w.person.follow(page)
	}
	w.mustLogin()
	if w.person.browsers() != 1 {
		t.Errorf("%d browsers", w.person.browsers())
	}
}

func TestOIDCRefreshTokenGone(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{})
	_, refresh := w.mustLogin()
	w.values.SetSecret("refresh_token", refresh)
	w.Revoke()
	w.host.Person = nil
	w.failingLogin(fault.NeedsPerson, "login required", "invalid_grant")
	w.values.Unset("refresh_token")
	w.failingLogin(fault.NeedsPerson, "login required", "nobody has logged in yet")
	w.values.SetSecret("refresh_token", refresh)
	w.host.Person = w.person
	if _, next := w.mustLogin(); next.IsEmpty() || next.Equal(refresh) || w.person.browsers() != 2 {
		t.Errorf("renewed %t, %d browsers", !next.IsEmpty(), w.person.browsers())
	}
}

// An issuer that is down, or refuses the client, does not cost the login.
func TestOIDCRefreshFails(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{})
	_, refresh := w.mustLogin()
	w.values.SetSecret("refresh_token", refresh)
	w.Behave(func(b *oidctest.Behaviour) { b.NoIDTokenOnRefresh = true })
	w.failingLogin(fault.Denied, "no ID token", "use_token=access_token")
	w.set("use_token", "access_token")
	if p, _ := w.mustLogin(); p.expires.IsZero() {
		t.Error("the access token has no end")
	}
	w.values.SetSecret("client_secret", secret.New("unwanted-canary-5Tq"))
	w.failingLogin(fault.Denied, "client_secret")
	w.Close()
	w.failingLogin(fault.Unavailable, "cannot be reached")
	if w.person.browsers() != 1 {
		t.Errorf("%d browsers", w.person.browsers())
	}
}

// Refresh tokens that are good for one use: a session uses each once, however many
// callers it has, and says what the next one is.
func TestOIDCRotation(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{Behaviour: oidctest.Behaviour{Rotate: true}})
	_, refresh := w.mustLogin()
	w.host.Person = nil
	for range 3 {
		w.values.SetSecret("refresh_token", refresh)
		before := w.Count(oidctest.Token)
		o := w.open()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := o.prove(t.Context(), nil, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		next := o.renewed()["refresh_token"]
		if next.IsEmpty() || next.Equal(refresh) || w.Count(oidctest.Token) != before+1 {
			t.Fatalf("renewed %t after %d requests", !next.IsEmpty(), w.Count(oidctest.Token)-before)
		}
		refresh = next
	}
}

// What was renewed is known even where the token that came with it is not good.
func TestOIDCRotationWithABadToken(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{Behaviour: oidctest.Behaviour{Rotate: true}})
	_, refresh := w.mustLogin()
	w.values.SetSecret("refresh_token", refresh)
	w.Behave(func(b *oidctest.Behaviour) { b.BadSignature = true })
	if _, next, err := w.login(); !fault.Is(err, fault.Denied) || next.IsEmpty() {
		t.Errorf("%v, renewed %t", err, !next.IsEmpty())
	}
}

func TestOIDCWithoutRefreshToken(t *testing.T) {
	t.Parallel()
	w := newOIDCWorld(t, oidctest.Options{Behaviour: oidctest.Behaviour{NoRefreshToken: true}})
	if _, refresh := w.mustLogin(); !refresh.IsEmpty() || !strings.Contains(w.person.seen(), "no refresh token") {
		t.Errorf("the person was told %q", w.person.seen())
	}
}

// Device codes with a clock that needs no waiting, and an issuer without a network.
func TestOIDCDeviceCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour oidctest.Behaviour
		kind      fault.Kind // "" is a login
		words     string
		takes     time.Duration
	}{
		"pending":   {oidctest.Behaviour{DevicePolls: 3}, "", "", 20 * time.Second},
		"slow down": {oidctest.Behaviour{DevicePolls: 2, DeviceSlowDowns: 2}, "", "", (5 + 10 + 15) * time.Second},
		"interval":  {oidctest.Behaviour{DevicePolls: 1, DeviceInterval: 20 * time.Second}, "", "", 40 * time.Second},
		"denied":    {oidctest.Behaviour{DevicePolls: 1, Deny: true}, fault.Denied, "denied", 10 * time.Second},
		"expired":   {oidctest.Behaviour{DeviceLifetime: 62 * time.Second}, fault.NeedsPerson, "expired", 62 * time.Second},
		"forgotten": {oidctest.Behaviour{}, fault.NeedsPerson, "nobody", oidcTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := oidctest.Start(t, oidctest.Options{ES256: true, Now: func() time.Time { return time.Now() }, Behaviour: c.behaviour}) // outside: it has a network
			synctest.Test(t, func(t *testing.T) {
				var v field.Values
				v.Set("issuer_url", issuer.URL())
				v.Set("client_id", oidctest.DefaultClient)
				v.Set("scopes", []string{"openid", "offline_access"})
				v.Set("grant", "device-code")
				v.Set("use_token", "id_token")
				person := &visitor{t: t}
				opened, err := openOIDC(connector.Host{Now: time.Now, HTTP: issuer.InProcess(), Person: person}, connector.Settings{Values: v})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				p, err := opened.prove(t.Context(), nil, 0)
				if !fault.Is(err, c.kind) && (err != nil || c.kind != "") {
					t.Fatalf("%v (%s)", err, fault.KindOf(err))
				}
				if err == nil && p.token.IsEmpty() || err != nil && !strings.Contains(err.Error(), c.words) {
					t.Errorf("token %t, error %v", !p.token.IsEmpty(), err)
				}
				if took := time.Since(begun); took != c.takes {
					t.Errorf("it took %s, want %s", took, c.takes)
				}
			})
		})
	}
}

func TestOIDCFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ field, value string }{
		"plain http":         {"issuer_url", "http://login.example.com"},
		"no host":            {"issuer_url", "https://"},
		"a password":         {"issuer_url", "https://a:b@login.example.com"},
		"a query":            {"issuer_url", "https://login.example.com?x"},
		"a fragment":         {"issuer_url", "https://login.example.com#"},
		"no scheme":          {"issuer_url", "login.example.com"},
		"without openid":     {"scopes", "email"},
		"no parameter":       {"auth_parameters", "prompt"},
		"our own parameter":  {"auth_parameters", "state=x"},
		"port too great":     {"redirect_port", "65536"},
		"unknown way":        {"grant", "password"},
		"unknown token":      {"use_token", "refresh_token"},
		"another redirect":   {"redirect_host", "example.com"},
		"no certificate":     {"issuer_certificate_authority", "x"},
		"client id of blank": {"client_id", " "},
	} {
		w := &oidcWorld{t: t}
		w.set("server", "https://kube.example.com").set("cluster_name", "kube").set("issuer_url", "https://login.example.com").set("client_id", "c")
		w.set(c.field, c.value)
		settings, err := connector.Types{Type()}.Check(connector.Spec{Type: typeName, Method: methodOIDC, Values: w.values})
		if err == nil {
			_, err = openOIDC(connector.Host{}, settings)
		}
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
