package gcp

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestParseBucket(t *testing.T) {
	t.Parallel()
	values := commonValues(t)
	long, longest := strings.Repeat("a", 63), strings.Repeat(strings.Repeat("a", 54)+".", 4)+"ab"
	for in, want := range map[string]string{
		"zenfiles":                  "gs://zenfiles",
		"gs://zenfiles":             "gs://zenfiles",
		"gs://zenfiles/":            "gs://zenfiles",
		"gs://zenfiles/a b/c":       "gs://zenfiles",
		"proj.appspot.com":          "gs://proj.appspot.com",
		"my_proj_cloudbuild":        "gs://my_proj_cloudbuild",
		"0-a":                       "gs://0-a",
		"1.2.3":                     "gs://1.2.3",
		long:                        "gs://" + long,
		longest:                     "gs://" + longest,
		"gs://" + long + "." + long: "gs://" + long + "." + long,
		"https://storage.googleapis.com/zenfiles":                                        "gs://zenfiles",
		"https://Storage.googleapis.com/zenfiles/a%20b?X-Goog-Signature=" + signature:    "gs://zenfiles",
		"https://zenfiles.storage.googleapis.com":                                        "gs://zenfiles",
		"https://files.example.com.storage.googleapis.com/x/y":                           "gs://files.example.com",
		"https://storage.cloud.google.com/zenfiles/x":                                    "gs://zenfiles",
		"https://www.googleapis.com/storage/v1/b/zenfiles":                               "gs://zenfiles",
		"https://storage.googleapis.com/storage/v1/b/zenfiles/o/x":                       "gs://zenfiles",
		"//storage.googleapis.com/projects/_/buckets/zenfiles":                           "gs://zenfiles",
		"//storage.googleapis.com/projects/_/buckets/zenfiles/objects/x":                 "gs://zenfiles",
		"https://console.cloud.google.com/storage/browser/zenfiles":                      "gs://zenfiles",
		"https://console.cloud.google.com/storage/browser/zenfiles/a;tab=objects?pli=1":  "gs://zenfiles",
		"https://console.cloud.google.com/storage/browser/zenfiles;tab=objects?prefix=a": "gs://zenfiles",
		"https://console.cloud.google.com/storage/browser/_details/zenfiles/x":           "gs://zenfiles",
	} {
		if got, err := parseBucket(values, in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
	universe := commonValues(t, "universe_domain", "apis-berlin-build0.goog")
	if got, err := parseBucket(universe, "https://storage.apis-berlin-build0.goog/zenfiles/x"); err != nil || got != "gs://zenfiles" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParseBucketRefuses(t *testing.T) {
	t.Parallel()
	values := commonValues(t)
	for _, test := range []struct{ in, text string }{
		{"", "not the name of a bucket"},
		{"gs://", "not the name of a bucket"},
		{"ab", "3 to 63"},
		{strings.Repeat("a", 64), "no part between dots has more than 63"},
		{strings.Repeat("a", 64) + ".com", "no part between dots has more than 63"},
		{strings.Repeat("abc.", 55) + "abc", "not the name of a bucket"},
		{"Zenfiles", "lower-case"},
		{"zen files", "not the name of a bucket"},
		{"a..b", "not the name of a bucket"},
		{".zenfiles", "not the name of a bucket"},
		{"zenfiles.", "not the name of a bucket"},
		{"-zenfiles", "not the name of a bucket"},
		{"zenfiles_", "not the name of a bucket"},
		{"zenfiles/models", "not the name of a bucket"},
		{"zenfiles*", "not the name of a bucket"},
		{"192.168.5.4", "IP address"},
		{"goog-files", "Google keeps"},
		{"my-google-files", "Google keeps"},
		{"s3://zenfiles", "not the name of a bucket"},
		{"GS://zenfiles", "not the name of a bucket"},
		{"http://storage.googleapis.com/zenfiles", "not the name of a bucket"},
		{"https://storage.googleapis.com.evil.tld/zenfiles?x=" + signature, "not the address of a bucket"},
		{"https://zenfiles.storage.googleapis.com.evil.tld/", "not the address of a bucket"},
		{"https://me:" + signature + "@storage.googleapis.com/zenfiles", "not the address of a bucket"},
		{"https://storage.googleapis.com:444/zenfiles", "not the address of a bucket"},
		{"https://storage.googleapis.com/%7aenfiles", "not the name of a bucket"},
		{"https://storage.googleapis.com/", "not the name of a bucket"},
		{"https://console.cloud.google.com/storage/settings", "not the address of a bucket"},
		{"https://console.cloud.google.com/storage/browser", "not the address of a bucket"},
		{"//container.googleapis.com/projects/_/buckets/zenfiles", "not the address of a bucket"},
		{"https://storage.apis-berlin-build0.goog/zenfiles", "not the address of a bucket"},
	} {
		got, err := parseBucket(values, test.in)
		if got != "" {
			t.Errorf("%q became %q", test.in, got)
		}
		refusedName(t, test.in, err, test.text, "")
	}
}

// A bucket's canonical name is a fixed point, a part of what it was made of, and nothing
// that an address or a path could be made of.
func FuzzParseBucket(f *testing.F) {
	for _, seed := range []string{
		"zenfiles", "gs://zenfiles/x", "gs://gs://x", "https://storage.googleapis.com/a/b?c", "https://a.b.storage.googleapis.com", "//storage.googleapis.com/projects/_/buckets/abc",
		"https://console.cloud.google.com/storage/browser/abc;tab=x", "1.2.3.4", "abc..def",
	} {
		f.Add(seed)
	}
	values := commonValues(f)
	f.Fuzz(func(t *testing.T, text string) {
		once, err := parseBucket(values, text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if twice, err := parseBucket(values, once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		bucket := strings.TrimPrefix(once, bucketPrefix)
		if strings.ContainsAny(bucket, "/:*?$%@ \x00") || strings.Contains(bucket, "..") || !strings.Contains(strings.ToLower(text), bucket) {
			t.Fatalf("%q became %q", text, once)
		}
	})
}
