package gcptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

var flavored = http.Header{"Metadata-Flavor": {"Google"}}

func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	robot := w.Project("one").ServiceAccount("robot")
	host := w.Metadata(robot)
	get := func(path string) reply {
		t.Helper()
		got := ask(t, http.DefaultClient, http.MethodGet, "http://"+host+path, flavored, "")
		if got.header.Get("Metadata-Flavor") != "Google" {
			t.Errorf("%s: no flavor", path)
		}
		return got
	}
	for path, want := range map[string]string{
		"/":                                      "computeMetadata/\n",
		"/computeMetadata/v1/project/project-id": "one",
		"/computeMetadata/v1/project/project-id?alt=json":                           "\"one\"\n",
		"/computeMetadata/v1/project/numeric-project-id":                            w.Project("one").Number(),
		"/computeMetadata/v1/universe/universe-domain":                              "googleapis.com",
		"/computeMetadata/v1/instance/zone":                                         "projects/" + w.Project("one").Number() + "/zones/europe-west1-b",
		"/computeMetadata/v1/instance/service-accounts/":                            "default/\n" + robot.Email() + "/\n",
		"/computeMetadata/v1/instance/service-accounts":                             "default/\n" + robot.Email() + "/\n",
		"/computeMetadata/v1/instance/service-accounts/default/email":               robot.Email(),
		"/computeMetadata/v1/instance/service-accounts/" + robot.Email() + "/email": robot.Email(),
		"/computeMetadata/v1/instance/service-accounts/default/aliases":             "default\n",
		"/computeMetadata/v1/instance/service-accounts/default/scopes":              cloudScope + "\n" + emailScope + "\n",
		"/computeMetadata/v1/instance/service-accounts/default/":                    "aliases\nemail\nidentity\nscopes\ntoken\n",
	} {
		if got := get(path); got.status != http.StatusOK || got.body != want {
			t.Errorf("%s: %d %q", path, got.status, got.body)
		}
	}
	whole := get("/computeMetadata/v1/instance/service-accounts/default/?recursive=true&alt=json")
	if whole.field(t, "email") != robot.Email() || whole.field(t, "aliases") != `["default"]` || !strings.Contains(whole.body, cloudScope) {
		t.Error(whole.body)
	}
	for _, path := range []string{
		"/computeMetadata/v1/instance/id", "/computeMetadata/v1/instance/service-accounts/other@one.iam.gserviceaccount.com/token",
		"/computeMetadata/v1/instance/service-accounts/default/tokens", "/nothing",
	} {
		if got := ask(t, http.DefaultClient, http.MethodGet, "http://"+host+path, flavored, ""); got.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestMachinesGetTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	robot := w.Project("one").ServiceAccount("robot")
	host := w.Metadata(robot)
	token := func(query string) reply {
		return ask(t, http.DefaultClient, http.MethodGet, "http://"+host+"/computeMetadata/v1/instance/service-accounts/default/token"+query, flavored, "")
	}
	first := token("").good(t)
	if who, ok := w.TokenInfo(first.field(t, "access_token")); !ok || who != robot.Email() || first.field(t, "expires_in") != "3600" {
		t.Errorf("%s, %v", who, ok)
	}
	w.advance(54 * time.Minute)
	if again := token("").good(t); again.field(t, "access_token") != first.field(t, "access_token") || again.field(t, "expires_in") != "360" {
		t.Errorf("the token changes early: %s", again.body)
	}
	w.advance(time.Minute)
	if later := token("").good(t); later.field(t, "access_token") == first.field(t, "access_token") {
		t.Error("the token does not change before its end")
	}
	narrow := token("?scopes="+emailScope+",openid").good(t).field(t, "access_token")
	if got := w.post(t, "/tokeninfo", form("access_token", narrow)).good(t); got.field(t, "scope") != emailScope+" openid" {
		t.Error(got.body)
	}
	if got := token("?scopes=all"); got.status != http.StatusBadRequest {
		t.Errorf("a scope that is none: %d", got.status)
	}
	identity := func(query string) reply {
		return ask(t, http.DefaultClient, http.MethodGet, "http://"+host+"/computeMetadata/v1/instance/service-accounts/default/identity"+query, flavored, "")
	}
	if got := claims(t, identity("?audience=me&format=full").good(t).body); got["aud"] != "me" || got["email"] != robot.Email() {
		t.Errorf("%v", got)
	}
	if got := claims(t, identity("?audience=me").good(t).body); got["aud"] != "me" || got["email"] != nil {
		t.Errorf("%v", got)
	}
	if got := identity(""); got.status != http.StatusBadRequest {
		t.Errorf("an ID token for nobody: %d", got.status)
	}
	robot.Disable()
	if got := token(""); got.status != http.StatusNotFound {
		t.Errorf("a disabled account: %d", got.status)
	}
	if w.Count("metadata", "token") != 6 || w.Calls()[0].Principal != robot.Email() {
		t.Errorf("%+v", w.Calls())
	}
}

func TestTheMetadataServerIsForItsMachine(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	const address = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email"
	if got := ask(t, through(t, s), http.MethodGet, address, flavored, ""); got.status != http.StatusNotFound {
		t.Errorf("without a machine: %d", got.status)
	}
	one, two := s.Project("one").ServiceAccount("one"), s.Project("one").ServiceAccount("two")
	at := s.Metadata(one)
	s.Metadata(two)
	if got := ask(t, through(t, s), http.MethodGet, address, flavored, ""); got.body != two.Email() {
		t.Errorf("the last machine: %s", got.body)
	}
	if got := ask(t, http.DefaultClient, http.MethodGet, "http://"+at+"/computeMetadata/v1/instance/service-accounts/default/email", flavored, ""); got.body != one.Email() {
		t.Errorf("the first machine: %s", got.body)
	}
	for what, header := range map[string]http.Header{
		"no flavor": {}, "another flavor": {"Metadata-Flavor": {"x"}}, "through a proxy": {"Metadata-Flavor": {"Google"}, "X-Forwarded-For": {"192.0.2.1"}},
	} {
		if got := ask(t, http.DefaultClient, http.MethodGet, "http://"+at+"/", header, ""); got.status != http.StatusForbidden || got.header.Get("Metadata-Flavor") != "Google" {
			t.Errorf("%s: %d %v", what, got.status, got.header)
		}
	}
}
