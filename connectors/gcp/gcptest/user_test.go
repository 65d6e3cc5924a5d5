package gcptest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

const jane = "jane@example.com"

func TestADCFilesGetTokens(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	var file map[string]string
	if err := json.Unmarshal([]byte(s.User(jane).ADC()), &file); err != nil || file["type"] != "authorized_user" {
		t.Fatalf("%v %v", file, err)
	}
	config := oauth2.Config{ClientID: file["client_id"], ClientSecret: file["client_secret"], Endpoint: endpoints.Google}
	got, err := config.TokenSource(asGoogle(t, s), &oauth2.Token{RefreshToken: file["refresh_token"]}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if who, ok := s.TokenInfo(got.AccessToken); !ok || who != jane {
		t.Errorf("%s, %v", who, ok)
	}
	if id, _ := got.Extra("id_token").(string); strings.Count(id, ".") != 2 {
		t.Errorf("the ID token is %q", id)
	}
	s.User(jane).Revoke()
	if _, ok := s.TokenInfo(got.AccessToken); ok {
		t.Error("a token is good after all was revoked")
	}
}

func TestRefreshTokensAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, other := w.OAuthClient("desktop"), w.OAuthClient("desktop")
	good, revoked := w.User(jane).RefreshToken(client), w.User(jane).RefreshToken(client)
	w.RevokeToken(revoked)
	reauth := w.User("john@example.com").RefreshToken(client)
	w.User("john@example.com").RequireReauth()
	for what, test := range map[string]struct {
		id, secret, token, scope string
		status                   int
		code, text               string
	}{
		"as it must be":          {client.ID, client.Secret, good, "", 200, "", ""},
		"a scope that it has":    {client.ID, client.Secret, good, emailScope, 200, "", ""},
		"a scope that it lacks":  {client.ID, client.Secret, good, "https://www.googleapis.com/auth/drive", 400, "invalid_scope", "Bad Request"},
		"a scope that is none":   {client.ID, client.Secret, good, "drive", 400, "invalid_scope", "drive"},
		"no such token":          {client.ID, client.Secret, "1//0nothing", "", 400, "invalid_grant", "Bad Request"},
		"a revoked token":        {client.ID, client.Secret, revoked, "", 400, "invalid_grant", "Token has been expired or revoked."},
		"another client's token": {other.ID, other.Secret, good, "", 401, "unauthorized_client", "Unauthorized"},
		"no such client":         {"nobody", client.Secret, good, "", 401, "invalid_client", "The OAuth client was not found."},
		"a wrong secret":         {client.ID, other.Secret, good, "", 401, "invalid_client", "The provided client secret is invalid."},
		"no secret":              {client.ID, "", good, "", 400, "invalid_request", "client_secret is missing."},
		"no client":              {"", "", good, "", 400, "invalid_request", "Could not determine client ID"},
		"reauthentication":       {client.ID, client.Secret, reauth, "", 400, "invalid_grant", "reauth related error (invalid_rapt)"},
	} {
		got := w.post(t, "/token", form("grant_type", "refresh_token", "client_id", test.id, "client_secret", test.secret, "refresh_token", test.token, "scope", test.scope))
		if test.status == http.StatusOK {
			got.good(t)
			continue
		}
		got.oauthRefused(t, what, test.status, test.code, test.text)
		if what == "reauthentication" && got.field(t, "error_subtype") != "invalid_rapt" {
			t.Error(got.body)
		}
	}
	for grant, code := range map[string]string{"": "invalid_request", "password": "unsupported_grant_type"} {
		w.post(t, "/token", form("grant_type", grant)).oauthRefused(t, grant, 400, code, "")
	}
}

