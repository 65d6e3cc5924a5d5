package gcp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// TestAmazonAddressesAlike: one address for two things is a mistake, not a crash.
func TestAmazonAddressesAlike(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	machine := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(rw, "eu-central-1b") }))
	defer machine.Close()
	for name, source := range map[string]map[string]any{
		"keys and region":  {"url": machine.URL, "region_url": machine.URL},
		"keys and session": {"url": machine.URL, "region_url": machine.URL + "/zone", "imdsv2_session_token_url": machine.URL},
		"all of them":      {"url": machine.URL, "region_url": machine.URL, "imdsv2_session_token_url": machine.URL},
	} {
		source["environment_id"] = "aws1"
		prove := proverOf(t, w.host, source, nil)
		_, err := prove(t.Context())
		t.Run(name, func(t *testing.T) { failsAs(t, err, fault.Failed, []string{"not JSON of keys"}) })
	}
}

// TestSubjectFileIsLearned: what registration finds out is what later sessions find.
func TestSubjectFileIsLearned(t *testing.T) {
	t.Parallel()
	w := newPoolWorld(t)
	folder := t.TempDir()
	inFolder(t, folder, "token", w.Issuer().Token("main", w.audience))
	given := externalFields(configurationJSON(t, w.audience, map[string]any{"file": folder + "//./token"}, nil), nil)
	who := must(w.session(methodExternal, given).Verify(t.Context()))(t)
	for name, text := range who.Learned {
		given[name] = text
	}
	s := w.session(methodExternal, given)
	if reads := s.settings.Method.Reads(w.host, s.settings.Values); !slices.Equal(reads, []string{filepath.Join(folder, "token")}) {
		t.Errorf("it reads %q", reads)
	}
}

// TestImplicitReadsWhatDecides: credentials are kept for as long as the files that decide
// whose they are stay as they are, also those that others name.
func TestImplicitReadsWhatDecides(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	subject, token := filepath.Join(w.host.Home, "subject"), filepath.Join(w.host.Home, "token")
	configuration := configurationJSON(t, someAudience, map[string]any{"file": subject}, nil)
	path := w.adc(configuration)
	if reads := filesOfOthers(w.host, must(implicitFields(nil).settings(methodImplicit))(t).Values); !slices.Equal(reads, []string{path, subject}) {
		t.Errorf("with a federation, it reads %q", reads)
	}
	folder := usualGcloudFolder(w.host.Home)
	inFolder(t, string(folder), "configurations/config_work", "[auth]\ncredential_file_override = "+path+"\naccess_token_file = "+token+"\n")
	reads := filesOfOthers(w.host, must(implicitFields(fields{"credential_source": "gcloud", "gcloud_configuration": "work"}).settings(methodImplicit))(t).Values)
	for _, needed := range []string{path, subject, token, folder.configurationFile("work")} {
		if !slices.Contains(reads, needed) {
			t.Errorf("with gcloud, it does not read %s: %q", needed, reads)
		}
	}
}

// TestImplicitOfNobody: the OAuth client that all the people of gcloud share is not an
// identity that a connector could be for.
func TestImplicitOfNobody(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	w.route("oauth2.googleapis.com", http.StatusOK, `{"access_token":"`+planted+`","expires_in":3600,"token_type":"Bearer",`+
		`"azp":"764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com","exp":"4102444800"}`)
	w.adc(w.User("jane@example.com").ADC())
	_, err := w.session(methodImplicit, implicitFields(nil)).Verify(t.Context())
	failsAs(t, err, fault.Failed, []string{"does not say whose", "userinfo.email"}, planted)
}

// TestPlainHTTPStaysHere: what goes by plain HTTP goes to this machine, and through no
// proxy, however its name is written.
func TestPlainHTTPStaysHere(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(rw, `{"access_token":"ya29.abcdefgh","expires_in":3600,"token_type":"Bearer"}`)
	}))
	defer server.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL.Host)
		rw.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	transport := w.transport()
	transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	w.host.HTTP = transport
	address := strings.Replace(server.URL, "127.0.0.1", "LOCALHOST", 1) + "/token"
	s := w.session(methodUserAccount, fields{"user_account_json": with(userFile(), "token_uri", address), "project_id": ownProject})
	if _, err := s.tokenFor(t.Context(), purpose{}); err != nil {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
}

// TestNamesArePrintable: whose a token is is shown, and comes from afar.
func TestNamesArePrintable(t *testing.T) {
	t.Parallel()
	const bad, good = "jane\x1b]0;owned\x07\r\njane", "jane ]0;owned jane"
	w := newAuthWorld(t)
	said := object("access_token", "ya29.abcdefgh", "expires_in", 3600, "token_type", "Bearer", "active", true, "username", bad, "email", bad)
	w.route("oauth2.googleapis.com", http.StatusOK, said)
	w.route("sts.googleapis.com", http.StatusOK, said)
	for name, text := range map[string]string{"person": w.User("jane@example.com").ADC(), "of a workforce": externalUserFile()} {
		s := w.session(methodUserAccount, fields{"user_account_json": text, "project_id": ownProject})
		if who, err := s.Verify(t.Context()); err != nil || who.Name != good {
			t.Errorf("%s: %q, %v", name, who.Name, err)
		}
	}
	file := map[string]any{"file": inFolder(t, t.TempDir(), "token", "subject")}
	s := w.session(methodExternal, externalFields(configurationJSON(t, bad+"/providers/x", file, nil), nil))
	if who, err := s.Verify(t.Context()); err != nil || who.Name != "principalSet:"+good+"/*" {
		t.Errorf("of a pool: %q, %v", who.Name, err)
	}
	printed := object("credential", map[string]any{"access_token": "ya29.x"}, "configuration", map[string]any{"properties": map[string]any{"core": map[string]any{"account": bad}}})
	if got := must(readGcloud([]byte(printed)))(t); got.principal != good {
		t.Errorf("of gcloud: %q", got.principal)
	}
}

// TestUniverseIsADomain: what a file says becomes a part of addresses, and shows in errors.
func TestUniverseIsADomain(t *testing.T) {
	t.Parallel()
	for _, universe := range []string{"googleapis.com@evil.example.com", "evil.example.com/x?y=", "a b", "x\x1b[2J.com", "#"} {
		for kind, text := range map[string]string{
			fileService: serviceFile(), fileUser: userFile(), fileExternalUser: externalUserFile(),
			fileExternal: configurationJSON(t, someAudience, map[string]any{"file": "/none"}, nil),
		} {
			_, err := openFile(&clients{}, "it", secret.New(with(text, "universe_domain", universe)), kind)
			failsAs(t, err, fault.Invalid, []string{"universe_domain", "not a domain"}, universe)
		}
	}
}

// TestGcloudTokenWithoutEnd: of a token that nobody says the end of, none is guessed.
func TestGcloudTokenWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	inFolder(t, string(usualGcloudFolder(w.host.Home)), "configurations/config_work", "[core]\naccount = jane@example.com\n")
	w.route("oauth2.googleapis.com", http.StatusOK, object("email", "jane@example.com"))
	w.host.Run = func(context.Context, connector.Command) (connector.Finished, error) {
		return connector.Finished{Stdout: []byte(object("credential", map[string]any{"access_token": planted, "token_expiry": nil}))}, nil
	}
	got, err := w.session(methodImplicit, implicitFields(fields{"credential_source": "gcloud", "gcloud_configuration": "work"})).tokenFor(t.Context(), purpose{})
	failsAs(t, err, fault.Failed, []string{"does not say until when"}, planted)
	if !got.text.IsEmpty() {
		t.Errorf("a token that is good until %s", got.expires)
	}
}
