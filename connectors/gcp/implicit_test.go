package gcp

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// adc writes application default credentials where gcloud does.
func (w *authWorld) adc(text string) string {
	w.t.Helper()
	folder := string(usualGcloudFolder(w.host.Home))
	return inFolder(w.t, folder, "application_default_credentials.json", text)
}

// implicitFields are those of a connector that takes what is there.
func implicitFields(more fields) fields {
	out := fields{"project_id": ownProject}
	for name, value := range more {
		out[name] = value
	}
	return out
}

// TestImplicitFile: a file of any kind, read anew for every session.
func TestImplicitFile(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	jane, account, target := w.User("jane@example.com"), w.project.ServiceAccount("ci"), w.project.ServiceAccount("deployer")
	target.LetImpersonate("user:"+jane.Email(), w.member("main"))
	file := map[string]any{"file": inFolder(t, t.TempDir(), "token", w.Issuer().Token("main", w.audience))}
	impersonated := fmt.Sprintf(`{"type":"impersonated_service_account","service_account_impersonation_url":%q,"source_credentials":%s}`, impersonationURL(target.Email()), jane.ADC())
	for name, test := range map[string]struct{ text, who string }{
		"user":            {jane.ADC(), jane.Email()},
		"service account": {account.Key(), account.Email()},
		"external":        {configurationJSON(t, w.audience, file, nil), w.member("main")},
		"external, impersonating": {configurationJSON(t, w.audience, file, map[string]any{
			"service_account_impersonation_url": impersonationURL(target.Email()),
		}), target.Email()},
		"impersonated": {impersonated, target.Email()},
	} {
		path := w.adc(test.text)
		s := w.session(methodImplicit, implicitFields(nil))
		got, err := s.tokenFor(t.Context(), purpose{})
		if err != nil {
			t.Errorf("%s: %v (%s)", name, err, fault.HintOf(err))
			continue
		}
		w.isOf(got, test.who)
		if reads := s.settings.Method.Reads(w.host, s.settings.Values); len(reads) == 0 || reads[0] != path {
			t.Errorf("%s: it reads %q", name, reads)
		}
	}
	elsewhere := inFolder(t, w.host.Home, "keys/ci.json", account.Key())
	s := w.session(methodImplicit, implicitFields(fields{"credentials_file": "~/keys/ci.json"}))
	w.isOf(must(s.tokenFor(t.Context(), purpose{}))(t), account.Email())
	if reads := s.settings.Method.Reads(w.host, s.settings.Values); reads[0] != elsewhere {
		t.Errorf("it reads %q", reads)
	}
}

// TestImplicitIsGuarded: somebody else's login is not taken for the connector's.
func TestImplicitIsGuarded(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	jane, john := w.User("jane@example.com"), w.User("john@example.com")
	w.adc(jane.ADC())
	s := w.session(methodImplicit, implicitFields(nil))
	who := must(s.Verify(t.Context()))(t)
	learned := s.source.(learning).learned(who.Name)
	if who.Name != jane.Email() || learned["principal"] != jane.Email() {
		t.Errorf("%+v, and it learned %v", who, learned)
	}
	mine := implicitFields(fields{"principal": learned["principal"]})
	if got := must(w.session(methodImplicit, mine).tokenFor(t.Context(), purpose{}))(t); got.principal != jane.Email() {
		t.Errorf("%+v", got)
	}
	w.adc(john.ADC())
	s = w.session(methodImplicit, mine)
	_, err := s.tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"now that of john@example.com, and the connector is for jane@example.com"})
	// A key tells whose it is by itself.
	w.adc(w.project.ServiceAccount("ci").Key())
	w.ResetCalls()
	_, err = w.session(methodImplicit, mine).tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"now that of ci@"})
	if n := w.Count("oauth2", "tokeninfo"); n != 0 {
		t.Errorf("it was asked %d times whose the token is", n)
	}
}