// TestTokensEnd: access tokens with their hour, and with what they came from.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.OAuthClient("desktop")
	refresh := w.User(jane).RefreshToken(client)
	token := func() string {
		return w.post(t, "/token", form("grant_type", "refresh_token", "client_id", client.ID, "client_secret", client.Secret, "refresh_token", refresh)).good(t).field(t, "access_token")
	}
	first := token()
	w.advance(time.Hour - time.Second)
	if _, ok := w.TokenInfo(first); !ok {
		t.Error("the token ends too early")
	}
	w.advance(time.Second)
	if _, ok := w.TokenInfo(first); ok {
		t.Error("the token does not end")
	}
	second, third := token(), token()
	w.post(t, "/revoke", form("token", second)).good(t)
	if _, ok := w.TokenInfo(second); ok {
		t.Error("a revoked token is good")
	}
	w.post(t, "/revoke", form("token", refresh)).good(t)
	if _, ok := w.TokenInfo(third); ok {
		t.Error("a token outlives what it came from")
	}
	w.post(t, "/revoke", form("token", "nothing")).oauthRefused(t, "nothing to revoke", 400, "invalid_token", "")
	robot := w.Project("one").ServiceAccount("robot")
	issued := w.IssueToken("serviceAccount:"+robot.Email(), "", time.Hour)
	if who, ok := w.TokenInfo(issued); !ok || who != robot.Email() {
		t.Errorf("%s, %v", who, ok)
	}
	robot.Disable()
	if _, ok := w.TokenInfo(issued); ok {
		t.Error("a disabled account's token is good")
	}
}

func TestTokenInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.IssueToken("user:"+jane, cloudScope+" "+emailScope, 10*time.Minute)
	w.advance(time.Minute)
	posted := w.post(t, "/tokeninfo", form("access_token", token)).good(t)
	asked := w.ask(t, http.MethodGet, "/oauth2/v3/tokeninfo?access_token="+token, nil, "").good(t)
	for _, got := range []reply{posted, asked} {
		if got.field(t, "email") != jane || got.field(t, "email_verified") != "true" || got.field(t, "expires_in") != "540" ||
			got.field(t, "scope") != cloudScope+" "+emailScope || got.field(t, "exp") != itoa(int(w.time().Add(9*time.Minute).Unix())) || got.field(t, "azp") == "" {
			t.Error(got.body)
		}
	}
	shy := w.post(t, "/tokeninfo", form("access_token", w.IssueToken("user:"+jane, cloudScope, time.Hour))).good(t)
	if strings.Contains(shy.body, jane) || strings.Contains(shy.body, "email") {
		t.Errorf("the address is told without its scope: %s", shy.body)
	}
	w.advance(9 * time.Minute)
	for what, text := range map[string]string{"a token that is over": token, "no token": "wrong", "a federated one": w.IssueToken("principal://x", "", time.Hour)} {
		w.post(t, "/tokeninfo", form("access_token", text)).oauthRefused(t, what, 400, "invalid_token", "Invalid Value")
	}
	w.post(t, "/tokeninfo", nil).oauthRefused(t, "nothing", 400, "invalid_request", "access_token")
}

func TestLoginsInABrowser(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	s.Consent(jane)
	client := s.OAuthClient("desktop")
	config := oauth2.Config{ClientID: client.ID, ClientSecret: client.Secret, Endpoint: endpoints.Google, RedirectURL: "http://127.0.0.1:8085/callback", Scopes: []string{"openid", "email", cloudScope}}
	verifier := oauth2.GenerateVerifier()
	page := ask(t, through(t, s), http.MethodGet, config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.AccessTypeOffline), nil, "")
	back, err := (&http.Response{Header: page.header}).Location()
	if err != nil || page.status != http.StatusFound || back.Host != "127.0.0.1:8085" || back.Path != "/callback" || back.Query().Get("state") != "state" {
		t.Fatalf("%d %v %v", page.status, page.header, err)
	}
	got, err := config.Exchange(asGoogle(t, s), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if who, ok := s.TokenInfo(got.AccessToken); !ok || who != jane || got.RefreshToken == "" {
		t.Errorf("%s, %v", who, ok)
	}
	got.Expiry = time.Unix(1, 0)
	again, err := config.TokenSource(asGoogle(t, s), got).Token()
	if err != nil || again.AccessToken == got.AccessToken {
		t.Errorf("the login is not renewed: %v", err)
	}
	if s.Count("accounts", "consent") != 1 || s.Count("oauth2", "token.code") != 1 || s.Count("oauth2", "token.refresh") != 1 {
		t.Errorf("%+v", s.Calls())
	}
}

// login is one that a test changes.
type login struct {
	world    *world
	client   gcptest.Client
	redirect string
}

