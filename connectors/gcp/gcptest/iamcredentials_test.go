package gcptest_test

import (
	"net/http"
	"testing"
	"time"
)

func TestImpersonation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.Project("one").ServiceAccount("target")
	hop := w.Project("two").ServiceAccount("hop")
	robot := w.Project("three").ServiceAccount("robot")
	closed := w.Project("one").ServiceAccount("closed")
	target.LetImpersonate("user:"+jane, "serviceAccount:"+hop.Email())
	hop.LetImpersonate("serviceAccount:" + robot.Email())
	closed.LetImpersonate("user:" + jane)
	closed.Disable()
	w.Project("one").Grant("user:admin@example.com", "iam.*")
	w.Project("one").Grant("user:owner@example.com", "*")
	const denied = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
	delegates := func(emails string) string {
		return `{"scope":["` + cloudScope + `"],"delegates":["projects/-/serviceAccounts/` + emails + `"]}`
	}
	for what, test := range map[string]struct {
		member, email, body string
		status              int
		code, reason, text  string
		lifetime            time.Duration
	}{
		"who may":                    {member: "user:" + jane, body: cloudBody, status: 200, lifetime: time.Hour},
		"for a while":                {member: "user:" + jane, body: `{"scope":["` + emailScope + `"],"lifetime":"90s"}`, status: 200, lifetime: 90 * time.Second},
		"who may by the project":     {member: "user:admin@example.com", body: cloudBody, status: 200, lifetime: time.Hour},
		"an owner, who may not":      {member: "user:owner@example.com", body: cloudBody, status: 403, code: "PERMISSION_DENIED", reason: "IAM_PERMISSION_DENIED", text: denied},
		"itself, which may not":      {member: "serviceAccount:" + target.Email(), body: cloudBody, status: 403, code: "PERMISSION_DENIED", reason: "IAM_PERMISSION_DENIED", text: denied},
		"through a delegate":         {member: "serviceAccount:" + robot.Email(), body: delegates(hop.Email()), status: 200, lifetime: time.Hour},
		"without the delegate":       {member: "serviceAccount:" + robot.Email(), body: cloudBody, status: 403, code: "PERMISSION_DENIED", text: denied},
		"through who lets nobody":    {member: "user:" + jane, body: delegates(hop.Email()), status: 403, code: "PERMISSION_DENIED", text: denied},
		"through nobody":             {member: "user:" + jane, body: delegates("nobody"), status: 404, code: "NOT_FOUND", text: "Gaia id not found"},
		"through what is no name":    {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"delegates":["` + hop.Email() + `"]}`, status: 400, code: "INVALID_ARGUMENT", text: "delegate"},
		"nobody":                     {member: "user:" + jane, email: "nobody@one.iam.gserviceaccount.com", body: cloudBody, status: 404, code: "NOT_FOUND", text: "Gaia id not found for email nobody@one"},
		"a disabled account":         {member: "user:" + jane, email: closed.Email(), body: cloudBody, status: 400, code: "FAILED_PRECONDITION", text: "disabled"},
		"no scope":                   {member: "user:" + jane, body: `{}`, status: 400, code: "INVALID_ARGUMENT", text: "Scope required."},
		"a scope that is none":       {member: "user:" + jane, body: `{"scope":["all"]}`, status: 400, code: "INVALID_ARGUMENT", text: "scope"},
		"no JSON":                    {member: "user:" + jane, body: `{`, status: 400, code: "INVALID_ARGUMENT", text: "JSON"},
		"more than an hour":          {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"lifetime":"3601s"}`, status: 400, code: "INVALID_ARGUMENT", text: "constraints/iam.allowServiceAccountCredentialLifetimeExtension"},
		"more than half a day":       {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"lifetime":"43201s"}`, status: 400, code: "INVALID_ARGUMENT", text: "43200"},
		"no time":                    {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"lifetime":"0s"}`, status: 400, code: "INVALID_ARGUMENT", text: "lifetime"},
		"a time that is written so":  {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"lifetime":"1h0s"}`, status: 400, code: "INVALID_ARGUMENT", text: "lifetime"},
		"a time that is none at all": {member: "user:" + jane, body: `{"scope":["` + cloudScope + `"],"lifetime":"soon"}`, status: 400, code: "INVALID_ARGUMENT", text: "lifetime"},
	} {
		email := test.email
		if email == "" {
			email = target.Email()
		}
		got := w.impersonate(t, bearer(w.IssueToken(test.member, "", time.Hour)), email, test.body)
		if test.status != http.StatusOK {
			got.refused(t, what, test.status, test.code, test.reason, test.text)
			continue
		}
		who, ok := w.TokenInfo(got.good(t).field(t, "accessToken"))
		if end := w.time().Add(test.lifetime).Format(time.RFC3339); !ok || who != target.Email() || got.field(t, "expireTime") != end {
			t.Errorf("%s: %s, %v, %s", what, who, ok, got.field(t, "expireTime"))
		}
	}
}

func TestLongerLifetimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.Project("one").ServiceAccount("target")
	target.LetImpersonate("user:" + jane)
	target.MaxLifetime(12 * time.Hour)
	w.impersonate(t, bearer(w.IssueToken("user:"+jane, "", time.Hour)), target.Email(), `{"scope":["`+cloudScope+`"],"lifetime":"43200s"}`).good(t)
}
