package awstest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// ask is a small request of a service that needs no more rights than there are.
type ask struct{ service, method, path, body string }

func asks() map[string]ask {
	return map[string]ask{
		"sts": {"sts", http.MethodPost, "/", callerIdentity},
		"ecr": {"ecr", http.MethodPost, "/", "{}"},
		"eks": {"eks", http.MethodGet, "/clusters", ""},
		"s3":  {"s3", http.MethodGet, "/", ""},
	}
}

// request is the ask, signed.
func (a ask) request(t *testing.T, keys Keys, at time.Time) *http.Request {
	t.Helper()
	r := httptest.NewRequest(a.method, "http://127.0.0.1"+a.path, strings.NewReader(a.body))
	switch a.service {
	case "sts":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case "ecr":
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories")
	case "s3":
		r.Header.Set("X-Amz-Content-Sha256", sum(a.body))
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys.sdk(), r, sum(a.body), a.service, region, at); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryProtocolHasItsCodes is what clients tell causes apart by.
func TestEveryProtocolHasItsCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account).User("jane")
	session := w.session(t, user, "role", Role{})
	powerless := w.Account(account).User("powerless", statementJSON(`"Effect":"Allow","Action":"iam:*","Resource":"*"`))
	wrong := user
	wrong.SecretAccessKey = "wrong"
	forged := session
	forged.SessionToken += "A"
	bare := session
	bare.SessionToken = ""
	late := w.now().Add(-time.Hour)
	for _, test := range []struct {
		why   string
		keys  Keys
		at    time.Time
		codes map[string]string // by service; STS answers whoever asks who he is
	}{
		{"fine", user, w.now(), map[string]string{"sts": "", "ecr": "", "eks": "", "s3": ""}},
		{"unknown key", Keys{AccessKeyID: "AKIA0", SecretAccessKey: "x"}, w.now(), map[string]string{"sts": "InvalidClientTokenId", "ecr": "UnrecognizedClientException", "eks": "UnrecognizedClientException", "s3": "InvalidAccessKeyId"}},
		{"wrong secret", wrong, w.now(), map[string]string{"sts": "SignatureDoesNotMatch", "ecr": "InvalidSignatureException", "eks": "InvalidSignatureException", "s3": "SignatureDoesNotMatch"}},
		{"forged token", forged, w.now(), map[string]string{"sts": "InvalidClientTokenId", "ecr": "UnrecognizedClientException", "eks": "UnrecognizedClientException", "s3": "InvalidToken"}},
		{"no token", bare, w.now(), map[string]string{"sts": "InvalidClientTokenId", "ecr": "UnrecognizedClientException", "eks": "UnrecognizedClientException", "s3": "InvalidAccessKeyId"}},
		{"late", user, late, map[string]string{"sts": "SignatureDoesNotMatch", "ecr": "InvalidSignatureException", "eks": "InvalidSignatureException", "s3": "RequestTimeTooSkewed"}},
		{"denied", powerless, w.now(), map[string]string{"sts": "", "ecr": "AccessDeniedException", "eks": "AccessDeniedException", "s3": "AccessDenied"}},
	} {
		for service, a := range asks() {
			if _, code, _ := w.answered(a.request(t, test.keys, test.at)); code != test.codes[service] {
				t.Errorf("%s, %s: %q, want %q", test.why, service, code, test.codes[service])
			}
		}
	}
	w.Account(account).DisableRegion(region)
	for service, code := range map[string]string{"sts": "RegionDisabledException", "ecr": "UnrecognizedClientException", "eks": "UnrecognizedClientException", "s3": "InvalidAccessKeyId"} {
		if _, got, _ := w.answered(asks()[service].request(t, user, w.now())); got != code {
			t.Errorf("disabled region, %s: %q, want %q", service, got, code)
		}
	}
}

func TestEveryProtocolHasItsCodeForExpiredKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session(t, w.Account(account).User("jane"), "role", Role{})
	w.advance(time.Hour - time.Second)
	for service, a := range asks() {
		if _, got, _ := w.answered(a.request(t, session, w.now())); got != "" {
			t.Errorf("not yet expired, %s: %q", service, got)
		}
	}
	w.advance(time.Second)
	for service, code := range map[string]string{"sts": "ExpiredToken", "ecr": "ExpiredTokenException", "eks": "ExpiredTokenException", "s3": "ExpiredToken"} {
		if _, got, _ := w.answered(asks()[service].request(t, session, w.now())); got != code {
			t.Errorf("expired, %s: %q, want %q", service, got, code)
		}
	}
}

