package gcp

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// impersonationWorld is a person, and a service account that she may impersonate.
type impersonationWorld struct {
	*authWorld
	jane   *gcptest.User
	target *gcptest.ServiceAccount
}

func newImpersonationWorld(t *testing.T) *impersonationWorld {
	t.Helper()
	w := &impersonationWorld{authWorld: newAuthWorld(t)}
	w.jane, w.target = w.User("jane@example.com"), w.project.ServiceAccount("deployer")
	w.target.LetImpersonate("user:jane@example.com")
	return w
}

// file is a credential file on the disk.
func (w *impersonationWorld) file(text string) string {
	w.t.Helper()
	path := filepath.Join(w.host.Home, "adc.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *impersonationWorld) fields(more fields) fields {
	out := fields{"target_principal": w.target.Email()}
	for name, value := range more {
		out[name] = value
	}
	return out
}

func TestImpersonation(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	robot := w.project.ServiceAccount("robot")
	middle := w.Project("acme-tools").ServiceAccount("middle")
	w.target.LetImpersonate("serviceAccount:"+robot.Email(), "serviceAccount:"+middle.Email())
	middle.LetImpersonate("user:jane@example.com")
	w.file(w.jane.ADC())
	for name, f := range map[string]fields{
		"by a key":                 {"service_account_json": robot.Key()},
		"by a login":               {"user_account_json": w.jane.ADC()},
		"by somebody's file":       {"source_credentials_file": "~/adc.json"},
		"by way of another":        {"user_account_json": w.jane.ADC(), "delegates": []string{middle.Email()}},
		"written as a policy does": {"user_account_json": w.jane.ADC(), "target_principal": "serviceAccount:" + w.target.Email()},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.session(methodImpersonation, w.fields(f))
			who, err := s.Verify(t.Context())
			if err != nil || who.Name != w.target.Email() || who.Learned["project_id"] != ownProject {
				t.Fatalf("%+v, %v (%s)", who, err, fault.HintOf(err))
			}
			got, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead, lifetime: 10 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			lasts(t, got, 10*time.Minute)
			info, err := s.tokenInfo(t.Context(), got.text)
			if err != nil || info.Scope != scopeStorageRead || got.principal != w.target.Email() {
				t.Errorf("%+v, %v", info, err)
			}
			hour, err := s.tokenFor(t.Context(), purpose{})
			if err != nil {
				t.Fatal(err)
			}
			lasts(t, hour, time.Hour)
		})
	}
}

// A file of the kind impersonated_service_account has all that it takes, and can be the
// source of a further impersonation.
func TestImpersonationOfAFile(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	middle := w.project.ServiceAccount("middle")
	middle.LetImpersonate("user:jane@example.com")
	w.target.LetImpersonate("serviceAccount:" + middle.Email())
	file := changed(t, impersonatedFile(w.jane.ADC()), map[string]any{
		"delegates": nil, "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + middle.Email() + ":generateAccessToken",
	})
	c, err := newClients(w.host, field.Values{})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := openFile(c, "it", secret.New(file), fileImpersonated)
	if err != nil {
		t.Fatal(err)
	}
	w.Project("acme-bills").Grant("serviceAccount:"+middle.Email(), "serviceusage.services.use")
	if who := opened.identity(); who.principal != middle.Email() || who.project != ownProject || who.quota != "acme-bills" || who.universe != defaultUniverse {
		t.Errorf("%+v", who)
	}
	s := w.session(methodImpersonation, w.fields(fields{"source_credentials_file": w.file(file)}))
	if who, err := s.Verify(t.Context()); err != nil || who.Name != w.target.Email() {
		t.Errorf("%+v, %v (%s)", who, err, fault.HintOf(err))
	}
}

// The quota project of the source is for the question to IAM, and not for what the service
// account asks.
func TestQuotaProjectOfTheSource(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	var billed []string
	inner := w.Handler()
	w.Route("iamcredentials.googleapis.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		billed = append(billed, r.Header.Get("X-Goog-User-Project"))
		r.Header.Del("X-Goog-User-Project")
		inner.ServeHTTP(out, r)
	}))
	s := w.session(methodImpersonation, w.fields(fields{"user_account_json": changed(t, w.jane.ADC(), map[string]any{"quota_project_id": "acme-bills"})}))
	got, err := s.tokenFor(t.Context(), purpose{})
	if err != nil || len(billed) != 1 || billed[0] != "acme-bills" {
		t.Errorf("billed to %q, %v", billed, err)
	}
	if quota := s.handOut(got).QuotaProject; quota != "" {
		t.Errorf("what is handed out is billed to %q", quota)
	}
}

// badImpersonation is one that Google refuses.
type badImpersonation struct {
	prepare func(w *impersonationWorld, f fields) // changes the fields of one that it does not
	kind    fault.Kind                            // "" is any but NotFound, which would mean that others may try
	words   []string
}

