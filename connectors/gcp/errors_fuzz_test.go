package gcp

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// What stands in commands where an answer may have had a say, and what that may look like.
var (
	arguments = regexp.MustCompile(`gcloud services enable (\S+)|(?:--project |--member=|--role=|--iam-account=|add-iam-policy-binding |projects link )(\S+)`)
	argument  = regexp.MustCompile(`^[\w.@:/%+=~*-]*[;,]?$`)
)

// Whatever a service answers, it becomes one line with a kind and a next step, and nothing
// that was sent comes out again; what may become a command has no shell in it.
func FuzzAnswer(f *testing.F) {
	for _, table := range []map[string]refusedCase{apiRefusals, oauthRefusals} {
		for _, test := range table {
			f.Add(test.status, test.body)
		}
	}
	for _, body := range []string{
		"", "null", "[]", `{"error":null}`, `{"error":5}`, `{"error":[]}`, `{"error":{"details":[5,{"metadata":{"a":5}}]}}`, `{"error":{"details":{}}}`,
		`{"error":{"message":{"a":1},"status":5}}`, `{"error":"","error_description":5}`, "<html>", `{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"X","metadata":{"email":"principal://$(x)"}}]}}`,
		`{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED","metadata":{"service":"a b","containerInfo":"$(x)"}}]}}`,
	} {
		f.Add(403, body)
	}
	c := wired(f, "http://example.com")
	f.Fuzz(func(t *testing.T, code int, body string) {
		said := answerOf(containerAPI, &http.Response{StatusCode: code, Header: http.Header{}}, []byte(body))
		said.who = "ci@acme-prod.iam.gserviceaccount.com"
		err := c.refused(said, secret.New(wireToken))
		shown, hint := fmt.Sprintf("%v %+v %#v", err, err, err), fault.HintOf(err)
		if strings.Contains(shown+hint, wireToken) || strings.Contains(shown+hint, wireSecret) {
			t.Fatalf("it tells a secret: %s (hint: %s)", shown, hint)
		}
		if fault.KindOf(err) == "" || fault.Is(err, fault.Failed) || hint == "" || strings.ContainsAny(err.Error()+hint, "\r\n\x1b") {
			t.Fatalf("%q: %s (hint: %s)", fault.KindOf(err), shown, hint)
		}
		for _, m := range arguments.FindAllStringSubmatch(hint, -1) {
			if !argument.MatchString(m[1] + m[2]) {
				t.Fatalf("a command that does more: %s", hint)
			}
		}
	})
}

// Whatever is around a secret, it does not come out.
func FuzzPrintable(f *testing.F) {
	f.Add("no good: assertion=", "&x")
	f.Add(`{"refresh_token": "`, `"}`)
	f.Add("Authorization: Bearer ", "'")
	f.Add(strings.Repeat("x", maxWords-7), "")
	f.Fuzz(func(t *testing.T, before, after string) {
		c := &clients{}
		c.values.SetSecret("s", secret.New(wireSecret))
		for _, sent := range []string{wireSecret, wireToken} {
			words := c.printable(before+sent+after, secret.New(wireToken))
			if strings.Contains(words, sent) && !strings.Contains(before+after, sent[:4]) {
				t.Fatalf("%q became %q", before+sent+after, words)
			}
			if len(words) > maxWords+len(" …") || strings.ContainsAny(words, "\n\r\x1b") {
				t.Fatalf("%q", words)
			}
		}
	})
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0B\n-----END PRIVATE KEY-----\n"
	long := strings.Repeat("IQoJb3JpZ2luX2VjE", 20)
	c := &clients{}
	for text, want := range map[string]string{
		"Permission 'storage.buckets.list' denied on resource (or it may not exist).":                                   "Permission 'storage.buckets.list' denied on resource (or it may not exist).",
		"Request is prohibited. vpcServiceControlsUniqueIdentifier: eYhDkfYCu-dOCjuj8X4Am9-spkxs0-kX5YnhAJmc3PZ7pmNNfS": "Request is prohibited. vpcServiceControlsUniqueIdentifier: eYhDkfYCu-dOCjuj8X4Am9-spkxs0-kX5YnhAJmc3PZ7pmNNfS",
		"ID Token issued at 1676000000 is stale to sign-in.":                                                            "ID Token issued at 1676000000 is stale to sign-in.",
		"Invalid JWT Signature.": "Invalid JWT Signature.",
		"Request is missing required authentication credential. Expected OAuth 2 access token":                        "Request is missing required authentication credential. Expected OAuth 2 access token",
		"projects/two-eye-two-see/locations/northamerica-northeast1/repositories/" + strings.Repeat("low-", 15) + "x": "projects/two-eye-two-see/locations/northamerica-northeast1/repositories/" + strings.Repeat("low-", 15) + "x",
		"token ya29.a0AfB_by-x.y is bad":                           "token [redacted] is bad",
		"Bearer ya29.c.b0Aaek":                                     "Bearer [redacted]",
		"the assertion eyJhbGciOiJS.eyJpc3Mi.c2ln-_ is bad":        "the assertion [redacted] is bad",
		"grant_type=x&assertion=eyJhbGciOiJS.eyJ&scope=y":          "grant_type=x&assertion=[redacted]&scope=y",
		"the token 1//0gabc-DEF_x is bad":                          "the token [redacted] is bad",
		"refresh_token=1%2F%2F0gabc-DEF_x&client_secret=abc":       "refresh_token=[redacted]&client_secret=[redacted]",
		"the code 4/0AX4XfWh-abcdef_1 is bad":                      "the code [redacted] is bad",
		"GOCSPX-abc_DEF-123 is no secret":                          "[redacted] is no secret",
		`{"refreshToken": "abc", "other": "x"}`:                    `{"refreshToken": [redacted]", "other": "x"}`,
		`{\"client_secret\":\"abc\",\"x\":\"y\"}`:                  `{\"client_secret\":[redacted]\",\"x\":\"y\"}`,
		"it has " + key + "in it":                                  "it has [redacted] in it",
		"it has -----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkq": "it has [redacted]",
		"it was " + long + ".":                                     "it was [redacted].",
		"Signature=" + strings.Repeat("0a", 32) + ", x":            "Signature=[redacted], x",
		"it was " + strings.Repeat("0a", 32) + ".":                 "it was [redacted].",
	} {
		if got := c.printable(text); got != want {
			t.Errorf("%q became\n  %q, not\n  %q", text, got, want)
		}
	}
}
