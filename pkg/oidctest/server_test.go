package oidctest

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const verifier = "a-verifier-that-is-long-enough-for-the-standard"

// client talks to an issuer as a program does, and follows no redirects.
type client struct {
	*testing.T
	*Server
	http *http.Client
}

func newClient(t *testing.T, options Options) client {
	s := Start(t, options)
	return client{t, s, &http.Client{
		Transport:     s.InProcess(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:])
}

func loginForm() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {DefaultClient}, "redirect_uri": {"http://127.0.0.1:1/"}, "scope": {"openid offline_access"},
		"state": {strings.Repeat("s", 16)}, "nonce": {strings.Repeat("n", 16)}, "code_challenge_method": {"S256"}, "code_challenge": {challenge()},
	}
}

// authorize returns where the browser is sent; nil where it stays.
func (c client) authorize(form url.Values) url.Values {
	response, err := c.http.Get(c.URL() + string(Authorization) + "?" + form.Encode())
	if err != nil {
		c.Fatal(err)
	}
	back, err := response.Location()
	if err != nil {
		return nil
	}
	return back.Query()
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {DefaultClient}, "redirect_uri": {"http://127.0.0.1:1/"},
		"code": {code}, "code_verifier": {verifier}}
}

type answer struct {
	IDToken string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
	Device  string `json:"device_code"`
	Page    string `json:"verification_uri_complete"`
}

func (c client) post(endpoint Endpoint, form url.Values) (out answer) {
	response, err := c.http.PostForm(c.URL()+string(endpoint), form)
	if err != nil {
		c.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(body, &out) != nil {
		c.Fatalf("%s, %v", body, err)
	}
	return out
}

func (c client) code() string { return c.authorize(loginForm()).Get("code") }

func TestAuthorizeIsStrict(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{ES256: true})
	for field, value := range map[string]string{
		"client_id": "other", "redirect_uri": "http://127.0.0.1.evil.tld:1/", "response_type": "token", "scope": "email", "state": "short",
		"nonce": "", "code_challenge_method": "plain", "code_challenge": "x",
	} {
		form := loginForm()
		form.Set(field, value)
		if got := c.authorize(form); got.Has("code") {
			t.Errorf("%s=%q gives a code", field, value)
		}
	}
	for _, redirect := range []string{"https://127.0.0.1:1/", "http://example.com:1/", "http://127.0.0.1/", "myapp:/x"} {
		form := loginForm()
		form.Set("redirect_uri", redirect)
		if got := c.authorize(form); got != nil {
			t.Errorf("the browser is sent to %s", redirect)
		}
	}
	c.Behave(func(b *Behaviour) { b.Deny = true })
	if got := c.authorize(loginForm()); got.Get("error") != "access_denied" || got.Get("state") != strings.Repeat("s", 16) {
		t.Errorf("denied: %v", got)
	}
	c.Behave(func(b *Behaviour) { b.TamperState = true })
	if got := c.authorize(loginForm()); got.Get("state") == strings.Repeat("s", 16) {
		t.Errorf("tampered: %v", got)
	}
}

func TestTokenEndpointIsStrict(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{ES256: true, Clients: map[string]Client{
		DefaultClient: {}, "secretive": {Secret: "s"}, "posting": {Secret: "s", Post: true},
	}})
	for field, value := range map[string]string{"code_verifier": strings.Repeat("x", 50), "redirect_uri": "http://127.0.0.1:2/", "code": "other"} {
		form := codeForm(c.code())
		form.Set(field, value)
		if got := c.post(Token, form); got.Error != "invalid_grant" {
			t.Errorf("%s=%q: %+v", field, value, got)
		}
	}
	code := c.code()
	if got := c.post(Token, codeForm(code)); got.IDToken == "" || got.Refresh == "" {
		t.Errorf("a good code: %+v", got)
	}
	if got := c.post(Token, codeForm(code)); got.Error != "invalid_grant" {
		t.Errorf("a code used twice: %+v", got)
	}
	for _, form := range []url.Values{
		{"client_id": {"nobody"}}, {"client_id": {DefaultClient}, "client_secret": {"x"}},
		{"client_id": {"secretive"}, "client_secret": {"s"}}, {"client_id": {"posting"}, "client_secret": {"wrong"}}, {"client_id": {"posting"}},
	} {
		if got := c.post(Token, form); got.Error != "invalid_client" {
			t.Errorf("%v: %+v", form, got)
		}
	}
	if got := c.post(Token, url.Values{"client_id": {"posting"}, "client_secret": {"s"}, "grant_type": {"password"}}); got.Error != "unsupported_grant_type" {
		t.Errorf("a password: %+v", got)
	}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {DefaultClient}, "refresh_token": {token}}
}

