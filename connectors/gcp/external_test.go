package gcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// configurationJSON is a configuration of a federation, as gcloud writes it.
func configurationJSON(t *testing.T, audience string, source map[string]any, more map[string]any) string {
	t.Helper()
	object := map[string]any{
		"type": fileExternal, "audience": audience, "subject_token_type": typeJWT, "universe_domain": "googleapis.com",
		"token_url": "https://sts.googleapis.com/v1/token", "credential_source": source,
	}
	for key, value := range more {
		object[key] = value
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// impersonationURL is where tokens of a service account come from.
func impersonationURL(email string) string {
	return "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + email + ":generateAccessToken"
}

// inFolder writes a file.
func inFolder(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func externalFields(configuration string, more fields) fields {
	out := fields{"external_account_json": configuration, "project_id": ownProject}
	for name, value := range more {
		out[name] = value
	}
	return out
}

// poolWorld is a Google with a pool that takes tokens of an issuer.
type poolWorld struct {
	*authWorld
	audience string
}

func newPoolWorld(t *testing.T) *poolWorld {
	t.Helper()
	w := &poolWorld{authWorld: newAuthWorld(t)}
	w.audience = w.project.WorkloadPool("ci", "builds", gcptest.Provider{Issuer: w.Issuer()})
	return w
}

// isOf checks whose a token is.
func (w *poolWorld) isOf(t token, who string) {
	w.t.Helper()
	if got, ok := w.TokenInfo(t.text.Reveal()); !ok || got != who {
		w.t.Errorf("it is a token of %q (%t), not of %q", got, ok, who)
	}
}

func (w *poolWorld) member(subject string) string {
	pool, _, _ := strings.Cut(w.audience, "/providers/")
	return "principal:" + pool + "/subject/" + subject
}

func TestExternalSubjectTokens(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	subject := w.Issuer().Token("main", w.audience)
	folder := t.TempDir()
	inJSON := fmt.Sprintf(`{"value": %q, "other": 1}`, subject)
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+planted || r.Method != http.MethodGet {
			http.Error(rw, "not with "+r.Header.Get("Authorization"), http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprint(rw, inJSON)
	}))
	defer service.Close()
	format := map[string]any{"type": "json", "subject_token_field_name": "value"}
	answer := fmt.Sprintf(`{"version":1,"success":true,"token_type":%q,"id_token":%q}`, typeID, subject)
	var ran []connector.Command
	w.host.Run = func(_ context.Context, command connector.Command) (connector.Finished, error) {
		ran = append(ran, command)
		return connector.Finished{Stdout: []byte(answer + "\n")}, nil
	}
	for name, source := range map[string]map[string]any{
		"file":             {"file": inFolder(t, folder, "text", subject+"\n")},
		"file, JSON":       {"file": inFolder(t, folder, "json", inJSON), "format": format},
		"address":          {"url": service.URL, "headers": map[string]string{"Authorization": "Bearer " + planted}, "format": format},
		"executable":       {"executable": map[string]any{"command": "/opt/token  --for 'two words'", "timeout_millis": 5000}},
		"executable, file": {"executable": map[string]any{"command": "print-token", "output_file": inFolder(t, folder, "kept", strings.Replace(answer, "}", `,"expiration_time":4102444800}`, 1))}},
	} {
		s := w.session(methodExternal, externalFields(configurationJSON(t, w.audience, source, nil), nil))
		got, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead})
		if err != nil {
			t.Errorf("%s: %v (%s)", name, err, fault.HintOf(err))
			continue
		}
		lasts(t, got, time.Hour)
		w.isOf(got, w.member("main"))
		who, err := s.Verify(t.Context())
		pool, _, _ := strings.Cut(w.audience, "/providers/")
		if err != nil || who.Name != "principalSet:"+pool+"/*" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if len(ran) != 2 || ran[0].Program != "/opt/token" || fmt.Sprintf("%q", ran[0].Args) != `["--for" "'two" "words'"]` || ran[0].Dir != w.host.Home ||
		fmt.Sprintf("%q", ran[0].Env) != fmt.Sprintf("%q", []string{
			"GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=" + w.audience, "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=" + typeJWT, "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0",
		}) {
		t.Errorf("it ran %+v", ran)
	}
}

// TestExternalFileIsReadForEveryMint: whoever renews the token is seen.
func TestExternalFileIsReadForEveryMint(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	folder := t.TempDir()
	path := inFolder(t, folder, "token", w.Issuer().Token("one", w.audience))
	f := externalFields(configurationJSON(t, w.audience, map[string]any{"file": path}, nil), nil)
	s := w.session(methodExternal, f)
	first, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead})
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, folder, "token", w.Issuer().Token("two", w.audience))
	second, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageWrite})
	if err != nil {
		t.Fatal(err)
	}
	w.isOf(first, w.member("one"))
	w.isOf(second, w.member("two"))
	if learned := s.source.(learning).learned(""); learned["subject_token_file"] != path {
		t.Errorf("it learned %v", learned)
	}
	f["subject_token_file"] = path
	settings, err := f.settings(methodExternal)
	if err != nil {
		t.Fatal(err)
	}
	if reads := settings.Method.Reads(w.host, settings.Values); len(reads) != 1 || reads[0] != path {
		t.Errorf("it reads %q", reads)
	}
	if learned := w.session(methodExternal, f).source.(learning).learned(""); learned != nil {
		t.Errorf("it learned again %v", learned)
	}
	f["subject_token_file"] = filepath.Join(folder, "other")
	_, err = open(w.host, must(f.settings(methodExternal))(t))
	failsAs(t, err, fault.Invalid, []string{"not the file", "--unset subject_token_file"})
}

