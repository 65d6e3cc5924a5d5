package gcptest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// supplier gives x/oauth2 a subject token of the fake's issuer.
type supplier struct {
	issuer   *gcptest.Issuer
	audience string
}

func (s supplier) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return s.issuer.Token("repo:one", s.audience), nil
}

func TestWorkloadsGetTokens(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	p := s.Project("one")
	audience := p.WorkloadPool("ci", "github", gcptest.Provider{Issuer: s.Issuer()})
	if audience != "//iam.googleapis.com/projects/"+p.Number()+"/locations/global/workloadIdentityPools/ci/providers/github" {
		t.Error(audience)
	}
	member := "principal://iam.googleapis.com/projects/" + p.Number() + "/locations/global/workloadIdentityPools/ci/subject/repo:one"
	robot := p.ServiceAccount("robot")
	robot.LetImpersonate(member)
	for impersonation, want := range map[string]string{
		"": member, "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + robot.Email() + ":generateAccessToken": robot.Email(),
	} {
		source, err := externalaccount.NewTokenSource(asGoogle(t, s), externalaccount.Config{
			Audience: audience, SubjectTokenType: jwtType, SubjectTokenSupplier: supplier{s.Issuer(), audience}, Scopes: []string{cloudScope},
			ServiceAccountImpersonationURL: impersonation,
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		if who, ok := s.TokenInfo(got.AccessToken); !ok || who != want || time.Until(got.Expiry) < 59*time.Minute {
			t.Errorf("%s, %v, until %v", who, ok, got.Expiry)
		}
	}
	if s.Count("sts", "exchange") != 2 || s.Count("iamcredentials", "generateAccessToken") != 1 || s.Count("sts", "downscope") != 0 {
		t.Errorf("%+v", s.Calls())
	}
}

func TestSubjectTokensAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("one")
	issuer, now := w.Issuer(), w.time().Unix()
	audience := p.WorkloadPool("ci", "github", gcptest.Provider{Issuer: issuer})
	custom := p.WorkloadPool("ci", "custom", gcptest.Provider{Issuer: issuer, Audiences: []string{"mine"}})
	closed := p.WorkloadPool("ci", "closed", gcptest.Provider{Issuer: issuer, Disabled: true})
	picky := p.WorkloadPool("ci", "picky", gcptest.Provider{Issuer: issuer, Condition: func(claims map[string]any) bool { return claims["ref"] == "main" }})
	amazon := p.WorkloadPool("ci", "aws", gcptest.Provider{AWS: func(*http.Request) (string, error) { return "", nil }})
	token := func(changes ...any) string {
		claims := map[string]any{"sub": "one", "aud": audience}
		for i := 0; i < len(changes); i += 2 {
			claims[changes[i].(string)] = changes[i+1]
		}
		return issuer.TokenWith(claims)
	}
	forged := token()[:strings.LastIndexByte(token(), '.')+1] + "AAAA"
	for what, test := range map[string]struct {
		change []string // of the form
		token  string
		status int
		code   string
		text   string
	}{
		"as it must be":               {nil, token(), 200, "", ""},
		"an ID token":                 {[]string{"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"}, token(), 200, "", ""},
		"the audience with https:":    {nil, token("aud", "https:"+audience), 200, "", ""},
		"the provider's own audience": {[]string{"audience", custom}, token("aud", "mine"), 200, "", ""},
		"the claims that are wanted":  {[]string{"audience", picky}, token("aud", picky, "ref", "main"), 200, "", ""},
		"another audience":            {nil, token("aud", "https://example.com"), 400, "invalid_grant", "The audience in ID Token [https://example.com] does not match the expected audience."},
		"the usual one, not the own":  {[]string{"audience", custom}, token("aud", custom), 400, "invalid_grant", "audience"},
		"another issuer":              {nil, token("iss", "https://example.com"), 400, "invalid_grant", "The issuer in ID Token https://example.com does not match"},
		"over":                        {nil, token("exp", now), 400, "invalid_grant", "stale"},
		"without an end":              {nil, token("exp", nil), 400, "invalid_grant", "stale"},
		"from the future":             {nil, token("iat", now+400), 400, "invalid_grant", "future"},
		"without a subject":           {nil, token("sub", nil), 400, "invalid_grant", "google.subject"},
		"a long subject":              {nil, token("sub", strings.Repeat("x", 128)), 400, "invalid_request", "127 bytes"},
		"a forged signature":          {nil, forged, 400, "invalid_grant", "Signature"},
		"no token":                    {nil, "wrong", 400, "invalid_request", "parse"},
		"claims that are refused":     {[]string{"audience", picky}, token("aud", picky), 400, "unauthorized_client", "attribute condition"},
		"a provider that is disabled": {[]string{"audience", closed}, token("aud", closed), 400, "invalid_target", "The target service indicated by the \"audience\" parameters is invalid."},
		"no such provider":            {[]string{"audience", audience + "x"}, token(), 400, "invalid_target", ""},
		"no such pool":                {[]string{"audience", strings.Replace(audience, "/ci/", "/cd/", 1)}, token(), 400, "invalid_target", ""},
		"for a provider of AWS":       {[]string{"audience", amazon}, token(), 400, "invalid_request", "type"},
	} {
		got := w.exchangeJWT(t, audience, test.token, test.change...)
		if test.status == http.StatusOK {
			if got.good(t).field(t, "issued_token_type") != accessType || got.field(t, "expires_in") != "3600" || got.field(t, "token_type") != "Bearer" {
				t.Errorf("%s: %s", what, got.body)
			}
			continue
		}
		got.oauthRefused(t, what, test.status, test.code, test.text)
	}
}

// exchangeJWT exchanges a subject token, with changes of the usual form.
func (w *world) exchangeJWT(t *testing.T, audience, token string, changes ...string) reply {
	t.Helper()
	in := form("grant_type", exchange, "audience", audience, "scope", cloudScope, "requested_token_type", accessType, "subject_token_type", jwtType, "subject_token", token)
	for i := 0; i < len(changes); i += 2 {
		in.Set(changes[i], changes[i+1])
	}
	return w.post(t, "/v1/token", in)
}

func TestExchangesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audience := w.Project("one").WorkloadPool("ci", "github", gcptest.Provider{Issuer: w.Issuer()})
	token := w.Issuer().Token("one", audience)
	for what, test := range map[string]struct{ field, value, code, text string }{
		"no scope":                       {"scope", "", "invalid_scope", ""},
		"a scope that is none":           {"scope", "all", "invalid_scope", ""},
		"another grant":                  {"grant_type", "password", "unsupported_grant_type", ""},
		"no subject token":               {"subject_token", "", "invalid_request", "subject_token"},
		"another type of subject token":  {"subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request", "subject_token_type"},
		"another type of what is wanted": {"requested_token_type", jwtType, "invalid_request", "requested_token_type"},
		"an audience that is none":       {"audience", "https:" + audience, "invalid_request", "Invalid value for \"audience\""},
	} {
		w.exchangeJWT(t, audience, token, test.field, test.value).oauthRefused(t, what, 400, test.code, test.text)
	}
}