func TestRotationAndReuse(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{ES256: true, Behaviour: Behaviour{Rotate: true}})
	first := c.RefreshToken(DefaultClient)
	second := c.post(Token, refreshForm(first)).Refresh
	third := c.post(Token, refreshForm(second)).Refresh
	if second == "" || third == "" || second == first || third == second {
		t.Fatal("the refresh token is not replaced")
	}
	if got := c.post(Token, refreshForm(first)); got.Error != "invalid_grant" {
		t.Errorf("a spent token: %+v", got)
	}
	if got := c.post(Token, refreshForm(third)); got.Error != "invalid_grant" {
		t.Errorf("after that, the good one: %+v", got)
	}
	c.Behave(func(b *Behaviour) { b.Rotate = false })
	steady := c.RefreshToken(DefaultClient)
	for range 2 {
		if got := c.post(Token, refreshForm(steady)); got.IDToken == "" || got.Refresh != "" {
			t.Errorf("without rotation: %+v", got)
		}
	}
	c.Revoke()
	if got := c.post(Token, refreshForm(steady)); got.Error != "invalid_grant" {
		t.Errorf("revoked: %+v", got)
	}
}

func TestDeviceGrant(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	c := newClient(t, Options{ES256: true, Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	begin := func() answer {
		return c.post(DeviceAuthorization, url.Values{"client_id": {DefaultClient}, "scope": {"openid offline_access"}})
	}
	device := begin()
	poll := func(d answer, wait int64, want string) {
		t.Helper()
		now.Add(wait)
		form := url.Values{"grant_type": {DeviceGrant}, "client_id": {DefaultClient}, "device_code": {d.Device}}
		if got := c.post(Token, form); got.Error != want || want == "" && got.IDToken == "" {
			t.Errorf("after %d s: %+v, want %q", wait, got, want)
		}
	}
	poll(device, 5, "authorization_pending")
	poll(device, 1, "slow_down")
	poll(device, 5, "slow_down")
	poll(device, 15, "authorization_pending")
	if _, err := c.http.Get(device.Page); err != nil {
		t.Fatal(err)
	}
	poll(device, 15, "")
	poll(device, 15, "invalid_grant")
	device = begin()
	poll(device, 601, "expired_token")
	c.Behave(func(b *Behaviour) { b.Deny, b.DevicePolls = true, 1 })
	device = begin()
	poll(device, 5, "authorization_pending")
	poll(device, 5, "access_denied")
}

func TestTokensAreKnownWhileTheyLast(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	c := newClient(t, Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }, Behaviour: Behaviour{Subject: "joe", Claims: map[string]any{"groups": []string{"g"}}}})
	token := c.post(Token, codeForm(c.code())).IDToken
	if claims, ok := c.Knows(token); !ok || claims["sub"] != "joe" || claims["nonce"] != strings.Repeat("n", 16) || claims["groups"] == nil {
		t.Errorf("%v, %t", claims, ok)
	}
	now.Add(301)
	if _, ok := c.Knows(token); ok {
		t.Error("an expired token is known")
	}
	c.Behave(func(b *Behaviour) { b.BadSignature = true })
	if _, ok := c.Knows(c.post(Token, codeForm(c.code())).IDToken); ok {
		t.Error("a forged token is known")
	}
	if c.Count(Token) != 2 || c.Count(Authorization) != 2 || c.Count(Discovery) != 0 {
		t.Error("requests are counted wrongly")
	}
}

func TestTLSAndAddress(t *testing.T) {
	t.Parallel()
	first := Start(t, Options{ES256: true, TLS: true})
	if !strings.HasPrefix(first.URL(), "https://127.0.0.1:") || !strings.Contains(first.CertificateAuthority(), "CERTIFICATE") {
		t.Errorf("%s, %s", first.URL(), first.CertificateAuthority())
	}
	address := strings.TrimPrefix(first.URL(), "https://")
	if _, err := New(Options{ES256: true, Addr: address}); err == nil {
		t.Error("two listen on one address")
	}
	first.Close()
	second := Start(t, Options{ES256: true, Addr: address})
	if second.URL() != "http://"+address || second.CertificateAuthority() != "" {
		t.Errorf("%s, %q", second.URL(), second.CertificateAuthority())
	}
}
