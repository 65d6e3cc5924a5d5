package gcp

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// TestDetect plays the stories in testdata/detect.
func TestDetect(t *testing.T) {
	t.Parallel()
	connectortest.Stories(t, func(t *testing.T, s connectortest.Story) string {
		host := newClosedHost(t)
		host.Home, host.Getenv = s.Home, func(name string) string { return s.Env[name] }
		return rendered(detectOn(t.Context(), host, s.Hints, filepath.Join(host.Home, "product_name")))
	})
}

// rendered is what was found, in full.
func rendered(found []connector.Detected, err error) string {
	var out strings.Builder
	if err != nil {
		fmt.Fprintf(&out, "%s: %v\n", fault.KindOf(err), err)
		for line := range strings.Lines(fault.HintOf(err)) {
			fmt.Fprintf(&out, "  hint: %s\n", strings.TrimSpace(line))
		}
	}
	for _, d := range found {
		fmt.Fprintf(&out, "%s, %s\n", d.Spec.Method, d.Source.Description)
		if d.Source.PlainText {
			fmt.Fprintf(&out, "plain text in %s, %s\n", d.Source.File, d.Source.Key)
		}
		plain, secrets := d.Spec.Values.Plain(), d.Spec.Values.Secrets()
		for _, name := range slices.Sorted(maps.Keys(plain)) {
			fmt.Fprintf(&out, "  %s = %q\n", name, fmt.Sprint(plain[name]))
		}
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			fmt.Fprintf(&out, "  %s is %s\n", name, strings.Join(strings.Fields(secrets[name].Reveal()), " "))
		}
		for _, note := range d.Notes {
			fmt.Fprintln(&out, note)
		}
	}
	return out.String()
}

// TestDetectedConnectorsWork: what was found logs in, and the environment does not matter
// any more.
func TestDetectedConnectorsWork(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	jane, account, target := w.User("jane@example.com"), w.project.ServiceAccount("ci"), w.project.ServiceAccount("deployer")
	target.LetImpersonate("user:"+jane.Email(), account.Email())
	file := map[string]any{"file": inFolder(t, t.TempDir(), "token", w.Issuer().Token("main", w.audience))}
	for name, test := range map[string]struct {
		text   string
		hints  map[string]string
		method string
		who    string
	}{
		"user":            {jane.ADC(), nil, methodUserAccount, jane.Email()},
		"service account": {account.Key(), nil, methodServiceAccount, account.Email()},
		"external":        {configurationJSON(t, w.audience, file, nil), nil, methodExternal, w.member("main")},
		"impersonated": {
			fmt.Sprintf(`{"type":"impersonated_service_account","service_account_impersonation_url":%q,"source_credentials":%s}`, impersonationURL(target.Email()), jane.ADC()),
			nil, methodImpersonation, target.Email(),
		},
		"workforce":                {w.WorkforceLogin(w.WorkforcePool("people", "idp", gcptest.Provider{Issuer: w.Issuer()}), "jane"), nil, methodUserAccount, ""},
		"asked for implicit":       {account.Key(), map[string]string{"auth_method": methodImplicit}, methodImplicit, account.Email()},
		"asked for impersonation":  {jane.ADC(), map[string]string{"auth_method": methodImpersonation, "target_principal": target.Email()}, methodImpersonation, target.Email()},
		"asked for a token":        {jane.ADC(), map[string]string{"auth_method": methodToken}, methodToken, jane.Email()},
		"token of a key":           {account.Key(), map[string]string{"auth_method": methodToken, "locations": "europe-west1"}, methodToken, account.Email()},
		"token of what is at hand": {jane.ADC(), map[string]string{"auth_method": methodToken, "project_id": "other-project"}, methodToken, jane.Email()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := w.host
			path := inFolder(t, t.TempDir(), "adc.json", test.text)
			host.Getenv = func(name string) string {
				return map[string]string{envCredentials: path, envProject: ownProject}[name]
			}
			found, err := detectOn(t.Context(), host, test.hints, "/none")
			if err != nil || len(found) != 1 || found[0].Spec.Method != test.method {
				t.Fatalf("%s, %v (%s)", rendered(found, nil), err, fault.HintOf(err))
			}
			host.Getenv = func(name string) string {
				t.Errorf("it looks at %s", name)
				return ""
			}
			opened := must(open(host, must(connector.Types{Type()}.Check(found[0].Spec))(t)))(t).(*session)
			got := must(opened.tokenFor(t.Context(), purpose{}))(t)
			if test.who != "" {
				w.isToken(t, got, test.who)
			}
			if isToken := test.method == methodToken; found[0].Temporary != isToken || isToken && (found[0].Expires.IsZero() || found[0].Source.PlainText) {
				t.Errorf("%+v", found[0])
			}
			shown := fmt.Sprintf("%+v %#v", found, found)
			for _, text := range found[0].Spec.Values.Secrets() {
				hides(t, shown, text.Reveal())
			}
		})
	}
}

// isToken checks whose a token is.
func (w *authWorld) isToken(t *testing.T, got token, who string) {
	t.Helper()
	if name, ok := w.TokenInfo(got.text.Reveal()); !ok || name != who {
		t.Errorf("it is a token of %q (%t), not of %q", name, ok, who)
	}
}

