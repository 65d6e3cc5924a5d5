package gcptest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

const storageScope = "https://www.googleapis.com/auth/devstorage."

// storageRefused wants an error of the JSON API's format.
func (r reply) storageRefused(t *testing.T, what string, status int, reason, text string) {
	t.Helper()
	if r.status != status || r.field(t, "error", "code") != itoa(status) || !strings.Contains(r.body, `"reason": "`+reason+`"`) || !strings.Contains(r.field(t, "error", "message"), text) {
		t.Errorf("%s: %d %s, want %d %s %q", what, r.status, r.body, status, reason, text)
	}
}

// robotOf is the token of a project's account with some permissions; none are all.
func (w *world) robotOf(p *gcptest.Project, name string, permissions ...string) http.Header {
	return bearer(w.IssueToken("serviceAccount:"+p.ServiceAccount(name, permissions...).Email(), "", time.Hour))
}

// names is every text of a name in the pages of a list.
func (w *world) names(t *testing.T, as http.Header, path, list, name string) (out []string, pages int) {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for token := ""; ; pages++ {
		page := w.ask(t, http.MethodGet, path+separator+"pageToken="+url.QueryEscape(token), as, "").good(t)
		out = append(out, page.texts(t, list, name)...)
		if token = page.field(t, "nextPageToken"); token == "null" {
			return out, pages + 1
		}
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	for _, name := range []string{"acme-c", "acme.example.com", "acme-a", "other"} {
		p.Bucket(name, "europe-west1")
	}
	w.Project("theirs").Bucket("acme-theirs", "")
	as := w.robotOf(p, "robot")

	names, pages := w.names(t, as, "/storage/v1/b?project=acme", "items", "name")
	if strings.Join(names, " ") != "acme-a acme-c acme.example.com other" || pages != 2 {
		t.Errorf("%q in %d pages", names, pages)
	}
	names, _ = w.names(t, as, "/storage/v1/b?project="+p.Number()+"&prefix=acme-&maxResults=1", "items", "name")
	if strings.Join(names, " ") != "acme-a acme-c" {
		t.Errorf("%q", names)
	}
	one := w.ask(t, http.MethodGet, "/storage/v1/b/acme.example.com", as, "").good(t)
	if one.field(t, "location") != "EUROPE-WEST1" || one.field(t, "locationType") != "region" || one.field(t, "projectNumber") != p.Number() ||
		one.field(t, "timeCreated") != "2026-05-04T12:00:00.000Z" || one.field(t, "selfLink") != w.URL()+"/storage/v1/b/acme.example.com" {
		t.Error(one.body)
	}
	tested := w.ask(t, http.MethodGet, "/storage/v1/b/acme-a/iam/testPermissions?permissions=storage.objects.get&permissions=storage.buckets.get", w.robotOf(p, "reader", "storage.objects.get"), "").good(t)
	if tested.field(t, "permissions") != `["storage.objects.get"]` {
		t.Error(tested.body)
	}
}

func TestBucketsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Bucket("acme-data", "")
	w.Project("theirs").Bucket("their-data", "")
	all, none := w.robotOf(p, "robot"), w.robotOf(p, "none", "storage.nothing")
	narrow := bearer(w.IssueToken("serviceAccount:"+p.ServiceAccount("robot").Email(), emailScope, time.Hour))
	for what, test := range map[string]struct {
		as           http.Header
		path         string
		status       int
		reason, text string
	}{
		"nobody":            {nil, "?project=acme", 401, "required", ""},
		"a wrong token":     {bearer("wrong"), "?project=acme", 401, "authError", "invalid authentication credentials"},
		"a narrow scope":    {narrow, "?project=acme", 403, "insufficientPermissions", "insufficient authentication scopes"},
		"no project":        {all, "", 400, "invalid", "project"},
		"may not list":      {none, "?project=acme", 403, "forbidden", "none@acme.iam.gserviceaccount.com does not have storage.buckets.list access to the Google Cloud project. Permission 'storage.buckets.list' denied on resource (or it may not exist)."},
		"another project":   {all, "?project=theirs", 403, "forbidden", "storage.buckets.list"},
		"no such project":   {all, "?project=nope", 403, "forbidden", "storage.buckets.list"},
		"a wrong page":      {all, "?project=acme&pageToken=AAAA", 400, "invalid", "page token"},
		"a wrong number":    {all, "?project=acme&maxResults=-1", 400, "invalid", "-1"},
		"may not get":       {none, "/acme-data", 403, "forbidden", "does not have storage.buckets.get access to the Google Cloud Storage bucket."},
		"another's":         {all, "/their-data", 403, "forbidden", "storage.buckets.get"},
		"no such bucket":    {all, "/nope", 404, "notFound", "The specified bucket does not exist."},
		"no name":           {all, "/No_Bucket!", 400, "invalid", "Invalid bucket name: 'No_Bucket!'"},
		"nothing to test":   {all, "/acme-data/iam/testPermissions", 400, "invalid", "permissions"},
		"nothing of theirs": {all, "/nope/iam/testPermissions?permissions=x", 404, "notFound", ""},
	} {
		w.ask(t, http.MethodGet, "/storage/v1/b"+test.path, test.as, "").storageRefused(t, what, test.status, test.reason, test.text)
	}
	w.Throttle("storage", "buckets.get", 1)
	w.ask(t, http.MethodGet, "/storage/v1/b/acme-data", all, "").storageRefused(t, "too often", 429, "rateLimitExceeded", "Quota exceeded")
	p.Disable("storage.googleapis.com")
	for _, path := range []string{"?project=acme", "/acme-data"} {
		off := w.ask(t, http.MethodGet, "/storage/v1/b"+path, w.robotOf(w.Project("theirs"), "robot"), "")
		off.storageRefused(t, "not enabled", 403, "accessNotConfigured", "Google Cloud Storage JSON API has not been used in project "+p.Number()+" before or it is disabled.")
		if !strings.Contains(off.body, "SERVICE_DISABLED") {
			t.Error(off.body)
		}
	}
}

