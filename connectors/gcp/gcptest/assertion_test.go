package gcptest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// key is a key file that was read.
type key struct {
	Email    string `json:"client_email"`
	ID       string `json:"private_key_id"`
	PEM      string `json:"private_key"`
	TokenURI string `json:"token_uri"`
	Project  string `json:"project_id"`
}

func readKey(t *testing.T, file string) key {
	t.Helper()
	var out key
	if err := json.Unmarshal([]byte(file), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// config is x/oauth2's client for the key.
func (k key) config(scopes ...string) *jwt.Config {
	return &jwt.Config{Email: k.Email, PrivateKey: []byte(k.PEM), PrivateKeyID: k.ID, TokenURL: k.TokenURI, Scopes: scopes}
}

// sign makes an assertion, header and claims as they are given.
func (k key) sign(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	block, _ := pem.Decode([]byte(k.PEM))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	head, _ := json.Marshal(header)
	payload, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, parsed.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const assertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

func TestServiceAccountsGetTokensWithTheirKeys(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	account := s.Project("one").ServiceAccount("robot")
	for what, uri := range map[string]string{"Google's address": "", "the plain one": s.URL() + "/token", "a private endpoint": "https://oauth2-mine.p.googleapis.com/token"} {
		file := account.Key()
		if uri != "" {
			file = account.KeyAt(uri)
		}
		config := readKey(t, file).config(cloudScope, emailScope)
		if strings.Contains(uri, ".p.") {
			config.Audience = "https://oauth2.googleapis.com/token"
		}
		ctx := asGoogle(t, s)
		if strings.HasPrefix(uri, s.URL()) {
			ctx = t.Context()
		}
		got, err := config.TokenSource(ctx).Token()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		who, ok := s.TokenInfo(got.AccessToken)
		if left := time.Until(got.Expiry); !ok || who != account.Email() || left > time.Hour || left < 59*time.Minute {
			t.Errorf("%s: %s, %v, for %v", what, who, ok, left)
		}
	}
	if call := s.Calls()[0]; call.Service != "oauth2" || call.Action != "token.jwt-bearer" || call.Principal != account.Email() || call.Code != "" || s.Count("oauth2", "token.jwt-bearer") != 3 {
		t.Errorf("%+v", s.Calls())
	}
}

func TestAssertionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, other := w.Project("one").ServiceAccount("robot"), w.Project("one").ServiceAccount("other")
	k, theirs := readKey(t, account.KeyAt(w.URL()+"/token")), readKey(t, other.Key())
	gone := w.Project("one").ServiceAccount("gone")
	goneKey := readKey(t, gone.Key())
	gone.RevokeKeys()
	disabled := w.Project("one").ServiceAccount("disabled")
	disabledKey := readKey(t, disabled.Key())
	disabled.Disable()
	now := w.time().Unix()
	const times, signature = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.", "Invalid JWT Signature."
	for what, test := range map[string]struct {
		key    key
		header map[string]any
		claims map[string]any
		status int
		code   string
		text   string
	}{
		"as it must be":             {key: k, status: 200},
		"without the key's id":      {key: k, header: map[string]any{"kid": nil}, status: 200},
		"no such account":           {key: k, claims: map[string]any{"iss": "nobody@one.iam.gserviceaccount.com"}, status: 400, code: "invalid_grant", text: "Invalid grant: account not found"},
		"a disabled account":        {key: disabledKey, claims: map[string]any{"iss": disabled.Email()}, status: 400, code: "invalid_grant", text: "Account disabled"},
		"another account's key":     {key: theirs, header: map[string]any{"kid": k.ID}, status: 400, code: "invalid_grant", text: signature},
		"another account's key id":  {key: theirs, status: 400, code: "invalid_grant", text: signature},
		"a deleted key":             {key: goneKey, claims: map[string]any{"iss": gone.Email()}, status: 400, code: "invalid_grant", text: signature},
		"another algorithm":         {key: k, header: map[string]any{"alg": "none"}, status: 400, code: "invalid_grant", text: signature},
		"another audience":          {key: k, claims: map[string]any{"aud": "https://example.com/token"}, status: 400, code: "invalid_grant", text: "The right audience is " + w.URL() + "/token"},
		"Google's audience":         {key: k, claims: map[string]any{"aud": "https://oauth2.googleapis.com/token"}, status: 400, code: "invalid_grant", text: "Failed audience check"},
		"two audiences":             {key: k, claims: map[string]any{"aud": []string{w.URL() + "/token", "b"}}, status: 400, code: "invalid_grant", text: "Failed audience check"},
		"no audience":               {key: k, claims: map[string]any{"aud": nil}, status: 400, code: "invalid_grant", text: "Failed audience check"},
		"over":                      {key: k, claims: map[string]any{"iat": now - 3600, "exp": now}, status: 400, code: "invalid_grant", text: times},
		"too long":                  {key: k, claims: map[string]any{"exp": now + 3601}, status: 400, code: "invalid_grant", text: times},
		"from the future":           {key: k, claims: map[string]any{"iat": now + 301, "exp": now + 3000}, status: 400, code: "invalid_grant", text: times},
		"the end before the begin":  {key: k, claims: map[string]any{"iat": now + 200, "exp": now + 100}, status: 400, code: "invalid_grant", text: times},
		"no times":                  {key: k, claims: map[string]any{"iat": nil, "exp": nil}, status: 400, code: "invalid_grant", text: times},
		"no scope":                  {key: k, claims: map[string]any{"scope": nil}, status: 400, code: "invalid_scope", text: "Invalid OAuth scope"},
		"a scope that is none":      {key: k, claims: map[string]any{"scope": "everything"}, status: 400, code: "invalid_scope", text: "Invalid OAuth scope"},
		"in somebody else's name":   {key: k, claims: map[string]any{"sub": "jane@example.com"}, status: 401, code: "unauthorized_client", text: "Client is unauthorized"},
		"in its own name, outright": {key: k, claims: map[string]any{"sub": account.Email()}, status: 200},
	} {
		header := map[string]any{"alg": "RS256", "kid": test.key.ID, "typ": "JWT"}
		claims := map[string]any{"iss": account.Email(), "aud": w.URL() + "/token", "iat": now, "exp": now + 3600, "scope": cloudScope}
		maps.Copy(header, test.header)
		maps.Copy(claims, test.claims)
		got := w.post(t, "/token", form("grant_type", assertionGrant, "assertion", test.key.sign(t, header, claims)))
		if test.status == http.StatusOK {
			got.good(t)
			continue
		}
		got.oauthRefused(t, what, test.status, test.code, test.text)
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.Project("one").ServiceAccount("robot").Key()
	if !strings.Contains(file, `"universe_domain": "googleapis.com"`) || !strings.Contains(file, `"type": "service_account"`) || readKey(t, file).Project != "one" {
		t.Error("the file of a key lacks something")
	}
	for what, text := range map[string]string{"nothing": "", "no token": "a.b", "no JSON": "a.b.c", "no base64": "%.%.%"} {
		w.post(t, "/token", form("grant_type", assertionGrant, "assertion", text)).oauthRefused(t, what, 400, "invalid_grant", "Bad Request")
	}
}

// claims reads a token without judging it.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %s", token)
	}
	var out map[string]any
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &out) != nil {
		t.Fatalf("no token: %s", token)
	}
	return out
}

