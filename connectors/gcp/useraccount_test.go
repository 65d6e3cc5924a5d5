package gcp

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func userFields(login string) fields {
	return fields{"user_account_json": login, "project_id": ownProject}
}

func TestUserAccount(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	jane := w.User("jane@example.com")
	login := changed(t, jane.ADC(), map[string]any{"quota_project_id": "acme-bills"})
	s := w.session(methodUserAccount, userFields(login))
	got, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead})
	if err != nil {
		t.Fatal(err)
	}
	lasts(t, got, time.Hour)
	if name, ok := w.TokenInfo(got.text.Reveal()); !ok || name != jane.Email() {
		t.Errorf("it is a token of %q (%t)", name, ok)
	}
	who, err := s.Verify(t.Context())
	if err != nil || who.Name != jane.Email() || len(who.Learned) > 0 {
		t.Errorf("%+v, %v", who, err)
	}
	if handed := s.handOut(got); handed.QuotaProject != "acme-bills" || handed.Project != ownProject {
		t.Errorf("%+v", handed)
	}
	// The scopes are those of the login: one token serves for all purposes.
	if n, m := w.Count("oauth2", "token.refresh"), w.Count("oauth2", "tokeninfo"); n != 1 || m != 1 {
		t.Errorf("%d refreshes, %d questions", n, m)
	}
	if s.Renewed() != nil {
		t.Error("what was made elsewhere is renewed")
	}
}

func TestUserAccountsThatAreRefused(t *testing.T) {
	t.Parallel()
	adc := filepath.Join(".config", "gcloud", "application_default_credentials.json")
	for name, c := range map[string]struct {
		prepare func(w *authWorld, jane *gcptest.User, login string) string
		kind    fault.Kind
		words   []string
	}{
		"revoked": {func(_ *authWorld, jane *gcptest.User, login string) string {
			jane.Revoke()
			return login
		}, fault.Denied, []string{"no longer good", "gcloud auth application-default login", "svcconn update NAME --set user_account_json=@", adc}},
		"to log in again": {func(_ *authWorld, jane *gcptest.User, login string) string {
			jane.RequireReauth()
			return login
		}, fault.NeedsPerson, []string{"invalid_rapt", "gcloud auth application-default login", "svcconn update NAME"}},
		"another refresh token": {func(_ *authWorld, _ *gcptest.User, login string) string {
			return changed(t, login, map[string]any{"refresh_token": "1//" + planted})
		}, fault.Denied, []string{"no longer good"}},
		"another secret": {func(_ *authWorld, _ *gcptest.User, login string) string {
			return changed(t, login, map[string]any{"client_secret": planted})
		}, fault.Denied, []string{"client_secret"}},
		"a server that is away": {func(_ *authWorld, _ *gcptest.User, login string) string {
			return changed(t, login, map[string]any{"token_uri": "http://127.0.0.1:1/token"})
		}, fault.Unavailable, nil},
		"a server that repeats what it is sent": {func(w *authWorld, _ *gcptest.User, login string) string {
			w.Route("tokens.example.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reply(w, http.StatusBadRequest, object("error", "invalid_grant", "error_description", "no good: "+r.FormValue("refresh_token")+" "+r.FormValue("client_secret")))
			}))
			return changed(t, login, map[string]any{"token_uri": "https://tokens.example.com/token", "refresh_token": planted})
		}, fault.Denied, []string{"no good"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAuthWorld(t)
			jane := w.User("jane@example.com")
			login := c.prepare(w, jane, jane.ADC())
			_, err := w.session(methodUserAccount, userFields(login)).Verify(t.Context())
			failsAs(t, err, c.kind, c.words, planted, inFile(t, login, "refresh_token"), inFile(t, login, "client_secret"))
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestUserAccountFields(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	login := w.User("jane@example.com").ADC()
	for name, c := range map[string]struct {
		fields fields
		words  []string
	}{
		"nothing":                       {fields{}, []string{"has no login", "--set user_account_json=@", "--set client_id="}},
		"both":                          {fields{"user_account_json": login, "client_id": "x"}, []string{"both user_account_json and client_id"}},
		"a secret of no client":         {fields{"user_account_json": login, "client_secret": planted}, []string{"--unset"}},
		"a refresh token of no client":  {fields{"user_account_json": login, "refresh_token": planted}, []string{"--unset"}},
		"another way to log in":         {fields{"client_id": "x", "login_flow": "phone"}, []string{"login_flow"}},
		"a scope with a space":          {fields{"client_id": "x", "login_scopes": []string{"a b"}}, []string{"login_scopes", "separated by commas"}},
		"a login without its project":   {fields{"client_id": "x", "project_id": ""}, []string{"project_id"}},
		"an expiration of the person's": {fields{"client_id": "x", "lifetime": "1h"}, []string{"lifetime"}},
	} {
		if _, ok := c.fields["project_id"]; !ok {
			c.fields["project_id"] = ownProject
		}
		settings, err := c.fields.settings(methodUserAccount)
		if err == nil {
			_, err = open(w.host, settings)
		}
		if t.Run(name, func(t *testing.T) { failsAs(t, err, fault.Invalid, c.words, planted) }); t.Failed() {
			return
		}
	}
}

// tokenServer is an authorization server that replaces refresh tokens at every use, as
// those of workforce pools may.
type tokenServer struct {
	mu      sync.Mutex
	current string
	uses    int
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client, secret, _ := r.BasicAuth()
	switch {
	case r.URL.Path == "/introspect" && client == "pool client" && secret == "s%3 é" && r.FormValue("token") != "":
		reply(w, http.StatusOK, `{"active":true,"username":"principal://iam.googleapis.com/locations/global/workforcePools/p/subject/jane"}`)
	case client != "pool client" || secret != "s%3 é" || r.FormValue("refresh_token") != s.current:
		reply(w, http.StatusBadRequest, `{"error":"invalid_grant","error_description":"The refresh token is not good."}`)
	default:
		s.uses++
		s.current += "+"
		reply(w, http.StatusOK, object("access_token", "ya29.d.token", "token_type", "Bearer", "expires_in", 3600, "refresh_token", s.current))
	}
}

// basicUnescaped undoes the escapes of RFC 6749, section 2.3.1.
func basicUnescaped(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, secret, _ := r.BasicAuth()
		r.SetBasicAuth(unescaped(client), unescaped(secret))
		inner.ServeHTTP(w, r)
	})
}