// TestEveryProtocolHasItsFormat compares whole answers.
func TestEveryProtocolHasItsFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	for service, want := range map[string]struct {
		status int
		text   string
		header string // its first word is the header, the rest its value
	}{
		"sts": {http.StatusBadRequest, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>ID</RequestId></ErrorResponse>`, "Content-Type text/xml"},
		"ecr": {http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, "Content-Type application/x-amz-json-1.1"},
		"eks": {http.StatusTooManyRequests, `{"message":"Rate exceeded"}`, "X-Amzn-Errortype ThrottlingException"},
		"s3": {http.StatusServiceUnavailable, `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
			`<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message><Resource>/</Resource><RequestId>ID</RequestId></Error>`, "Content-Type application/xml"},
	} {
		w.Throttle(service, "", 1)
		recorder := httptest.NewRecorder()
		w.answerAWS(recorder, asks()[service].request(t, keys, w.now()))
		got := recorder.Result()
		body, _ := io.ReadAll(got.Body)
		text := strings.ReplaceAll(string(body), got.Header.Get("X-Amzn-Requestid"), "ID")
		name, value, _ := strings.Cut(want.header, " ")
		if got.StatusCode != want.status || text != want.text || got.Header.Get(name) != value {
			t.Errorf("%s: %d %s %v", service, got.StatusCode, text, got.Header)
		}
	}
}

func TestErrorsOfSTSAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := asks()["sts"].request(t, Keys{AccessKeyID: "AKIA0", SecretAccessKey: "x"}, w.now())
	r.Header.Set("Accept", "application/json")
	recorder := httptest.NewRecorder()
	w.answerAWS(recorder, r)
	const want = `{"Error":{"Code":"InvalidClientTokenId","Message":"The security token included in the request is invalid.","Type":"Sender"},`
	if got := recorder.Body.String(); !strings.HasPrefix(got, want) {
		t.Error(got)
	}
}

// TestBodiesOfS3 are signed with their hash, or said not to be.
func TestBodiesOfS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	for hash, want := range map[string]string{
		sum(""):            "",
		"UNSIGNED-PAYLOAD": "",
		sum("other"):       "XAmzContentSHA256Mismatch",
		"":                 "InvalidRequest",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		if hash != "" {
			r.Header.Set("X-Amz-Content-Sha256", hash)
		}
		if err := v4.NewSigner().SignHTTP(context.Background(), keys.sdk(), r, hash, "s3", region, w.now()); err != nil {
			t.Fatal(err)
		}
		if _, code, _ := w.answered(r); code != want {
			t.Errorf("%q: %q, want %q", hash, code, want)
		}
	}
}

// TestPresignedRequestsOfS3 are good for as long as they say.
func TestPresignedRequestsOfS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	for _, test := range []struct {
		expires string
		age     time.Duration
		want    string
	}{
		{"60", 59 * time.Second, ""},
		{"60", 61 * time.Second, "AccessDenied"},
		{"7200", time.Hour, ""},
		{"60", -16 * time.Minute, "RequestTimeTooSkewed"},
		{"0", 0, "AuthorizationHeaderMalformed"},
		{"604801", 0, "AuthorizationHeaderMalformed"},
		{"soon", 0, "AuthorizationHeaderMalformed"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/?X-Amz-Expires="+test.expires, nil)
		signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), keys.sdk(), r, "UNSIGNED-PAYLOAD", "s3", region, w.now().Add(-test.age))
		if err != nil {
			t.Fatal(err)
		}
		if _, code, _ := w.answered(httptest.NewRequest(http.MethodGet, signed, nil)); code != test.want {
			t.Errorf("%s, %v old: %q, want %q", test.expires, test.age, code, test.want)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.Account(account).User("jane")
	unknown := ask{"glacier", http.MethodGet, "/", ""}
	for name, test := range map[string]struct {
		request *http.Request
		want    string
	}{
		"query":           {httptest.NewRequest(http.MethodGet, "http://127.0.0.1/?%zz", nil), "MalformedQueryString"},
		"unknown service": {unknown.request(t, keys, w.now()), "UnknownOperationException"},
		"unknown action":  {ask{"sts", http.MethodPost, "/", "Action=Nothing&Version=2011-06-15"}.request(t, keys, w.now()), "InvalidAction"},
		"no version":      {ask{"sts", http.MethodPost, "/", "Action=GetCallerIdentity"}.request(t, keys, w.now()), "InvalidAction"},
	} {
		if _, code, _ := w.answered(test.request); code != test.want {
			t.Errorf("%s: %q, want %q", name, code, test.want)
		}
	}
}