func badImpersonations() map[string]badImpersonation {
	const role = "--role=roles/iam.serviceAccountTokenCreator"
	return map[string]badImpersonation{
		"not allowed": {func(w *impersonationWorld, f fields) { f["user_account_json"] = w.User("joe@example.com").ADC() },
			fault.Denied, []string{"joe@example.com may not impersonate deployer@acme-prod.iam", "add-iam-policy-binding deployer@acme-prod.iam.gserviceaccount.com --member=user:joe@example.com", role}},
		"a key that may not": {func(w *impersonationWorld, f fields) {
			delete(f, "user_account_json")
			f["service_account_json"] = w.project.ServiceAccount("robot").Key()
		}, fault.Denied, []string{"robot@acme-prod.iam.gserviceaccount.com may not impersonate", "--member=serviceAccount:robot@acme-prod", role}},
		"unknown": {func(_ *impersonationWorld, f fields) {
			f["target_principal"] = "nobody@acme-prod.iam.gserviceaccount.com"
		},
			"", []string{"nobody@acme-prod.iam.gserviceaccount.com"}},
		"by way of one who may not": {func(w *impersonationWorld, f fields) {
			f["delegates"] = []string{w.project.ServiceAccount("middle").Email()}
		}, fault.Denied, []string{"by way of middle@acme-prod", "add-iam-policy-binding middle@acme-prod.iam.gserviceaccount.com --member=user:jane@example.com"}},
		"for too long": {func(_ *impersonationWorld, f fields) { f["lifetime"] = 2 * time.Hour },
			fault.Invalid, []string{"do not live for 2h0m0s", "constraints/iam.allowServiceAccountCredentialLifetimeExtension"}},
		"an API that is off": {func(w *impersonationWorld, f fields) {
			robot := w.project.ServiceAccount("robot")
			w.target.LetImpersonate("serviceAccount:" + robot.Email())
			w.project.Disable("iamcredentials.googleapis.com")
			delete(f, "user_account_json")
			f["service_account_json"] = robot.Key()
		}, fault.Denied, []string{"gcloud services enable iamcredentials.googleapis.com"}},
		"a source that is revoked": {func(w *impersonationWorld, _ fields) { w.jane.Revoke() },
			fault.Denied, []string{"the source: the login is no longer good", "svcconn update NAME --set user_account_json=@"}},
		"something else there": {func(w *impersonationWorld, _ fields) {
			w.route("iamcredentials.googleapis.com", http.StatusOK, "{}")
		}, fault.Failed, []string{"answers without a token", "api_endpoint_iamcredentials"}},
	}
}

func TestImpersonationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range badImpersonations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newImpersonationWorld(t)
			f := w.fields(fields{"user_account_json": w.jane.ADC()})
			c.prepare(w, f)
			lifetime, _ := f["lifetime"].(time.Duration)
			delete(f, "lifetime")
			_, err := w.session(methodImpersonation, f).tokenFor(t.Context(), purpose{lifetime: lifetime})
			if c.kind == "" && !fault.Is(err, fault.NotFound) {
				c.kind = fault.KindOf(err)
			}
			secrets := []string{"ya29.", "PRIVATE KEY"}
			if login, ok := f["user_account_json"].(string); ok {
				secrets = append(secrets, inFile(t, login, "refresh_token"), inFile(t, login, "client_secret"))
			}
			failsAs(t, err, c.kind, c.words, secrets...)
			if err == nil || fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