func TestImplicitRefused(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	adc := w.adc(`{"type":"authorized_user","client_id":"` + planted + `"}`)
	for name, test := range map[string]struct {
		fields fields
		kind   fault.Kind
		words  []string
	}{
		"half a login":           {nil, fault.Invalid, []string{adc, "lacks client_secret, refresh_token"}},
		"no file":                {fields{"credentials_file": "/none.json"}, fault.Failed, []string{"/none.json", "gcloud auth application-default login", "--set credentials_file=PATH"}},
		"relative file":          {fields{"credentials_file": "none.json"}, fault.Invalid, []string{"relative"}},
		"a folder":               {fields{"credentials_file": w.host.Home}, fault.Invalid, []string{"is not a file"}},
		"field of another":       {fields{"metadata_host": "127.0.0.1:1"}, fault.Invalid, []string{"metadata_host is about another source than file", "--set credential_source=metadata"}},
		"another's, the other":   {fields{"credential_source": "gcloud", "credentials_file": adc}, fault.Invalid, []string{"credentials_file is about another source than gcloud"}},
		"unknown source":         {fields{"credential_source": "gclud"}, fault.Invalid, []string{`did you mean "gcloud"`}},
		"name of configuration":  {fields{"credential_source": "gcloud", "gcloud_configuration": "../x"}, fault.Invalid, []string{"not the name of a configuration"}},
		"foreign metadata":       {fields{"credential_source": "metadata", "metadata_host": "evil.example.com"}, fault.Invalid, []string{"not the host of a metadata server"}},
		"not JSON":               {fields{"credentials_file": inFolder(t, w.host.Home, "x", planted)}, fault.Invalid, []string{"not JSON"}},
		"type that none takes":   {fields{"credentials_file": inFolder(t, w.host.Home, "y", `{"type":"gdch_service_account"}`)}, fault.Invalid, []string{"gdch_service_account"}},
		"svcconn's own":          {fields{"credentials_file": inFolder(t, w.host.Home, "z", configurationJSON(t, someAudience, map[string]any{"executable": map[string]any{"command": "svcconn credential"}}, nil))}, fault.Invalid, []string{"would ask itself"}},
		"principal, two of them": {fields{"principal": ""}, fault.Invalid, []string{"principal"}},
	} {
		settings, err := implicitFields(test.fields).settings(methodImplicit)
		if err == nil {
			_, err = open(w.host, settings)
		}
		t.Run(name, func(t *testing.T) { failsAs(t, err, test.kind, test.words, planted) })
	}
}

func TestImplicitLifetime(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	jane, target := w.User("jane@example.com"), w.project.ServiceAccount("deployer")
	target.LetImpersonate("user:" + jane.Email())
	w.adc(jane.ADC())
	inFolder(t, string(usualGcloudFolder(w.host.Home)), "configurations/config_default", "")
	for source, says := range map[string]string{sourceFile: "impersonates no service account", sourceMetadata: "metadata server", sourceGcloud: "login of gcloud"} {
		settings := must(implicitFields(fields{"credential_source": source}).settings(methodImplicit))(t)
		settings.Expiration = 20 * time.Minute
		_, err := open(w.host, settings)
		failsAs(t, err, fault.Invalid, []string{says, "leave --expiration out"})
	}
	w.adc(fmt.Sprintf(`{"type":"impersonated_service_account","service_account_impersonation_url":%q,"source_credentials":%s}`, impersonationURL(target.Email()), jane.ADC()))
	settings := must(implicitFields(nil).settings(methodImplicit))(t)
	settings.Expiration = 20 * time.Minute
	s := must(open(w.host, settings))(t).(*session)
	lasts(t, must(s.tokenFor(t.Context(), purpose{lifetime: settings.Expiration}))(t), 20*time.Minute)
}

