package gcp

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	robot := w.project.ServiceAccount("robot")
	s := w.session(methodServiceAccount, fields{"service_account_json": robot.Key()})
	got, err := s.tokenFor(t.Context(), purpose{})
	if err != nil {
		t.Fatal(err)
	}
	lasts(t, got, time.Hour)
	if name, ok := w.TokenInfo(got.text.Reveal()); !ok || name != robot.Email() || got.principal != robot.Email() {
		t.Errorf("it is a token of %q (%t), and %q is said", name, ok, got.principal)
	}
	who, err := s.Verify(t.Context())
	if err != nil || who.Name != robot.Email() || who.Learned["project_id"] != ownProject {
		t.Errorf("%+v, %v", who, err)
	}
	// One exchange proves who we are: nothing else is asked.
	if n, all := w.Count("oauth2", "token.jwt-bearer"), len(w.Calls()); n != 1 || all != 1 {
		t.Errorf("%d exchanges of %d calls", n, all)
	}
	if handed := s.handOut(got); handed.Principal != robot.Email() || handed.Project != ownProject || handed.Universe != "googleapis.com" || !handed.Expires.Equal(got.expires) {
		t.Errorf("%+v", handed)
	}
}

// A token has the scope that it is for, and tokens for purposes that differ in the lifetime
// alone are one.
func TestServiceAccountScopes(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	s := w.session(methodServiceAccount, fields{"service_account_json": w.project.ServiceAccount("robot").Key()})
	narrow, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.tokenInfo(t.Context(), narrow.text)
	if err != nil || info.Scope != scopeStorageRead {
		t.Errorf("scope %q, %v", info.Scope, err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := s.tokenFor(t.Context(), purpose{lifetime: time.Duration(i%2) * time.Minute}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.Count("oauth2", "token.jwt-bearer"); n != 2 {
		t.Errorf("%d exchanges", n)
	}
}

// The exchange is where the key says.
func TestServiceAccountElsewhere(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	robot := w.project.ServiceAccount("robot")
	w.Route("tokens.example.com", w.Handler())
	for name, key := range map[string]string{
		"on this machine":      robot.KeyAt(w.URL() + "/token"),
		"at a host":            robot.KeyAt("https://tokens.example.com/token"),
		"where nothing's said": changed(t, robot.Key(), map[string]any{"token_uri": nil}),
	} {
		if _, err := w.session(methodServiceAccount, fields{"service_account_json": key}).tokenFor(t.Context(), purpose{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServiceAccountsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(w *authWorld, robot *gcptest.ServiceAccount, key string) string
		kind    fault.Kind
		words   []string
	}{
		"a key that was deleted": {func(_ *authWorld, robot *gcptest.ServiceAccount, key string) string {
			robot.RevokeKeys()
			return key
		}, fault.Denied, []string{"invalid_grant"}},
		"an account that is disabled": {func(_ *authWorld, robot *gcptest.ServiceAccount, key string) string {
			robot.Disable()
			return key
		}, fault.Denied, nil},
		"another account's key": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			return changed(t, key, map[string]any{"client_email": "other@acme-prod.iam.gserviceaccount.com"})
		}, fault.Denied, nil},
		"a clock that is behind": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			w.Skew(3 * time.Hour)
			return key
		}, fault.Denied, []string{"clock"}},
		"a clock that is ahead": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			w.Skew(-3 * time.Hour)
			return key
		}, fault.Denied, []string{"clock"}},
		"nobody there": {func(_ *authWorld, robot *gcptest.ServiceAccount, key string) string {
			return changed(t, key, map[string]any{"token_uri": "http://127.0.0.1:1/token"})
		}, fault.Unavailable, []string{"127.0.0.1:1"}},
		"something else there": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			w.route("tokens.example.com", http.StatusOK, "<p>hello")
			return changed(t, key, map[string]any{"token_uri": "https://tokens.example.com/token"})
		}, fault.Invalid, []string{"not Google's"}},
		"no expiry": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			w.route("tokens.example.com", http.StatusOK, object("access_token", planted))
			return changed(t, key, map[string]any{"token_uri": "https://tokens.example.com/token"})
		}, fault.Failed, []string{"until when"}},
		"a server that repeats what it is sent": {func(w *authWorld, _ *gcptest.ServiceAccount, key string) string {
			w.Route("tokens.example.com", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reply(w, http.StatusBadRequest, object("error", "invalid_grant", "error_description", "no good: "+r.FormValue("assertion")))
			}))
			return changed(t, key, map[string]any{"token_uri": "https://tokens.example.com/token"})
		}, fault.Denied, []string{"no good"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAuthWorld(t)
			robot := w.project.ServiceAccount("robot")
			key := c.prepare(w, robot, robot.Key())
			_, err := w.session(methodServiceAccount, fields{"service_account_json": key}).Verify(t.Context())
			failsAs(t, err, c.kind, c.words, planted, "PRIVATE KEY", "eyJ", inFile(t, key, "private_key"), inFile(t, key, "private_key")[30:80])
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestServiceAccountInterrupted(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	s := w.session(methodServiceAccount, fields{"service_account_json": w.project.ServiceAccount("robot").Key()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.tokenFor(ctx, purpose{})
	failsAs(t, err, fault.Interrupted, nil)
	w.Delay(time.Hour)
	late, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.tokenFor(late, purpose{})
	failsAs(t, err, fault.Unavailable, []string{"did not answer in time"})
	w.Delay(0)
	if _, err := s.tokenFor(t.Context(), purpose{}); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// The key is handed out to who asks for it, where the connector was told to, and to nobody
// else.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	robot := w.project.ServiceAccount("robot")
	key, login := robot.Key(), w.User("jane@example.com").ADC()
	wants := connector.Request{ResourceType: genericType, ResourceName: ownProject, Access: connector.ReadWrite, KeyFile: true}
	for name, c := range map[string]struct {
		method string
		fields fields
		want   string
	}{
		"a key":   {methodServiceAccount, fields{"service_account_json": key}, key},
		"a login": {methodUserAccount, fields{"user_account_json": login, "project_id": ownProject}, login},
	} {
		_, err := w.session(c.method, c.fields).Mint(t.Context(), wants)
		failsAs(t, err, fault.Denied, []string{"--set generate_temporary_tokens=false"}, c.want)
		c.fields["generate_temporary_tokens"] = false
		s := w.session(c.method, c.fields)
		got, err := s.Mint(t.Context(), wants)
		file, ok := got.(connector.KeyFile)
		if err != nil || !ok || file.JSON.Reveal() != c.want || file.Project != ownProject || !file.Expires.IsZero() {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		bucket := wants
		bucket.ResourceType, bucket.ResourceName = bucketType, "gs://acme"
		_, err = s.Mint(t.Context(), bucket)
		failsAs(t, err, fault.Invalid, []string{"--resource-type gcp-generic"}, c.want)
	}
	robot.LetImpersonate("serviceAccount:" + robot.Email())
	for method, f := range map[string]fields{
		methodImpersonation: {"service_account_json": key, "target_principal": robot.Email()},
		methodToken:         {"token": "ya29.x", "project_id": ownProject},
	} {
		_, err := w.session(method, f).Mint(t.Context(), wants)
		failsAs(t, err, fault.Invalid, []string{"has no key to hand out"}, key)
	}
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// A secret of this package prints as nothing, wherever it is.
func TestSourcesHideTheirSecrets(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"a key": serviceFile(), "a login": userFile(), "a pool's": externalUserFile(), "an impersonation": impersonatedFile(userFile())} {
		f, err := readFile(secret.New(text), fileService, fileUser, fileExternalUser, fileImpersonated)
		if err != nil {
			t.Fatal(err)
		}
		source, err := f.open(&clients{}, "it")
		if err != nil {
			t.Fatal(err)
		}
		if shown := printed(source); strings.Contains(shown, planted) || strings.Contains(shown, "PRIVATE KEY") {
			t.Errorf("%s is seen: %s", name, shown)
		}
	}
}
