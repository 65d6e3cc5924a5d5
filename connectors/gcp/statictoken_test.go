package gcp

import (
	"net/http"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestGivenToken(t *testing.T) {
	t.Parallel()
	w := newAuthWorld(t)
	text := w.IssueToken("user:jane@example.com", "", 20*time.Minute)
	s := w.session(methodToken, fields{"token": text, "project_id": ownProject})
	who, err := s.Verify(t.Context())
	if err != nil || who.Name != "jane@example.com" {
		t.Fatalf("%+v, %v", who, err)
	}
	got, err := s.tokenFor(t.Context(), purpose{scope: scopeStorageRead})
	if err != nil || got.text.Reveal() != text || got.principal != "jane@example.com" {
		t.Fatalf("%+v, %v", got, err)
	}
	lasts(t, got, 20*time.Minute)
	if n := w.Count("oauth2", "tokeninfo"); n != 1 || len(w.Calls()) != 1 {
		t.Errorf("%d questions of %d calls", n, len(w.Calls()))
	}
}

func TestGivenTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token func(w *authWorld) string
		kind  fault.Kind
		words []string
	}{
		"expired":   {func(w *authWorld) string { return w.IssueToken("user:jane@example.com", "", -time.Minute) }, fault.Denied, []string{"has expired, was revoked", "svcconn update NAME --set token=-"}},
		"none":      {func(*authWorld) string { return "ya29." + planted }, fault.Denied, []string{"has expired, was revoked"}},
		"federated": {func(w *authWorld) string { return w.IssueToken("principal://iam.googleapis.com/x", "", time.Hour) }, fault.Denied, []string{"of a kind that Google tells nothing of"}},
		"revoked": {func(w *authWorld) string {
			text := w.IssueToken("user:jane@example.com", "", time.Hour)
			w.RevokeToken(text)
			return text
		}, fault.Denied, []string{"was revoked"}},
		"nobody there": {func(w *authWorld) string { _ = w.Close(); return "ya29." + planted }, fault.Unavailable, nil},
		"something else there": {func(w *authWorld) string {
			w.route("oauth2.googleapis.com", http.StatusOK, "hello")
			return "ya29." + planted
		}, fault.Invalid, []string{"not Google's"}},
		"no expiry": {func(w *authWorld) string {
			w.route("oauth2.googleapis.com", http.StatusOK, `{"email":"jane@example.com"}`)
			return "ya29." + planted
		}, fault.Failed, []string{"until when the token is good", "api_endpoint_oauth2"}},
		"over by our clock": {func(w *authWorld) string {
			w.route("oauth2.googleapis.com", http.StatusOK, `{"email":"jane@example.com","exp":1000000000}`)
			return "ya29." + planted
		}, fault.Denied, []string{"expired", "2001-09-09"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAuthWorld(t)
			text := c.token(w)
			_, err := w.session(methodToken, fields{"token": text, "project_id": ownProject}).Verify(t.Context())
			failsAs(t, err, c.kind, c.words, text)
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestGivenTokenFields(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"with a line break": planted + "\n" + planted, "with a space": "Bearer " + planted, "with a control character": planted + "\x00"} {
		_, err := fields{"token": text, "project_id": ownProject}.settings(methodToken)
		failsAs(t, err, fault.Invalid, []string{"field token"}, planted)
		if err == nil {
			t.Errorf("%s it is taken", name)
		}
	}
}

// Whose a token is, as far as the authorization server tells.
func TestTokenOwners(t *testing.T) {
	t.Parallel()
	for want, info := range map[string]tokenInfo{
		"jane@example.com": {Email: "jane@example.com", Subject: "1", Client: "2", Expires: "x"},
		"1":                {Subject: "1", Client: "2", Expires: "-3"},
		"2":                {Client: "2", Expires: "1.5"},
		"":                 {},
	} {
		if info.owner() != want || !info.expires().IsZero() {
			t.Errorf("%+v: %q until %s", info, info.owner(), info.expires())
		}
	}
	w := newAuthWorld(t)
	w.Route("oauth2.googleapis.com", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.RawQuery != "" {
			t.Errorf("a token is in an address: %s %s", r.Method, r.URL)
		}
		reply(out, http.StatusOK, object("access_token", "ya29.x", "expires_in", 60))
	}))
	_, err := w.session(methodUserAccount, userFields(userFile())).Verify(t.Context())
	failsAs(t, err, fault.Failed, []string{"does not say whose the token is", "userinfo.email"}, planted, "ya29.x")
}