// helper is what `gcloud config config-helper` prints.
func helper(t *testing.T, token string, expires time.Time, properties map[string]any) connector.Finished {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"configuration": map[string]any{"active_configuration": "default", "properties": properties},
		"credential":    map[string]any{"access_token": token, "id_token": nil, "token_expiry": expires.UTC().Format("2006-01-02T15:04:05Z")},
		"sentinels":     map[string]any{"config_sentinel": "/x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return connector.Finished{Stdout: raw}
}

func TestImplicitGcloud(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	folder := filepath.Join(w.host.Home, "cloudsdk")
	inFolder(t, folder, "configurations/config_default", "")
	inFolder(t, folder, "configurations/config_work", "[core]\naccount = jane@example.com\n")
	inFolder(t, folder, "active_config", "work")
	ends := time.Now().Add(40 * time.Minute).Truncate(time.Second)
	text := w.IssueToken("user:"+w.User("jane@example.com").Email(), scopeCloud, time.Hour)
	properties := map[string]any{"core": map[string]any{"account": "jane@example.com", "project": "other"}}
	var ran connector.Command
	w.host.Run = func(_ context.Context, c connector.Command) (connector.Finished, error) {
		ran = c
		return helper(t, text, ends, properties), nil
	}
	base := implicitFields(fields{"credential_source": sourceGcloud, "gcloud_folder": folder, "principal": "jane@example.com"})
	s := w.session(methodImplicit, base)
	got := must(s.tokenFor(t.Context(), purpose{scope: scopeStorageRead}))(t)
	if got.text.Reveal() != text || !got.expires.Equal(ends) || got.principal != "jane@example.com" {
		t.Errorf("%+v", got)
	}
	if fmt.Sprintf("%s %q %q", ran.Program, ran.Args, ran.Env) !=
		fmt.Sprintf(`gcloud ["config" "config-helper" "--format=json" "--min-expiry=5m" "--quiet" "--configuration=work"] ["CLOUDSDK_CONFIG=%s"]`, folder) {
		t.Errorf("it ran %+v", ran)
	}
	if s.project() != ownProject {
		t.Errorf("the project is %s", s.project())
	}
	if reads := s.settings.Method.Reads(w.host, s.settings.Values); len(reads) != 3 || !strings.HasSuffix(reads[2], "config_work") {
		t.Errorf("it reads %q", reads)
	}
	base["gcloud_configuration"] = "default"
	must(w.session(methodImplicit, base).tokenFor(t.Context(), purpose{}))(t)
	if ran.Args[5] != "--configuration=default" {
		t.Errorf("it ran %+v", ran)
	}
	// Whose it is where gcloud takes its tokens from elsewhere, the server says.
	properties["auth"] = map[string]any{"credential_file_override": "/x.json"}
	properties["core"] = map[string]any{"account": "john@example.com"}
	must(w.session(methodImplicit, base).tokenFor(t.Context(), purpose{}))(t)
	if n := w.Count("oauth2", "tokeninfo"); n != 1 {
		t.Errorf("it was asked %d times whose the token is", n)
	}
	// Nor does gcloud know the end of a token that it was given.
	given := w.host
	given.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		return connector.Finished{Stdout: []byte(`{"credential":{"access_token":"` + text + `","token_expiry":null}}`)}, nil
	}
	known := must(open(given, must(base.settings(methodImplicit))(t)))(t).(*session)
	lasts(t, must(known.tokenFor(t.Context(), purpose{}))(t), time.Hour)
	properties["auth"] = map[string]any{"impersonate_service_account": "a@p.iam.gserviceaccount.com,b@p.iam.gserviceaccount.com"}
	_, err := w.session(methodImplicit, base).tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Denied, []string{"now that of b@p.iam.gserviceaccount.com"}, text)
}

