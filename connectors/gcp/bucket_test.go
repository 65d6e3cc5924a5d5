package gcp

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// withBuckets has buckets of two projects.
func withBuckets(t *testing.T, permissions ...string) *kindWorld {
	w := kindsOf(t, permissions...)
	for _, name := range []string{"alpha", "beta", "files.example.com", "my_bucket", "proj.appspot.com"} {
		w.Project(homeProject).Bucket(name, "").Put("hello", "world")
	}
	w.Project("other-project").Bucket("elsewhere", "EU")
	return w
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	w := withBuckets(t, "storage.buckets.list")
	names, err := listed(t, w.opened(t, "", ""), bucketType)
	want := []string{"gs://alpha", "gs://beta", "gs://files.example.com", "gs://my_bucket", "gs://proj.appspot.com"}
	if diff := cmp.Diff(want, names); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if n := w.Count("storage", "buckets.list"); n != 3 {
		t.Errorf("%d pages, not 3", n)
	}
}

func TestListBucketsStopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	w, enough := withBuckets(t), errors.New("enough")
	err := w.opened(t, "", "").List(t.Context(), bucketType, func(connector.Resource) error { return enough })
	if !errors.Is(err, enough) || w.Count("storage", "buckets.list") != 1 {
		t.Errorf("%v after %d pages", err, w.Count("storage", "buckets.list"))
	}
}

func TestListBucketsDenied(t *testing.T) {
	t.Parallel()
	_, err := listed(t, withBuckets(t, "storage.objects.*").opened(t, "", ""), bucketType)
	fails(t, "without the permission", err, fault.Denied, "storage.buckets.list", "")
}

// A connector for one bucket asks about its objects alone, with a token that is good for
// nothing else.
func TestListOneBucket(t *testing.T) {
	t.Parallel()
	w := withBuckets(t, "storage.objects.list")
	for name, kind := range map[string]fault.Kind{"alpha": "", "gs://files.example.com/x": "", "elsewhere": fault.Denied, "missing": fault.NotFound} {
		s := w.opened(t, bucketType, name)
		names, err := listed(t, s, bucketType)
		if fault.KindOf(err) != kind || (err == nil) != (len(names) == 1 && names[0] == s.settings.ResourceName) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
		if err != nil && !strings.Contains(err.Error(), "bucket "+name) {
			t.Errorf("the error does not name the bucket: %v", err)
		}
	}
	if w.Count("storage", "objects.list") != 4 || w.Count("storage", "") != 4 || w.Count("sts", "downscope") != 4 {
		t.Errorf("calls: %+v", w.Calls())
	}
}

// at asks Cloud Storage something with a token.
func (w *kindWorld) at(t *testing.T, method, path string, token connector.AccessToken, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Token.Reveal())
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// A token for a bucket is good for that bucket, for reading or writing, and for nothing
// else.
func TestMintBucket(t *testing.T) {
	t.Parallel()
	w := withBuckets(t)
	s := w.opened(t, "", "")
	for access, put := range map[connector.Access]int{connector.ReadOnly: http.StatusForbidden, connector.ReadWrite: http.StatusOK} {
		got := mintedAs[connector.AccessToken](t, s, connector.Request{ResourceType: bucketType, ResourceName: "gs://alpha", Access: access})
		if !got.Expires.Equal(dawn.Add(time.Hour)) || got.Project != homeProject || got.Principal != "jane@example.com" || got.Universe != "googleapis.com" {
			t.Errorf("%s: %+v", access, got)
		}
		for what, test := range map[string]struct {
			method, path string
			want         int
		}{
			"list objects": {http.MethodGet, "/storage/v1/b/alpha/o", http.StatusOK},
			"read":         {http.MethodGet, "/storage/v1/b/alpha/o/hello?alt=media", http.StatusOK},
			"look at it":   {http.MethodGet, "/storage/v1/b/alpha", http.StatusOK},
			"write":        {http.MethodPost, "/upload/storage/v1/b/alpha/o?uploadType=media&name=x", put},
			"another one":  {http.MethodGet, "/storage/v1/b/beta/o/hello?alt=media", http.StatusForbidden},
			"all of them":  {http.MethodGet, "/storage/v1/b?project=" + homeProject, http.StatusForbidden},
		} {
			if status := w.at(t, test.method, test.path, got, "x"); status != test.want {
				t.Errorf("%s: to %s gives %d, not %d", access, what, status, test.want)
			}
		}
		if status := w.at(t, http.MethodGet, "/v1/projects/"+homeProject+"/locations/-/clusters", got, ""); status/100 != 4 {
			t.Errorf("the token is good for clusters: %d", status)
		}
	}
	if n := len(w.source.asked); n != 1 {
		t.Errorf("%d tokens were got to make two of", n)
	}
}

// A bucket of another project is reached by its name, where that project lets it be.
func TestMintBucketOfAnotherProject(t *testing.T) {
	t.Parallel()
	w := withBuckets(t)
	w.Project("other-project").Grant(kindsMember, "storage.objects.list")
	got := mintedAs[connector.AccessToken](t, w.opened(t, bucketType, "elsewhere"), connector.Request{ResourceType: bucketType})
	if status := w.at(t, http.MethodGet, "/storage/v1/b/elsewhere/o", got, ""); status != http.StatusOK {
		t.Errorf("%d", status)
	}
}

// answering is a Google that says something else at one path.
type answering struct {
	status int
	body   string
	hint   string // that is wanted
	path   string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != a.path {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// Without a boundary there is no token, least of all the one that would have been bounded.
func TestMintBucketThatCannotBeBounded(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		answering
		kind fault.Kind
	}{
		"refused":          {answering{status: http.StatusBadRequest, body: `{"error":"invalid_request","error_description":"Access boundaries are not supported."}`, hint: "--resource-type gcp-generic"}, fault.Invalid},
		"no such service":  {answering{status: http.StatusNotFound, body: `<html>no such page</html>`, hint: "api_endpoint_sts"}, fault.Invalid},
		"out of order":     {answering{status: http.StatusServiceUnavailable, body: ``, hint: "try again"}, fault.Unavailable},
		"another language": {answering{status: http.StatusOK, body: `hello`, hint: ""}, fault.Invalid},
		"no token":         {answering{status: http.StatusOK, body: `{"token_type":"Bearer","expires_in":3600}`, hint: ""}, fault.Failed},
	} {
		w := withBuckets(t)
		test.path = "/v1/token"
		w.http = test.answering
		s := w.opened(t, "", "")
		got, err := s.Mint(t.Context(), connector.Request{ResourceType: bucketType, ResourceName: "alpha"})
		if got != nil {
			t.Errorf("%s: there is a token", what)
		}
		fails(t, what, err, test.kind, "no token for bucket alpha alone can be had", test.hint)
	}
}

// A bounded token ends when the service says so, and with the token that it was made of.
func TestBoundedTokensEnd(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{
		`{"access_token":"t","expires_in":600}`:  10 * time.Minute,
		`{"access_token":"t","expires_in":7200}`: 30 * time.Minute,
		`{"access_token":"t"}`:                   30 * time.Minute,
	} {
		w := withBuckets(t)
		w.http = answering{status: http.StatusOK, body: body, path: "/v1/token"}
		got := mintedAs[connector.AccessToken](t, w.opened(t, "", ""), connector.Request{ResourceType: bucketType, ResourceName: "alpha", Lifetime: 30 * time.Minute})
		if !got.Expires.Equal(dawn.Add(want)) {
			t.Errorf("%s: until %s", body, got.Expires)
		}
	}
}