func TestMistakesInAWorld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, bad := w.Project("good"), w.Project("bad")
	good.Bucket("ours", "")
	bad.Bucket("ours", "")
	bad.Cluster("us-central1", "No_Cluster", gcptest.Cluster{})
	bad.Repository("mars", "images", gcptest.Repository{})
	as := w.robotOf(bad, "robot")
	for path, says := range map[string]string{
		"/storage/v1/b?project=bad":                  `the bucket \"ours\" is another project's`,
		"/v1/projects/bad/locations/-/clusters":      `no cluster can be called \"No_Cluster\"`,
		"/v1/projects/bad/locations/us/repositories": `none can be in \"mars\"`,
	} {
		if got := w.ask(t, http.MethodGet, path, as, ""); got.status != http.StatusInternalServerError || !strings.Contains(got.body, says) {
			t.Errorf("%s: %d %s, want %s", path, got.status, got.body, says)
		}
	}
	bad.Bucket("Nope", "")
	if got := w.ask(t, http.MethodGet, "/storage/v1/b?project=bad", as, ""); !strings.Contains(got.body, `no bucket can be called \"Nope\"`) {
		t.Error(got.body)
	}
	w.ask(t, http.MethodGet, "/storage/v1/b?project=good", w.robotOf(good, "robot"), "").good(t)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	b := p.Bucket("acme-data", "")
	for _, name := range []string{"a", "dir/one", "dir/sub/two", "dir2/x", "ä ü/+%"} {
		b.Put(name, "content of "+name)
	}
	as := w.robotOf(p, "robot")
	const list = "/storage/v1/b/acme-data/o"
	for query, want := range map[string]string{
		"":                                  "a|dir/one|dir/sub/two|dir2/x|ä ü/+%",
		"?delimiter=/":                      "a||dir/|dir2/|ä ü/",
		"?prefix=dir/&delimiter=/":          "dir/one||dir/sub/",
		"?prefix=dir/":                      "dir/one|dir/sub/two",
		"?startOffset=dir/sub&endOffset=dk": "dir/sub/two|dir2/x",
		"?prefix=nope":                      "",
	} {
		items, _ := w.names(t, as, list+query, "items", "name")
		prefixes, _ := w.names(t, as, list+query, "prefixes", "")
		if len(prefixes) > 0 {
			prefixes = append([]string{""}, prefixes...)
		}
		if got := strings.Join(append(items, prefixes...), "|"); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	path := list + "/" + url.PathEscape("ä ü/+%")
	one := w.ask(t, http.MethodGet, path, as, "").good(t)
	if one.field(t, "name") != "ä ü/+%" || one.field(t, "size") != "19" || one.field(t, "contentType") != "application/octet-stream" {
		t.Error(one.body)
	}
	link, _ := strings.CutPrefix(one.field(t, "mediaLink"), w.URL())
	for _, address := range []string{path + "?alt=media", link} {
		got := w.ask(t, http.MethodGet, address, as, "").good(t)
		if got.body != "content of ä ü/+%" || !strings.Contains(got.header.Get("X-Goog-Hash"), "crc32c="+one.field(t, "crc32c")) || got.header.Get("X-Goog-Generation") != one.field(t, "generation") {
			t.Errorf("%s: %q %v", address, got.body, got.header)
		}
	}
	part := w.ask(t, http.MethodGet, path+"?alt=media", http.Header{"Authorization": as["Authorization"], "Range": {"bytes=0-6"}}, "")
	if part.status != http.StatusPartialContent || part.body != "content" || part.header.Get("Content-Range") != "bytes 0-6/19" {
		t.Errorf("%d %q %v", part.status, part.body, part.header)
	}
	if gone := w.ask(t, http.MethodDelete, path, as, ""); gone.status != http.StatusNoContent {
		t.Errorf("%d %s", gone.status, gone.body)
	}
	if _, there := b.Object("ä ü/+%"); there {
		t.Error("it is still there")
	}
	if content, there := b.Object("a"); !there || content != "content of a" {
		t.Errorf("%q", content)
	}
}

func TestObjectsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Bucket("acme-data", "").Put("a", "x")
	all, lister := w.robotOf(p, "robot"), w.robotOf(p, "lister", "storage.objects.list")
	blind := w.robotOf(p, "blind", "storage.objects.get", "storage.objects.delete")
	reading := bearer(w.IssueToken("serviceAccount:"+p.ServiceAccount("robot").Email(), storageScope+"read_only", time.Hour))
	w.ask(t, http.MethodGet, "/storage/v1/b/acme-data/o/a", reading, "").good(t)
	for what, test := range map[string]struct {
		as           http.Header
		method, path string
		status       int
		reason, text string
	}{
		"may not get":        {lister, "GET", "/a", 403, "forbidden", "does not have storage.objects.get access to the Google Cloud Storage object."},
		"may not list":       {blind, "GET", "", 403, "forbidden", "does not have storage.objects.list access to the Google Cloud Storage bucket."},
		"no such object":     {all, "GET", "/nope", 404, "notFound", "No such object: acme-data/nope"},
		"may not know":       {blind, "GET", "/nope", 403, "forbidden", "storage.objects.get"},
		"another generation": {all, "GET", "/a?generation=1", 404, "notFound", ""},
		"a condition":        {all, "GET", "/a?ifGenerationMatch=1", 412, "conditionNotMet", ""},
		"a wrong condition":  {all, "GET", "/a?ifGenerationMatch=x", 400, "invalid", ""},
		"another form":       {all, "GET", "/a?alt=xml", 400, "invalid", "xml"},
		"may not delete":     {lister, "DELETE", "/a", 403, "forbidden", "storage.objects.delete"},
		"deleting nothing":   {all, "DELETE", "/nope", 404, "notFound", ""},
		"a reader deletes":   {reading, "DELETE", "/a", 403, "insufficientPermissions", ""},
		"a reader writes":    {reading, "POST", "?uploadType=media&name=x", 403, "insufficientPermissions", ""},
	} {
		front := ""
		if test.method == http.MethodPost {
			front = "/upload"
		}
		w.ask(t, test.method, front+"/storage/v1/b/acme-data/o"+test.path, test.as, "").storageRefused(t, what, test.status, test.reason, test.text)
	}
}

func TestGrantsOfABucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ours := w.Project("ours").Bucket("ours", "")
	w.Project("ours").Bucket("closed", "")
	ours.Put("a", "x")
	ours.Grant("user:jane@example.com", "storage.objects.*")
	as := bearer(w.IssueToken("user:jane@example.com", "", time.Hour))
	w.ask(t, http.MethodGet, "/storage/v1/b/ours/o/a", as, "").good(t)
	w.ask(t, http.MethodGet, "/storage/v1/b/ours", as, "").storageRefused(t, "the bucket itself", 403, "forbidden", "jane@example.com does not have storage.buckets.get")
	w.ask(t, http.MethodGet, "/storage/v1/b/closed/o", as, "").storageRefused(t, "another bucket", 403, "forbidden", "")
}

func TestBoundariesOfBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.Project("acme")
	p.Bucket("mine", "").Put("in/a", "x")
	p.Bucket("others", "").Put("a", "x")
	token := w.IssueToken("serviceAccount:"+p.ServiceAccount("robot").Email(), "", time.Hour)
	read := w.bound(t, token, "mine", `"inRole:roles/storage.objectViewer","inRole:roles/storage.legacyBucketReader"`)
	write := w.bound(t, token, "mine", `"inRole:roles/storage.objectAdmin","inRole:roles/storage.legacyBucketReader"`)
	for what, test := range map[string]struct {
		as           http.Header
		method, path string
		good         bool
	}{
		"reading an object":       {read, "GET", "/storage/v1/b/mine/o/in%2Fa", true},
		"listing":                 {read, "GET", "/storage/v1/b/mine/o?prefix=in/", true},
		"the bucket":              {read, "GET", "/storage/v1/b/mine", true},
		"a reader writes":         {read, "POST", "/upload/storage/v1/b/mine/o?uploadType=media&name=b", false},
		"a reader deletes":        {read, "DELETE", "/storage/v1/b/mine/o/in%2Fa", false},
		"another bucket":          {read, "GET", "/storage/v1/b/others/o/a", false},
		"another bucket's list":   {write, "GET", "/storage/v1/b/others/o", false},
		"a bucket that is not":    {write, "GET", "/storage/v1/b/nope", false},
		"all buckets":             {write, "GET", "/storage/v1/b?project=acme", false},
		"writing":                 {write, "POST", "/upload/storage/v1/b/mine/o?uploadType=media&name=b", true},
		"writing over":            {write, "POST", "/upload/storage/v1/b/mine/o?uploadType=media&name=in/a", true},
		"writing somewhere else":  {write, "POST", "/upload/storage/v1/b/others/o?uploadType=media&name=b", false},
		"beginning a long upload": {write, "POST", "/upload/storage/v1/b/others/o?uploadType=resumable&name=b", false},
	} {
		got := w.ask(t, test.method, test.path, test.as, "")
		if test.good {
			got.good(t)
		} else {
			got.storageRefused(t, what, 403, "forbidden", "robot@acme.iam.gserviceaccount.com does not have storage.")
		}
	}
	for _, path := range []string{"/v1/projects/acme/locations/-/clusters", "/v1/projects/acme/locations", "/v3/projects/acme"} {
		w.ask(t, http.MethodGet, path, read, "").refused(t, path, 401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "")
	}
}

// bound makes a token that is good for one bucket.
func (w *world) bound(t *testing.T, token, bucket, permissions string) http.Header {
	t.Helper()
	got := w.post(t, "/v1/token", form("grant_type", exchange, "subject_token", token, "subject_token_type", accessType, "requested_token_type", accessType,
		"options", `{"accessBoundary":{"accessBoundaryRules":[{"availableResource":"//storage.googleapis.com/projects/_/buckets/`+bucket+`","availablePermissions":[`+permissions+`]}]}}`)).good(t)
	return bearer(got.field(t, "access_token"))
}

// texts are the texts of a list, or of a field of what is in it.
func (r reply) texts(t *testing.T, list, name string) []string {
	t.Helper()
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || body[list] == nil {
		return nil
	}
	var out []string
	if name == "" {
		if err := json.Unmarshal(body[list], &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var items []map[string]any
	if err := json.Unmarshal(body[list], &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		text, _ := item[name].(string)
		out = append(out, text)
	}
	return out
}