// federated gets an access token through a pool.
func (w *world) federated(t *testing.T, audience, subject string, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"sub": subject, "aud": audience}
	for name, value := range claims {
		all[name] = value
	}
	return w.exchangeJWT(t, audience, w.Issuer().TokenWith(all)).good(t).field(t, "access_token")
}

func TestMembersOfPools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audience := w.Project("one").WorkloadPool("ci", "github", gcptest.Provider{Issuer: w.Issuer(), Attributes: map[string]string{"repository": "repo"}})
	pool := strings.TrimSuffix(strings.TrimPrefix(audience, "//"), "/providers/github")
	token := w.federated(t, audience, "me", map[string]any{"repo": "one/two"})
	for member, good := range map[string]bool{
		"principal://" + pool + "/subject/me":                                true,
		"principal://" + pool + "/subject/you":                               false,
		"principalSet://" + pool + "/attribute.repository/one/two":           true,
		"principalSet://" + pool + "/attribute.repository/one/three":         false,
		"principalSet://" + pool + "/*":                                      true,
		"principalSet://" + strings.Replace(pool, "/ci", "/cd", 1) + "/*":    false,
		"allAuthenticatedUsers":                                              true,
		"allUsers":                                                           true,
		"serviceAccount:me@one.iam.gserviceaccount.com":                      false,
		"user:principal://" + pool + "/subject/me":                           false,
		"principal://" + strings.TrimPrefix(pool, "iam.") + "/subject/me":    false,
		"principal://" + pool + "/subject/me/attribute.repository/one/two/*": false,
	} {
		robot := w.Project("one").ServiceAccount("robot" + itoa(len(w.Calls())))
		robot.LetImpersonate(member)
		if got := w.impersonate(t, bearer(token), robot.Email(), cloudBody); (got.status == http.StatusOK) != good {
			t.Errorf("%s: %d", member, got.status)
		}
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audience := w.Project("one").WorkloadPool("ci", "github", gcptest.Provider{Issuer: w.Issuer()})
	token := w.federated(t, audience, "me", nil)
	got := w.post(t, "/v1/introspect", form("token", token, "token_type_hint", accessType)).good(t)
	if got.field(t, "active") != "true" || !strings.HasSuffix(got.field(t, "username"), "/workloadIdentityPools/ci/subject/me") || got.field(t, "exp") != itoa(int(w.time().Add(time.Hour).Unix())) {
		t.Error(got.body)
	}
	w.RevokeToken(token)
	for what, text := range map[string]string{"revoked": token, "none": "x", "an account's": w.IssueToken("user:"+jane, "", time.Hour)} {
		if got := w.post(t, "/v1/introspect", form("token", text)).good(t); got.field(t, "active") != "false" {
			t.Errorf("%s: %s", what, got.body)
		}
	}
}

func TestWorkforceLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audience := w.WorkforcePool("staff", "okta", gcptest.Provider{Issuer: w.Issuer()})
	if w.WorkforceLogin(audience+"x", "jane") != "" {
		t.Error("there is a login of a pool that is none")
	}
	var file map[string]string
	if err := json.Unmarshal([]byte(w.WorkforceLogin(audience, "jane")), &file); err != nil || file["type"] != "external_account_authorized_user" || file["token_url"] != "https://sts.googleapis.com/v1/oauthtoken" {
		t.Fatalf("%v %v", file, err)
	}
	refresh := func(token string) reply {
		return w.post(t, "/v1/oauthtoken", form("grant_type", "refresh_token", "client_id", file["client_id"], "client_secret", file["client_secret"], "refresh_token", token))
	}
	first := refresh(file["refresh_token"]).good(t)
	if who, ok := w.TokenInfo(first.field(t, "access_token")); !ok || who != "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/jane" {
		t.Errorf("%s, %v", who, ok)
	}
	refresh(file["refresh_token"]).oauthRefused(t, "one that was used", 400, "invalid_grant", "")
	refresh(first.field(t, "refresh_token")).good(t)
	refresh(w.User(jane).RefreshToken(gcptest.Client{ID: file["client_id"]})).oauthRefused(t, "one of the authorization server", 400, "invalid_grant", "")
	w.post(t, "/v1/oauthtoken", form("grant_type", "x")).oauthRefused(t, "another grant", 400, "unsupported_grant_type", "")
	w.post(t, "/v1/oauthtoken", form("grant_type", "refresh_token")).oauthRefused(t, "no client", 400, "invalid_request", "")
}
