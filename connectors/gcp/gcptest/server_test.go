package gcptest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

func TestWhoeverAsksIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	robot := w.Project("one").ServiceAccount("robot")
	robot.LetImpersonate("user:"+jane, "serviceAccount:"+robot.Email())
	w.Project("bills").Grant("user:"+jane, "serviceusage.services.use")
	good := w.IssueToken("user:"+jane, "", time.Hour)
	over := w.IssueToken("user:"+jane, "", time.Second)
	revoked := w.IssueToken("user:"+jane, "", time.Hour)
	w.RevokeToken(revoked)
	narrow := w.IssueToken("user:"+jane, emailScope, time.Hour)
	w.advance(time.Second)
	with := func(token string, pairs ...string) http.Header {
		out := bearer(token)
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
		}
		return out
	}
	const wrong = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
	for what, test := range map[string]struct {
		header             http.Header
		status             int
		code, reason, text string
		challenge          string
	}{
		"a good token":         {with(good), 200, "", "", "", ""},
		"the scope of IAM":     {with(w.IssueToken("user:"+jane, "https://www.googleapis.com/auth/iam", time.Hour)), 200, "", "", "", ""},
		"a project to bill":    {with(good, "X-Goog-User-Project", "bills"), 200, "", "", "", ""},
		"nothing":              {nil, 401, "UNAUTHENTICATED", "CREDENTIALS_MISSING", "missing required authentication credential", `Bearer realm="https://accounts.google.com/"`},
		"another scheme":       {http.Header{"Authorization": {"Basic x"}}, 401, "UNAUTHENTICATED", "CREDENTIALS_MISSING", "", ""},
		"no token":             {with("wrong"), 401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", wrong, "invalid_token"},
		"a revoked one":        {with(revoked), 401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", wrong, "invalid_token"},
		"one that is over":     {with(over), 401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", wrong, "invalid_token"},
		"narrow scopes":        {with(narrow), 403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "Request had insufficient authentication scopes.", "insufficient_scope"},
		"another's project":    {with(good, "X-Goog-User-Project", "one"), 403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "Caller does not have required permission to use project one.", ""},
		"a project of nobody":  {with(good, "X-Goog-User-Project", "nobody"), 403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "roles/serviceusage.serviceUsageConsumer", ""},
		"an owner, who may so": {with(w.IssueToken("serviceAccount:"+robot.Email(), "", time.Hour), "X-Goog-User-Project", "one"), 200, "", "", "", ""},
	} {
		got := w.impersonate(t, test.header, robot.Email(), cloudBody)
		if test.status == http.StatusOK {
			got.good(t)
			continue
		}
		got.refused(t, what, test.status, test.code, test.reason, test.text)
		if !strings.Contains(got.header.Get("Www-Authenticate"), test.challenge) {
			t.Errorf("%s: %v", what, got.header)
		}
	}
	w.Project("one").Disable("iamcredentials.googleapis.com")
	w.impersonate(t, with(good), robot.Email(), cloudBody).good(t) // it is counted elsewhere
	got := w.impersonate(t, with(w.IssueToken("serviceAccount:"+robot.Email(), "", time.Hour)), robot.Email(), cloudBody)
	got.refused(t, "an API that is not enabled", 403, "PERMISSION_DENIED", "SERVICE_DISABLED", "has not been used in project "+w.Project("one").Number()+" before or it is disabled")
	if !strings.Contains(got.body, `"activationUrl": "https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project=`+w.Project("one").Number()) {
		t.Error(got.body)
	}
}

func TestTheServerMisbehaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	robot := w.Project("one").ServiceAccount("robot")
	robot.LetImpersonate("allAuthenticatedUsers")
	token := w.IssueToken("user:"+jane, "", time.Hour)
	w.Throttle("iamcredentials", "generateAccessToken", 1)
	w.Throttle("oauth2", "", 1)
	w.impersonate(t, bearer(token), robot.Email(), cloudBody).refused(t, "too many", 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "Quota exceeded")
	w.impersonate(t, bearer(token), robot.Email(), cloudBody).good(t)
	w.post(t, "/token", form("grant_type", "refresh_token")).oauthRefused(t, "too many", 429, "rate_limit_exceeded", "Quota exceeded")
	w.Skew(2 * time.Hour)
	got := w.impersonate(t, bearer(token), robot.Email(), cloudBody)
	got.refused(t, "a clock that is ahead", 401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "")
	if date, err := http.ParseTime(got.header.Get("Date")); err != nil || !date.Equal(w.time().Add(2*time.Hour)) {
		t.Errorf("%v %v", date, err)
	}
	w.Skew(0)
	w.Delay(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL()+"/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("it is not slow")
	}
	w.Delay(0)
	w.ResetCalls()
	w.post(t, "/tokeninfo", nil)
	if w.Count("", "") < 1 || w.Count("oauth2", "tokeninfo") != 1 {
		t.Errorf("%+v", w.Calls())
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(t, http.MethodGet, "/v1/nothing", nil, "").refused(t, "no such path", 404, "NOT_FOUND", "", "/v1/nothing")
	w.ask(t, http.MethodDelete, "/token", nil, "").refused(t, "no such method", 404, "NOT_FOUND", "", "/token")
	w.ask(t, http.MethodPost, "/token?x=%zz", nil, "").oauthRefused(t, "a wrong query", 400, "invalid_request", "query")
	w.ask(t, http.MethodPost, "/token", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "%zz").oauthRefused(t, "a wrong form", 400, "invalid_request", "form")
	if call := w.Calls()[0]; call.Service != "" || call.Action != "" || call.Code != "NOT_FOUND" {
		t.Errorf("%+v", call)
	}
	client := through(t, w.Server)
	for address, status := range map[string]int{
		"https://sts.googleapis.com/token":               404, // is the authorization server's
		"https://oauth2.googleapis.com/v1/token":         404,
		"https://accounts.google.com/o/oauth2/v2/auth":   401,
		"https://oauth2.googleapis.com/o/oauth2/v2/auth": 404, // is the consent page's
		"https://nothing.googleapis.com/token":           404,
		"http://example.com/":                            502,
		"http://googleapis.com.example.com/":             502,
	} {
		method := http.MethodPost
		if strings.HasSuffix(address, "/auth") {
			method = http.MethodGet
		}
		if got := ask(t, client, method, address, nil, ""); got.status != status {
			t.Errorf("%s: %d %s", address, got.status, got.body)
		}
	}
	if _, err := client.Get("https://googleapis.com.evil.example/"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("%v", err)
	}
}

func TestServicesAreToldApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"/tokeninfo":           "oauth2",
		"/v1/introspect":       "sts",
		"/sts/v1/introspect":   "sts",
		"/oauth2/v3/tokeninfo": "oauth2",
		"/v1/projects/-/serviceAccounts/x:generateAccessToken":                "iamcredentials",
		"/iamcredentials/v1/projects/-/serviceAccounts/x:generateAccessToken": "iamcredentials",
	} {
		w.ResetCalls()
		w.ask(t, http.MethodPost, path, nil, "")
		if got := w.Calls()[0]; got.Service != want || got.Action == "" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	w.Route("Example.COM", http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, "routed") }))
	if got := ask(t, through(t, w.Server), http.MethodGet, "https://example.com:8443/", nil, ""); got.body != "routed" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.Project("one")
	if one != w.Project("one") || one.ID() != "one" || len(one.Number()) != 12 || one.Number() == w.Project("two").Number() {
		t.Errorf("%s %s", one.ID(), one.Number())
	}
	for id, want := range map[string]string{"one": "robot@one.iam.gserviceaccount.com", "example.com:one": "robot@one.example.com.iam.gserviceaccount.com"} {
		if got := w.Project(id).ServiceAccount("robot").Email(); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("one")
	may := func(token string) int {
		return w.ask(t, http.MethodGet, "/v1/projects/one/locations/-/clusters", bearer(token), "").status
	}
	token := func(account *gcptest.ServiceAccount) string {
		return w.IssueToken("serviceAccount:"+account.Email(), "", time.Hour)
	}
	for what, test := range map[string]struct {
		permissions []string
		want        int
	}{
		"all rights":         {nil, 200},
		"everything":         {[]string{"*"}, 200},
		"all of the service": {[]string{"container.*"}, 200},
		"this one":           {[]string{"storage.*", "container.clusters.list"}, 200},
		"another":            {[]string{"container.clusters.get"}, 403},
		"another service":    {[]string{"storage.*"}, 403},
	} {
		if got := may(token(p.ServiceAccount(strings.ReplaceAll(what, " ", "-"), test.permissions...))); got != test.want {
			t.Errorf("%s: %d", what, got)
		}
	}
	robot := p.ServiceAccount("robot", "storage.*")
	if p.ServiceAccount("robot"); may(token(robot)) != 403 {
		t.Error("an account got rights by being looked up")
	}
	if p.ServiceAccount("robot", "container.*"); may(token(robot)) != 200 {
		t.Error("an account's rights do not change")
	}
	if p.Revoke("serviceAccount:" + robot.Email()); may(token(robot)) != 403 {
		t.Error("an account's rights do not end")
	}
	stranger := w.Project("two").ServiceAccount("robot")
	if may(token(stranger)) != 403 {
		t.Error("an account has rights in another project")
	}
	if p.Grant("allUsers", "container.clusters.list"); may(token(stranger)) != 200 {
		t.Error("what all have, a stranger has not")
	}
}

func TestClosing(t *testing.T) {
	t.Parallel()
	s, err := gcptest.New(gcptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client := through(t, s)
	get := func() error {
		response, err := client.Get("https://oauth2.googleapis.com/tokeninfo")
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if get() == nil {
		t.Error("it still answers")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