// More than an hour is for those that the organisation lets.
func TestLongImpersonation(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	w.target.MaxLifetime(12 * time.Hour)
	s := w.session(methodImpersonation, w.fields(fields{"user_account_json": w.jane.ADC()}))
	got, err := s.tokenFor(t.Context(), purpose{lifetime: 12 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	lasts(t, got, 12*time.Hour)

	w.target.MaxLifetime(time.Hour)
	s = w.session(methodImpersonation, w.fields(fields{"user_account_json": w.jane.ADC()}))
	s.settings.Expiration = 2 * time.Hour
	if _, err = s.Verify(t.Context()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a lifetime of the connector that is not granted is found at its first mint: %v", err)
	}
}

// A file that gets its tokens from another IAM than the connector's is not followed there.
func TestImpersonationElsewhere(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	file := changed(t, impersonatedFile(w.jane.ADC()), map[string]any{
		"delegates": nil, "quota_project_id": nil, "service_account_impersonation_url": "https://iam.example.com/v1/projects/-/serviceAccounts/" + w.target.Email() + ":generateAccessToken",
	})
	w.target.LetImpersonate("serviceAccount:" + w.target.Email())
	f := w.fields(fields{"source_credentials_file": w.file(file)})
	_, err := w.session(methodImpersonation, f).Verify(t.Context())
	failsAs(t, err, fault.Invalid, []string{"IAM at https://iam.example.com, and the connector asks https://iamcredentials.googleapis.com", "--set api_endpoint_iamcredentials=https://iam.example.com"})
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
	f["api_endpoint_iamcredentials"] = "https://iam.example.com"
	w.Route("iam.example.com", w.Handler())
	if _, err := w.session(methodImpersonation, f).Verify(t.Context()); err != nil {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
}

func TestImpersonationFields(t *testing.T) {
	t.Parallel()
	w := newImpersonationWorld(t)
	login, elsewhere := w.jane.ADC(), filepath.Join(t.TempDir(), "none.json")
	for name, c := range map[string]struct {
		fields fields
		kind   fault.Kind
		words  []string
	}{
		"no source":           {fields{}, fault.Invalid, []string{"has no source", "--set source_credentials_file=PATH"}},
		"two sources":         {fields{"user_account_json": login, "source_credentials_file": "~/adc.json"}, fault.Invalid, []string{"several sources (user_account_json, source_credentials_file)"}},
		"a relative path":     {fields{"source_credentials_file": "adc.json"}, fault.Invalid, []string{"is relative"}},
		"a file that is not":  {fields{"source_credentials_file": elsewhere}, fault.Failed, []string{"the source: the credential file cannot be read", elsewhere}},
		"a folder":            {fields{"source_credentials_file": w.host.Home}, fault.Invalid, []string{"is not a file"}},
		"a file of nothing":   {fields{"source_credentials_file": w.file(planted)}, fault.Invalid, []string{"adc.json: it is not JSON"}},
		"a person as target":  {fields{"user_account_json": login, "target_principal": "no address"}, fault.Invalid, []string{"target_principal", "NAME@PROJECT.iam.gserviceaccount.com"}},
		"an odd delegate":     {fields{"user_account_json": login, "delegates": []string{"a/b@c"}}, fault.Invalid, []string{"delegates"}},
		"an unknown project":  {fields{"user_account_json": login, "target_principal": "123456789012345678901"}, fault.Invalid, []string{"the project of 123456789012345678901 is not in its name", "--set project_id="}},
		"a login in a number": {fields{"user_account_json": login, "target_principal": "42-compute@developer.gserviceaccount.com"}, fault.Invalid, []string{"--set project_id="}},
	} {
		settings, err := w.fields(c.fields).settings(methodImpersonation)
		if err == nil {
			_, err = open(w.host, settings)
		}
		t.Run(name, func(t *testing.T) { failsAs(t, err, c.kind, c.words, planted, inFile(t, login, "refresh_token")) })
	}
	settings, err := w.fields(fields{"user_account_json": login}).settings(methodImpersonation)
	if err != nil || settings.Method.IsAmbient(settings.Values) || settings.Method.Reads(connector.Host{}, settings.Values) != nil {
		t.Errorf("a source of its own has to be allowed: %v", err)
	}
	// It is refused before anybody sees the target's project where that is said.
	if _, err := w.fields(fields{"user_account_json": login, "target_principal": "123456789012345678901", "project_id": ownProject}).settings(methodImpersonation); err != nil {
		t.Error(err)
	}
}

func TestProjectsOfServiceAccounts(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{
		"robot@acme-prod.iam.gserviceaccount.com":             "acme-prod",
		"robot@acme-prod.example.com.iam.gserviceaccount.com": "example.com:acme-prod",
		"robot@acme-prod.eu0.iam.gserviceaccount.com":         "eu0:acme-prod",
		"acme-prod.example.com@appspot.gserviceaccount.com":   "example.com:acme-prod",
		"acme-prod@iam.gserviceaccount.com":                   "",
		"acme-prod@appspot.gserviceaccount.com":               "acme-prod",
		"42-compute@developer.gserviceaccount.com":            "",
		"123456789012345678901":                               "",
		"robot@acme-prod.iam.gserviceaccount.com.evil.tld":    "",
	} {
		if got := projectOf(account); got != want {
			t.Errorf("%s: %q", account, got)
		}
	}
	for text, want := range map[string]string{
		"projects/-/serviceAccounts/robot@acme-prod.iam.gserviceaccount.com": "robot@acme-prod.iam.gserviceaccount.com",
		"serviceAccount:robot@acme-prod.iam.gserviceaccount.com":             "robot@acme-prod.iam.gserviceaccount.com",
		"123456789012345678901": "123456789012345678901",
		"jane":                  "", "a b@c.d": "", "a@": "", "@c.d": "", "a/../b@c.d": "", "a@c.d/x": "", strings.Repeat("1", 30): "",
	} {
		if got, err := checkServiceAccount(text); got != want && err == nil || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