func TestDetectMachine(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	account := w.project.ServiceAccount("vm")
	at := w.Metadata(account)
	product := inFolder(t, t.TempDir(), "product_name", "Google Compute Engine\n")
	for name, test := range map[string]struct {
		env, hints map[string]string
		product    string
	}{
		"by a hint":         {nil, map[string]string{"credential_source": "metadata", "metadata_host": at}, "/none"},
		"by what it says":   {map[string]string{envMetadataHost: at}, nil, product},
		"by its own method": {map[string]string{envMetadataHost: at}, map[string]string{"auth_method": methodImplicit}, product},
	} {
		w.ResetCalls()
		host := w.host
		host.Getenv = func(name string) string { return test.env[name] }
		found, err := detectOn(t.Context(), host, test.hints, test.product)
		want := fmt.Sprintf(`implicit, this machine (metadata server)
  credential_source = "metadata"
  metadata_host = %q
  principal = %q
  project_id = "acme-prod"
Auth method implicit takes the identity of this machine or of somebody's files, and has to be allowed: allow_implicit = true in the section [connectors] of config.toml.
`, at, account.Email())
		if got := rendered(found, err); got != want {
			t.Errorf("%s: %s", name, got)
			continue
		}
		opened := must(open(host, must(connector.Types{Type()}.Check(found[0].Spec))(t)))(t).(*session)
		w.isToken(t, must(opened.tokenFor(t.Context(), purpose{}))(t), account.Email())
	}
	// What is no machine of Google's is not asked, and what is asked has to be there.
	host := newClosedHost(t)
	_, err := detectOn(t.Context(), host, nil, inFolder(t, host.Home, "p", "KVM"))
	failsAs(t, err, fault.NotFound, []string{"no login to Google Cloud was found"})
	host.HTTP = nil
	_, err = detectOn(t.Context(), host, map[string]string{"credential_source": "metadata", "metadata_host": "127.0.0.1:1"}, "")
	failsAs(t, err, fault.Unavailable, []string{"metadata server at 127.0.0.1:1 cannot be reached"})
}

// TestDetectGcloudAsksForTheToken: what gcloud alone can get is got by gcloud.
func TestDetectGcloudAsksForTheToken(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	inFolder(t, string(usualGcloudFolder(w.host.Home)), "configurations/config_default", "[core]\naccount = jane@example.com\nproject = acme-prod\n")
	text := w.IssueToken("user:"+w.User("jane@example.com").Email(), scopeCloud, time.Hour)
	ends := time.Now().Add(time.Hour).Truncate(time.Second)
	w.host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		return helper(t, text, ends, map[string]any{"core": map[string]any{"account": "jane@example.com"}}), nil
	}
	found, err := detectOn(t.Context(), w.host, map[string]string{"auth_method": methodToken}, "")
	if err != nil || !found[0].Expires.Equal(ends) || !found[0].Temporary || !found[0].Spec.Values.Secrets()["token"].Equal(secret.New(text)) || len(found[0].Spec.Values.Plain()) != 1 {
		t.Errorf("%s, %v", rendered(found, nil), err)
	}
}

// FuzzDetect: whatever the files and variables are, auto-configuration does not panic, its
// errors have no secret in them, and what it finds can be registered as it is.
func FuzzDetect(f *testing.F) {
	f.Add(`{"type":"authorized_user","client_id":"c","client_secret":"`+planted+`","refresh_token":"`+planted+`"}`, "[core]\nproject = acme-prod\n", "", "")
	f.Add(`{"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"file":"/x"},"client_secret":"`+planted+`"}`, "", "acme-prod", methodExternal)
	f.Add(`{"type":"impersonated_service_account","source_credentials":{"type":"authorized_user","client_secret":"`+planted+`"}}`, "[auth]\nimpersonate_service_account = a,b\n", "x", "")
	f.Add("", "[core]\naccount = jane@example.com\n", "acme-prod", methodImplicit)
	f.Fuzz(func(t *testing.T, adc, configuration, project, method string) {
		home := t.TempDir()
		folder := string(usualGcloudFolder(home))
		if adc != "" {
			inFolder(t, folder, "application_default_credentials.json", adc)
		}
		inFolder(t, folder, "configurations/config_default", configuration)
		host := connector.Host{Now: func() time.Time { return noon }, Home: home, HTTP: refusing{}, Getenv: func(name string) string {
			return map[string]string{envProject: project}[name]
		}}
		found, err := detectOn(t.Context(), host, map[string]string{connector.HintMethod: method}, "")
		if err != nil && strings.Contains(fmt.Sprintf("%v %s", err, fault.HintOf(err)), planted) && !strings.Contains(configuration+project+method, planted) {
			t.Errorf("it shows a secret: %v", err)
		}
		for _, d := range found {
			if _, err := (connector.Types{Type()}).Check(d.Spec); err != nil {
				t.Errorf("%s: %v", d.Source.Description, err)
			}
		}
	})
}

// refusing is an HTTP on which nobody is there.
type refusing struct{}

// RoundTrip implements http.RoundTripper.
func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fault.New(fault.Unavailable, "nobody is there")
}
