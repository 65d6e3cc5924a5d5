package gcptest_test

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/downscope"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

func TestDownscopedTokens(t *testing.T) {
	t.Parallel()
	s := gcptest.Start(t, gcptest.Options{})
	p := s.Project("one")
	p.Bucket("data", "EU").Put("a", "hello")
	p.Bucket("other", "EU").Put("a", "hello")
	root := s.IssueToken("serviceAccount:"+p.ServiceAccount("robot").Email(), "", time.Hour)
	source, err := downscope.NewTokenSource(asGoogle(t, s), downscope.DownscopingConfig{
		RootSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: root, Expiry: time.Now().Add(time.Hour)}),
		Rules: []downscope.AccessBoundaryRule{{
			AvailableResource:    "//storage.googleapis.com/projects/_/buckets/data",
			AvailablePermissions: []string{"inRole:roles/storage.objectViewer", "inRole:roles/storage.legacyBucketReader"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		token, method, path string
		status              int
	}{
		"the bucket":              {got.AccessToken, "GET", "/storage/v1/b/data", 200},
		"its objects":             {got.AccessToken, "GET", "/storage/v1/b/data/o", 200},
		"an object":               {got.AccessToken, "GET", "/storage/v1/b/data/o/a?alt=media", 200},
		"an object to be deleted": {got.AccessToken, "DELETE", "/storage/v1/b/data/o/a", 403},
		"another bucket":          {got.AccessToken, "GET", "/storage/v1/b/other/o/a", 403},
		"all buckets":             {got.AccessToken, "GET", "/storage/v1/b?project=one", 403},
		"another service":         {got.AccessToken, "GET", "/v1/projects/one/locations/-/clusters", 401},
		"the root, elsewhere":     {root, "GET", "/v1/projects/one/locations/-/clusters", 200},
	} {
		if reply := ask(t, http.DefaultClient, test.method, s.URL()+test.path, bearer(test.token), ""); reply.status != test.status {
			t.Errorf("%s: %d %s", what, reply.status, reply.body)
		}
	}
	s.RevokeToken(root)
	if _, ok := s.TokenInfo(got.AccessToken); ok {
		t.Error("a token outlives the one that it was made from")
	}
	if s.Count("sts", "downscope") != 1 || s.Count("sts", "exchange") != 0 {
		t.Errorf("%+v", s.Calls())
	}
}

func TestWhatCannotBeDownscoped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const options = `{"accessBoundary":{"accessBoundaryRules":[{"availableResource":"//storage.googleapis.com/projects/_/buckets/data","availablePermissions":["inRole:roles/storage.objectViewer"]}]}}`
	narrow := func(token, options string) reply {
		return w.post(t, "/v1/token", form("grant_type", exchange, "requested_token_type", accessType, "subject_token_type", accessType, "subject_token", token, "options", options))
	}
	root := w.IssueToken("user:"+jane, "", time.Minute)
	first := narrow(root, options).good(t)
	if first.field(t, "expires_in") != "null" || first.field(t, "issued_token_type") != accessType {
		t.Errorf("it says more than Google: %s", first.body)
	}
	narrow(first.field(t, "access_token"), options).oauthRefused(t, "a narrow token again", 400, "invalid_grant", "already")
	narrow("wrong", options).oauthRefused(t, "no token", 400, "invalid_grant", "")
	narrow("", options).oauthRefused(t, "nothing", 400, "invalid_request", "subject_token")
	narrow(root, "").oauthRefused(t, "no boundary", 400, "invalid_request", "options")
	narrow(w.IssueToken("user:"+jane, "https://www.googleapis.com/auth/devstorage.read_only", time.Hour), options).oauthRefused(t, "another scope", 400, "invalid_grant", "scope")
	w.advance(time.Minute)
	narrow(root, options).oauthRefused(t, "a token that is over", 400, "invalid_grant", "")
	if _, ok := w.TokenInfo(first.field(t, "access_token")); ok {
		t.Error("a token outlives the one that it was made from")
	}
}