func TestServiceAccountsGetIDTokens(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	account := s.Project("one").ServiceAccount("robot")
	config := readKey(t, account.KeyAt(s.URL()+"/token")).config()
	config.UseIDToken, config.PrivateClaims = true, map[string]any{"target_audience": "https://example.com"}
	got, err := config.TokenSource(t.Context()).Token()
	if err != nil {
		t.Fatal(err)
	}
	if all := claims(t, got.AccessToken); all["aud"] != "https://example.com" || all["email"] != account.Email() || all["iss"] != "https://accounts.google.com" {
		t.Errorf("%v", all)
	}
}

// TestAWrongClockIsNoticed: x/oauth2 signs by the process's clock.
func TestAWrongClockIsNoticed(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		s := gcptest.Start(t, gcptest.Options{})
		config := readKey(t, s.Project("one").ServiceAccount("robot").KeyAt(s.URL()+"/token")).config(cloudScope)
		s.Skew(skew)
		_, err := config.TokenSource(t.Context()).Token()
		refusal, ok := err.(*oauth2.RetrieveError) // as it is returned
		if !ok || !strings.Contains(string(refusal.Body), "reasonable timeframe") {
			t.Fatalf("%v: %v", skew, err)
		}
		date, err := http.ParseTime(refusal.Response.Header.Get("Date"))
		if off := time.Until(date); err != nil || off < skew-time.Minute || off > skew+time.Minute {
			t.Errorf("%v: the header says %v, %v", skew, date, err)
		}
		s.Skew(0)
		if _, err := config.TokenSource(t.Context()).Token(); err != nil {
			t.Error(err)
		}
	}
}

// TestOtherHostsGiveTokens: the token_uri may be a host that was given the handler.
func TestOtherHostsGiveTokens(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	s.Route("tokens.example.com", s.Handler())
	s.Universe("apis-berlin-build0.goog", "pkg-berlin-build0.goog")
	for _, uri := range []string{"https://tokens.example.com/token", "https://oauth2.apis-berlin-build0.goog/token", "https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token"} {
		config := readKey(t, s.Project("one").ServiceAccount("robot").KeyAt(uri)).config(cloudScope)
		if _, err := config.TokenSource(asGoogle(t, s)).Token(); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