func newLogin(t *testing.T) login {
	t.Helper()
	l := login{world: newWorld(t), redirect: "http://localhost:9/"}
	l.client = l.world.OAuthClient("desktop")
	return l
}

// page opens the consent page, and returns where it sends the browser.
func (l login) page(t *testing.T, changes ...string) (reply, string) {
	t.Helper()
	query := form("client_id", l.client.ID, "redirect_uri", l.redirect, "response_type", "code", "scope", cloudScope, "code_challenge_method", "plain", "code_challenge", verifier)
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got := ask(t, client, http.MethodGet, l.world.URL()+"/o/oauth2/v2/auth?"+query.Encode(), nil, "")
	if got.status != http.StatusFound {
		return got, ""
	}
	back, err := (&http.Response{Header: got.header}).Location()
	if err != nil {
		t.Fatal(err)
	}
	return got, back.Query().Get("code") + back.Query().Get("error")
}

const verifier = "0123456789012345678901234567890123456789012"

func (l login) exchange(t *testing.T, code string, changes ...string) reply {
	t.Helper()
	in := form("grant_type", "authorization_code", "client_id", l.client.ID, "client_secret", l.client.Secret, "code", code, "redirect_uri", l.redirect, "code_verifier", verifier)
	for i := 0; i < len(changes); i += 2 {
		in.Set(changes[i], changes[i+1])
	}
	return l.world.post(t, "/token", in)
}

