package gcptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

const uploads = "/upload/storage/v1/b/acme-data/o?uploadType="

// with is a header with further values.
func with(header http.Header, pairs ...string) http.Header {
	out := header.Clone()
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func newUploads(t *testing.T) (*world, *gcptest.Bucket, http.Header) {
	t.Helper()
	w := newWorld(t)
	p := w.Project("acme")
	return w, p.Bucket("acme-data", ""), w.robotOf(p, "robot")
}

func contentOf(t *testing.T, b *gcptest.Bucket, name string) string {
	t.Helper()
	content, there := b.Object(name)
	if !there {
		t.Fatalf("there is no %q", name)
	}
	return content
}

// multipartBody is a body in the form that a client sends.
func multipartBody(newline, boundary, metadata, content string) string {
	return strings.Join([]string{
		"--" + boundary, "Content-Type: application/json", "", metadata,
		"--" + boundary, "Content-Type: text/x-content", "", content, "--" + boundary + "--", "",
	}, newline)
}

func TestUploads(t *testing.T) {
	t.Parallel()
	w, b, as := newUploads(t)
	media := w.ask(t, http.MethodPost, uploads+"media&name=one", with(as, "Content-Type", "text/x-one"), "hello").good(t)
	if contentOf(t, b, "one") != "hello" || media.field(t, "contentType") != "text/x-one" ||
		media.field(t, "md5Hash") != "XUFAKrxLKna5cZ2REBfFkg==" || media.field(t, "crc32c") != "mnG7TA==" {
		t.Error(media.body)
	}
	for what, test := range map[string]struct{ header, body string }{
		"as documented": {"multipart/related; boundary=xyz", multipartBody("\r\n", "xyz", `{"name":"two","metadata":{"k":"v"},"crc32c":"mnG7TA=="}`, "hello")},
		"as gcloud":     {"multipart/related; boundary='===12=='", multipartBody("\n", "===12==", `{"name":"two","metadata":{"k":"v"}}`, "hello")},
		"in quotes":     {`Multipart/Related; boundary="x y"; charset=x`, multipartBody("\r\n", "x y", `{"name":"two","metadata":{"k":"v"},"md5Hash":"XUFAKrxLKna5cZ2REBfFkg=="}`, "hello")},
	} {
		got := w.ask(t, http.MethodPost, uploads+"multipart", with(as, "Content-Type", test.header), test.body).good(t)
		if contentOf(t, b, "two") != "hello" || got.field(t, "metadata", "k") != "v" || got.field(t, "contentType") != "text/x-content" {
			t.Errorf("%s: %s", what, got.body)
		}
	}
	again := w.ask(t, http.MethodPost, uploads+"media&name=one&ifGenerationMatch="+media.field(t, "generation"), as, "more").good(t)
	if again.field(t, "generation") <= media.field(t, "generation") || contentOf(t, b, "one") != "more" {
		t.Error(again.body)
	}
}

func TestUploadsAreRefused(t *testing.T) {
	t.Parallel()
	w, b, as := newUploads(t)
	b.Put("there", "x")
	creator := w.robotOf(w.Project("acme"), "creator", "storage.objects.create")
	reader := w.robotOf(w.Project("acme"), "reader", "storage.objects.get")
	const form = "multipart/related; boundary=xyz"
	for what, test := range map[string]struct {
		as           http.Header
		query, body  string
		status       int
		reason, text string
	}{
		"no type":            {as, "", "", 400, "invalid", "upload type"},
		"another type":       {as, "post&name=x", "", 400, "invalid", "upload type: 'post'"},
		"no name":            {as, "media", "", 400, "invalid", "Required parameter: name"},
		"a wrong name":       {as, "media&name=..", "", 400, "invalid", "Invalid object name"},
		"no permission":      {reader, "media&name=x", "", 403, "forbidden", "does not have storage.objects.create access to the Google Cloud Storage object."},
		"writing over":       {creator, "media&name=there", "", 403, "forbidden", "storage.objects.delete"},
		"a condition":        {as, "media&name=there&ifGenerationMatch=0", "", 412, "conditionNotMet", ""},
		"no boundary":        {with(as, "Content-Type", "multipart/related"), "multipart", "x", 400, "invalid", "Malformed multipart body."},
		"another media type": {with(as, "Content-Type", "multipart/form-data; boundary=xyz"), "multipart", multipartBody("\n", "xyz", "{}", ""), 400, "invalid", "Malformed"},
		"no parts":           {with(as, "Content-Type", form), "multipart", "--xyz--\r\n", 400, "invalid", "Malformed"},
		"one part":           {with(as, "Content-Type", form), "multipart", "--xyz\r\n\r\n{}\r\n--xyz--\r\n", 400, "invalid", "Malformed"},
		"three parts":        {with(as, "Content-Type", form), "multipart", "--xyz\n\n{}\n--xyz\n\nx\n--xyz\n\nx\n--xyz--\n", 400, "invalid", "Malformed"},
		"no end":             {with(as, "Content-Type", form), "multipart", "--xyz\r\n\r\n{}\r\n--xyz\r\n\r\nx", 400, "invalid", "Malformed"},
		"no JSON":            {with(as, "Content-Type", form), "multipart", multipartBody("\n", "xyz", "{", "x"), 400, "invalid", "JSON"},
		"another MD5":        {with(as, "Content-Type", form), "multipart", multipartBody("\n", "xyz", `{"name":"x","md5Hash":"AAAA"}`, "x"), 400, "invalid", "doesn't match calculated MD5"},
		"another CRC32C":     {with(as, "Content-Type", form), "multipart", multipartBody("\n", "xyz", `{"name":"x","crc32c":"AAAA"}`, "x"), 400, "invalid", "doesn't match calculated CRC32C"},
	} {
		w.ask(t, http.MethodPost, uploads+test.query, test.as, test.body).storageRefused(t, what, test.status, test.reason, test.text)
	}
	if _, there := b.Object("x"); there {
		t.Error("what was refused is there")
	}
	w.ask(t, http.MethodPost, uploads+"media&name=new", creator, "x").good(t)
}

// begin begins an upload in parts and returns the path that takes them.
func (w *world) begin(t *testing.T, as http.Header, query, body string) string {
	t.Helper()
	got := w.ask(t, http.MethodPost, uploads+"resumable"+query, as, body).good(t)
	path, ours := strings.CutPrefix(got.header.Get("Location"), w.URL())
	if !ours || got.header.Get("X-Guploader-Uploadid") == "" {
		t.Fatalf("%v", got.header)
	}
	return path
}

func TestUploadsInParts(t *testing.T) {
	t.Parallel()
	w, b, as := newUploads(t)
	const unit = 256 << 10
	long := strings.Repeat("0123456789abcdef", unit/16)
	// part sends one, without a login, and says how far the upload is then.
	part := func(path, contentRange, body string) string {
		header := http.Header{}
		if contentRange != "" {
			header.Set("Content-Range", contentRange)
		}
		got := w.ask(t, http.MethodPut, path, header, body)
		if got.status == http.StatusOK {
			return "done " + got.field(t, "size")
		}
		if got.status != http.StatusPermanentRedirect {
			return got.field(t, "error", "message")
		}
		return "so far " + got.header.Get("Range")
	}
	type step struct{ contentRange, body, want string }
	for what, steps := range map[string][]step{
		"whole":            {{"", "hello", "done 5"}, {"bytes */*", "", "done 5"}},
		"whole, and said":  {{"bytes 0-4/5", "hello", "done 5"}},
		"nothing":          {{"bytes */*", "", "so far "}, {"bytes */0", "", "done 0"}},
		"in two parts":     {{"bytes 0-262143/262149", long, "so far bytes=0-262143"}, {"bytes */*", "", "so far bytes=0-262143"}, {"bytes 262144-262148/262149", "hello", "done 262149"}},
		"of unknown size":  {{"bytes 0-262143/*", long, "so far bytes=0-262143"}, {"bytes 262144-262148/262149", "hello", "done 262149"}},
		"ended by nothing": {{"bytes 0-262143/*", long, "so far bytes=0-262143"}, {"bytes */262144", "", "done 262144"}},
		"a part twice":     {{"bytes 0-262143/262149", long, "so far bytes=0-262143"}, {"bytes 0-262143/262149", long, "so far bytes=0-262143"}, {"bytes 262144-262148/262149", "hello", "done 262149"}},
		"a part too early": {{"bytes 262144-262148/262149", "hello", "so far "}, {"bytes 0-262143/262149", long, "so far bytes=0-262143"}},
		"an odd part":      {{"bytes 0-4/10", "hello", "Invalid request. The number of bytes uploaded is required to be equal or greater than 262144, except for the final request (it's recommended to be the exact multiple of 262144). The received request contained 5 bytes, which does not meet this requirement."}},
		"a lie":            {{"bytes 0-9/10", "hello", "Invalid request. There were 5 byte(s) in the request body. There should have been 10 byte(s) according to the Content-Range header."}},
		"another size":     {{"bytes 0-262143/262149", long, "so far bytes=0-262143"}, {"bytes 262144-262149/262150", "hello!", "Invalid request. The size of the upload differs from what was said before."}},
		"less than there":  {{"bytes 0-262143/*", long, "so far bytes=0-262143"}, {"bytes */5", "", "Invalid request. The size of the upload differs from what was said before."}},
		"more than said":   {{"bytes 0-5/5", "hello!", "Invalid request. The size of the upload differs from what was said before."}},
		"no range":         {{"bytes 0-4", "hello", "Failed to parse Content-Range header."}},
		"a question more":  {{"bytes */*", "hello", "Failed to parse Content-Range header."}},
	} {
		path := w.begin(t, as, "&name="+strings.ReplaceAll(what, " ", "-"), "")
		for _, s := range steps {
			if got := part(path, s.contentRange, s.body); got != s.want {
				t.Errorf("%s: %q: %q, want %q", what, s.contentRange, got, s.want)
			}
		}
	}
	if got := contentOf(t, b, "in-two-parts"); got != long+"hello" || got != contentOf(t, b, "a-part-twice") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestUploadsInPartsEnd(t *testing.T) {
	t.Parallel()
	w, b, as := newUploads(t)
	b.Put("there", "x")
	w.ask(t, http.MethodPost, uploads+"resumable&name=x", with(as, "X-Upload-Content-Length", "-1"), "").storageRefused(t, "no length", 400, "invalid", "X-Upload-Content-Length")
	w.ask(t, http.MethodPost, uploads+"resumable", as, "{").storageRefused(t, "no JSON", 400, "invalid", "JSON")
	w.ask(t, http.MethodPost, uploads+"resumable&name=there", w.robotOf(w.Project("acme"), "creator", "storage.objects.create"), "").storageRefused(t, "writing over", 403, "forbidden", "")

	path := w.begin(t, with(as, "X-Upload-Content-Type", "text/x-part", "X-Upload-Content-Length", "5"), "", `{"name":"there"}`)
	w.ask(t, http.MethodPut, path, nil, "hello!").storageRefused(t, "more than announced", 400, "invalid", "differs")
	w.ask(t, http.MethodPut, strings.Replace(path, "acme-data", "another", 1), nil, "hello").storageRefused(t, "another bucket", 404, "notFound", "upload")
	got := w.ask(t, http.MethodPut, path, nil, "hello").good(t)
	if got.field(t, "contentType") != "text/x-part" || contentOf(t, b, "there") != "hello" {
		t.Error(got.body)
	}
	condition := w.begin(t, as, "&name=new&ifGenerationMatch=0", "")
	b.Put("new", "meanwhile")
	w.ask(t, http.MethodPut, condition, nil, "hello").storageRefused(t, "somebody was faster", 412, "conditionNotMet", "")

	for _, method := range []string{http.MethodDelete, http.MethodPut} {
		cancelled := w.begin(t, as, "&name=cancelled", "")
		if method == http.MethodDelete {
			if got := w.ask(t, method, cancelled, nil, ""); got.status != 499 {
				t.Errorf("%d %s", got.status, got.body)
			}
		} else {
			w.advance(7 * 24 * time.Hour)
		}
		w.ask(t, http.MethodPut, cancelled, nil, "hello").storageRefused(t, "an upload that is over", 404, "notFound", "upload")
	}
	if w.Count("storage", "objects.insert") == 0 || w.Calls()[len(w.Calls())-1].Code != "NOT_FOUND" {
		t.Error(w.Calls())
	}
}