func TestImplicitGcloudFails(t *testing.T) {
	t.Parallel()
	// As gcloud 528 says it.
	notLoggedIn := "ERROR: (gcloud.config.config-helper) Your current active account [jane@example.com] does not have any valid credentials\n" +
		"Please run:\n\n  $ gcloud auth login\n\nto obtain new credentials.\n\nFor service account, please activate it first:\n\n  $ gcloud auth activate-service-account ACCOUNT\n"
	for name, test := range map[string]struct {
		finished connector.Finished
		err      error
		kind     fault.Kind
		words    []string
	}{
		"not logged in": {connector.Finished{Failure: "exit status 1", Stderr: []byte(notLoggedIn)}, nil, fault.NeedsPerson, []string{"[jane@example.com] does not have any valid credentials", "gcloud auth login --configuration=work"}},
		"no network": {connector.Finished{Failure: "exit status 1", Stderr: []byte("ERROR: (gcloud.config.config-helper) There was a problem refreshing your current auth tokens: HTTPSConnectionPool(host='oauth2.googleapis.com', port=443): " +
			"Max retries exceeded with url: /token\nPlease run:\n\n  $ gcloud auth login\n")}, nil, fault.Unavailable, []string{"Max retries exceeded", "check the network"}},
		"not there":    {connector.Finished{}, os.ErrNotExist, fault.Failed, []string{"gcloud cannot be run", "has to be in the PATH"}},
		"fails":        {connector.Finished{Failure: "exit status 1", Stderr: []byte("WARNING: x\nERROR: gcloud crashed (Err): boom\x1b\n\nadvice\n")}, nil, fault.Failed, []string{"gcloud: gcloud crashed (Err): boom"}},
		"says nothing": {connector.Finished{Failure: "exit status 1"}, nil, fault.Failed, []string{"exit status 1", "config-helper --configuration=work"}},
		"not JSON":     {connector.Finished{Stdout: []byte(planted)}, nil, fault.Failed, []string{"not JSON of a token"}},
		"no token":     {connector.Finished{Stdout: []byte(`{"credential":{"access_token":null,"token_expiry":"2030-01-01T00:00:00Z"}}`)}, nil, fault.Failed, []string{"not JSON of a token"}},
		"over":         {helper(t, planted, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), nil), nil, fault.Denied, []string{"expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := newClosedHost(t)
			inFolder(t, string(usualGcloudFolder(host.Home)), "configurations/config_work", "")
			host.Run = func(context.Context, connector.Command) (connector.Finished, error) { return test.finished, test.err }
			f := implicitFields(fields{"credential_source": sourceGcloud, "gcloud_configuration": "work"})
			s := must(open(host, must(f.settings(methodImplicit))(t)))(t).(*session)
			_, err := s.tokenFor(t.Context(), purpose{})
			failsAs(t, err, test.kind, test.words, planted, "\x1b")
		})
	}
}

// TestImplicitGcloudDoesNotAskItself: a configuration that `login gcloud` wrote leads here.
func TestImplicitGcloudDoesNotAskItself(t *testing.T) {
	t.Parallel()
	host := newClosedHost(t)
	host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		t.Error("gcloud was run")
		return connector.Finished{}, nil
	}
	own := inFolder(t, host.Home, "own.json", configurationJSON(t, someAudience, map[string]any{"executable": map[string]any{"command": "/usr/bin/svcconn credential --format google-executable"}}, nil))
	folder := string(usualGcloudFolder(host.Home))
	inFolder(t, folder, "configurations/config_svcconn", "[auth]\ncredential_file_override = "+own+"\n")
	for name, test := range map[string]struct {
		configuration string
		kind          fault.Kind
		words         []string
	}{
		"itself": {"svcconn", fault.Invalid, []string{"would ask itself"}},
		"none":   {"none", fault.NotFound, []string{"no configuration"}},
	} {
		f := implicitFields(fields{"credential_source": sourceGcloud, "gcloud_configuration": test.configuration})
		s := must(open(host, must(f.settings(methodImplicit))(t)))(t).(*session)
		_, err := s.tokenFor(t.Context(), purpose{})
		t.Run(name, func(t *testing.T) { failsAs(t, err, test.kind, test.words) })
	}
}