func TestTheConsentPageRefuses(t *testing.T) {
	t.Parallel()
	l := newLogin(t)
	if got, _ := l.page(t); got.status != http.StatusOK || !strings.Contains(got.body, "Nobody is here") {
		t.Errorf("where nobody answers: %d %s", got.status, got.body)
	}
	l.world.DenyConsent()
	if _, said := l.page(t); said != "access_denied" {
		t.Errorf("a person who refuses: %s", said)
	}
	l.world.Consent(jane)
	for what, test := range map[string]struct {
		change []string
		status int
		text   string
	}{
		"no such client":            {[]string{"client_id", "nobody"}, 401, "invalid_client"},
		"a device's client":         {[]string{"client_id", l.world.OAuthClient("tv").ID}, 400, "redirect_uri_mismatch"},
		"another redirect":          {[]string{"redirect_uri", "https://example.com/"}, 400, "redirect_uri_mismatch"},
		"a redirect like localhost": {[]string{"redirect_uri", "http://localhost.example.com/"}, 400, "redirect_uri_mismatch"},
		"TLS on this machine":       {[]string{"redirect_uri", "https://127.0.0.1/"}, 400, "redirect_uri_mismatch"},
		"another response":          {[]string{"response_type", "token"}, 400, "response_type"},
		"no scope":                  {[]string{"scope", ""}, 400, "scope"},
		"a scope that is none":      {[]string{"scope", "<all>"}, 400, "&lt;all&gt;"},
		"a short challenge":         {[]string{"code_challenge", "short"}, 400, "challenge"},
		"another challenge":         {[]string{"code_challenge_method", "S512"}, 400, "challenge"},
	} {
		if got, _ := l.page(t, test.change...); got.status != test.status || !strings.Contains(got.body, test.text) {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	for _, redirect := range []string{"http://127.0.0.1:1/x", "http://[::1]:1", "http://localhost"} {
		if got, code := l.page(t, "redirect_uri", redirect); code == "" {
			t.Errorf("%s: %d %s", redirect, got.status, got.body)
		}
	}
}

func TestCodesAreChecked(t *testing.T) {
	t.Parallel()
	l := newLogin(t)
	l.world.Consent(jane)
	other := l.world.OAuthClient("desktop")
	for what, test := range map[string]struct {
		change []string
		status int
		code   string
		text   string
	}{
		"no such code":      {[]string{"code", "4/wrong"}, 400, "invalid_grant", "Malformed auth code."},
		"another client":    {[]string{"client_id", other.ID, "client_secret", other.Secret}, 401, "unauthorized_client", ""},
		"another redirect":  {[]string{"redirect_uri", "http://localhost:10/"}, 400, "redirect_uri_mismatch", ""},
		"no verifier":       {[]string{"code_verifier", ""}, 400, "invalid_grant", "Missing code verifier."},
		"another verifier":  {[]string{"code_verifier", strings.Repeat("x", 43)}, 400, "invalid_grant", "Invalid code verifier."},
		"a wrong secret":    {[]string{"client_secret", "x"}, 401, "invalid_client", ""},
		"no client at all":  {[]string{"client_id", ""}, 400, "invalid_request", ""},
		"no such OAuth one": {[]string{"client_id", "x"}, 401, "invalid_client", "The OAuth client was not found."},
	} {
		_, code := l.page(t)
		l.exchange(t, code, test.change...).oauthRefused(t, what, test.status, test.code, test.text)
	}
	_, code := l.page(t)
	token := l.exchange(t, code).good(t).field(t, "access_token")
	l.exchange(t, code).oauthRefused(t, "a code again", 400, "invalid_grant", "Bad Request")
	if _, ok := l.world.TokenInfo(token); ok {
		t.Error("what a stolen code got is good")
	}
	_, code = l.page(t)
	l.world.advance(10 * time.Minute)
	l.exchange(t, code).oauthRefused(t, "a code too late", 400, "invalid_grant", "Bad Request")
	_, code = l.page(t, "code_challenge", "", "code_challenge_method", "")
	l.exchange(t, code, "code_verifier", "").good(t)
}

func TestDevices(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	s.Consent(jane)
	client := s.OAuthClient("tv")
	config := oauth2.Config{ClientID: client.ID, ClientSecret: client.Secret, Endpoint: endpoints.Google, Scopes: []string{"openid", "email"}}
	device, err := config.DeviceAuth(asGoogle(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if device.VerificationURI != "https://www.google.com/device" || len(device.UserCode) != 9 {
		t.Errorf("%+v", device)
	}
	got, err := config.DeviceAccessToken(asGoogle(t, s), device)
	if err != nil {
		t.Fatal(err)
	}
	if who, ok := s.TokenInfo(got.AccessToken); !ok || who != jane || got.RefreshToken == "" {
		t.Errorf("%s, %v", who, ok)
	}
}

func TestDevicesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, other, desktop := w.OAuthClient("tv"), w.OAuthClient("tv"), w.OAuthClient("desktop")
	start := func(id, scope string) reply { return w.post(t, "/device/code", form("client_id", id, "scope", scope)) }
	start("nobody", "email").oauthRefused(t, "no such client", 401, "invalid_client", "The OAuth client was not found.")
	start(desktop.ID, "email").oauthRefused(t, "a client for browsers", 401, "invalid_client", "Invalid client type.")
	start(client.ID, "").oauthRefused(t, "no scope", 400, "invalid_request", "scope")
	start(client.ID, "all").oauthRefused(t, "a scope that is none", 400, "invalid_scope", "")
	start(client.ID, cloudScope).oauthRefused(t, "a scope that devices cannot have", 400, "invalid_scope", "Invalid device flow scope: "+cloudScope)
	w.DeviceScopes(cloudScope)
	code := start(client.ID, cloudScope).good(t).field(t, "device_code")
	poll := func(c gcptest.Client, code string) reply {
		return w.post(t, "/token", form("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", c.ID, "client_secret", c.Secret, "device_code", code))
	}
	poll(client, "wrong").oauthRefused(t, "no such code", 400, "invalid_grant", "")
	poll(other, code).oauthRefused(t, "another client", 401, "unauthorized_client", "")
	poll(client, code).oauthRefused(t, "nobody has answered", 428, "authorization_pending", "Precondition Required")
	poll(client, code).oauthRefused(t, "too soon", 403, "slow_down", "Forbidden")
	w.advance(5 * time.Second)
	w.DenyConsent()
	poll(client, code).oauthRefused(t, "denied", 403, "access_denied", "Forbidden")
	w.advance(5 * time.Second)
	w.Consent(jane)
	poll(client, code).good(t)
	w.advance(5 * time.Second)
	poll(client, code).oauthRefused(t, "a code again", 400, "invalid_grant", "")
	code = start(client.ID, "email").good(t).field(t, "device_code")
	w.advance(30 * time.Minute)
	poll(client, code).oauthRefused(t, "too late", 400, "expired_token", "")
}