// must is a value that has to be there.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%s)", err, fault.HintOf(err))
		}
		return value
	}
}

func TestExternalImpersonates(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	account := w.project.ServiceAccount("deployer")
	account.LetImpersonate(w.member("main"))
	account.MaxLifetime(2 * time.Hour)
	folder := t.TempDir()
	source := map[string]any{"file": inFolder(t, folder, "token", w.Issuer().Token("main", w.audience))}
	more := map[string]any{"service_account_impersonation_url": impersonationURL(account.Email())}
	s := w.session(methodExternal, externalFields(configurationJSON(t, w.audience, source, more), nil))
	got := must(s.tokenFor(t.Context(), purpose{scope: scopeStorageRead}))(t)
	lasts(t, got, time.Hour)
	w.isOf(got, account.Email())
	if who := must(s.Verify(t.Context()))(t); who.Name != account.Email() {
		t.Errorf("%+v", who)
	}
	lasts(t, must(s.tokenFor(t.Context(), purpose{lifetime: 10 * time.Minute}))(t), 10*time.Minute)

	more["service_account_impersonation"] = map[string]any{"token_lifetime_seconds": 5400}
	s = w.session(methodExternal, externalFields(configurationJSON(t, w.audience, source, more), nil))
	lasts(t, must(s.tokenFor(t.Context(), purpose{}))(t), 90*time.Minute)
	lasts(t, must(s.tokenFor(t.Context(), purpose{lifetime: 10 * time.Minute}))(t), 10*time.Minute)

	// Who may not is named as IAM names it.
	stranger := w.project.ServiceAccount("stranger")
	more["service_account_impersonation_url"] = impersonationURL(stranger.Email())
	s = w.session(methodExternal, externalFields(configurationJSON(t, w.audience, source, more), nil))
	_, err := s.tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"may not impersonate " + stranger.Email(), "--member=principalSet://iam.googleapis.com/projects/"})
}

func TestExternalLifetimeIsGooglesWithoutImpersonation(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	f := externalFields(configurationJSON(t, w.audience, map[string]any{"file": "/token"}, nil), nil)
	settings := must(f.settings(methodExternal))(t)
	settings.Expiration = 10 * time.Minute
	_, err := open(w.host, settings)
	failsAs(t, err, fault.Invalid, []string{"impersonates no service account", "leave --expiration out"})
}

func TestExternalKeyFile(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	configuration := configurationJSON(t, w.audience, map[string]any{"file": "/token"}, nil)
	got, err := w.session(methodExternal, externalFields(configuration, fields{"generate_temporary_tokens": false})).
		Mint(t.Context(), connector.Request{ResourceType: genericType, KeyFile: true})
	if key, ok := got.(connector.KeyFile); err != nil || !ok || key.JSON.Reveal() != configuration {
		t.Errorf("%T, %v", got, err)
	}
}

// TestExternalRefusals: what Google says of a subject token is shown, with what to do.
func TestExternalRefusals(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	picky := w.project.WorkloadPool("ci", "picky", gcptest.Provider{Issuer: w.Issuer(), Condition: func(claims map[string]any) bool { return claims["ref"] == "main" }})
	off := w.project.WorkloadPool("ci", "off", gcptest.Provider{Issuer: w.Issuer(), Disabled: true})
	past := time.Now().Add(-2 * time.Hour).Unix()
	for name, test := range map[string]struct {
		audience, subject string
		words             []string
	}{
		"of another audience": {w.audience, w.Issuer().Token("x", "vault"), []string{"does not match the expected audience", "issuer and audience"}},
		"over":                {w.audience, w.Issuer().TokenWith(map[string]any{"sub": "x", "aud": w.audience, "iat": past, "exp": past + 60}), []string{"stale"}},
		"not let in":          {picky, w.Issuer().Token("x", picky), []string{"attribute condition"}},
		"disabled provider":   {off, w.Issuer().Token("x", off), []string{"disabled", "audience"}},
		"no such provider":    {w.audience + "-2", w.Issuer().Token("x", w.audience), []string{"pool or provider", "audience"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := inFolder(t, t.TempDir(), "token", test.subject)
			s := w.session(methodExternal, externalFields(configurationJSON(t, test.audience, map[string]any{"file": path}, map[string]any{"client_secret": planted, "client_id": "x"}), nil))
			_, err := s.tokenFor(t.Context(), purpose{})
			failsAs(t, err, fault.Denied, append(test.words, "Security Token Service"), planted, test.subject)
		})
	}
}

// TestExternalShowsNoSecrets: a service that repeats what it is sent does not make us show it.
func TestExternalShowsNoSecrets(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	w.Route("sts.example.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		_ = r.ParseForm()
		_ = json.NewEncoder(rw).Encode(map[string]string{"error": "invalid_grant", "error_description": fmt.Sprint(r.Form, r.Header)})
	}))
	const subject = "subject-" + planted
	path := inFolder(t, t.TempDir(), "token", subject)
	s := w.session(methodExternal, externalFields(configurationJSON(t, w.audience, map[string]any{"file": path}, map[string]any{
		"token_url": "https://sts.example.com/", "client_id": "me", "client_secret": "secret-" + planted,
	}), nil))
	_, err := s.tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"invalid_grant"}, planted, "bWU6c2VjcmV0") // base64 of me:secret…
}