// A login of a workforce pool refreshes at its own server, says by its client who asks, and
// uses each refresh token once however many ask.
func TestWorkforceUser(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	server := &tokenServer{current: "first-" + planted}
	w.Route("sts.example.com", basicUnescaped(server))
	login := object("type", fileExternalUser, "audience", "//iam.googleapis.com/locations/global/workforcePools/p/providers/q", "client_id", "pool client",
		"client_secret", "s%3 é", "refresh_token", "first-"+planted, "token_url", "https://sts.example.com/token", "token_info_url", "https://sts.example.com/introspect")
	s := w.session(methodUserAccount, userFields(login))
	who, err := s.Verify(t.Context())
	if err != nil || who.Name != "principal://iam.googleapis.com/locations/global/workforcePools/p/subject/jane" {
		t.Fatalf("%+v, %v", who, err)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := s.source.token(t.Context(), purpose{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if server.uses != 11 {
		t.Errorf("%d uses", server.uses)
	}
	if n := w.Count("oauth2", ""); n != 0 {
		t.Errorf("Google's own server was asked %d times", n)
	}
	// Another session has the first one still, which was spent.
	_, err = w.session(methodUserAccount, userFields(login)).Verify(t.Context())
	failsAs(t, err, fault.Denied, []string{"no longer good", "--login-config=FILE", "svcconn update NAME --set user_account_json"}, planted, "s%3 é")
}

// What is read from a file of somebody's is told to be renewed there.
func TestSomebodysLoginIsRevoked(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	jane := w.User("jane@example.com")
	path := filepath.Join(t.TempDir(), "adc.json")
	if err := os.WriteFile(path, []byte(jane.ADC()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := w.session(methodImpersonation, fields{"source_credentials_file": path, "target_principal": "robot@acme-prod.iam.gserviceaccount.com"})
	jane.Revoke()
	_, err := s.tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"the source: ", "gcloud auth application-default login"})
	if hint := fault.HintOf(err); hint != "log in anew: gcloud auth application-default login" {
		t.Errorf("the hint: %s", hint)
	}
	if !s.settings.Method.IsAmbient(s.settings.Values) {
		t.Error("it takes somebody's identity without being allowed to")
	}
	if files := s.settings.Method.Reads(connector.Host{}, s.settings.Values); len(files) != 1 || files[0] != path {
		t.Errorf("it reads %v", files)
	}
}
