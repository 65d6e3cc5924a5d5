package awstest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

const callerIdentity = "Action=GetCallerIdentity&Version=2011-06-15"

func sum(body string) string {
	s := sha256.Sum256([]byte(body))
	return hex.EncodeToString(s[:])
}

func (k Keys) sdk() awssdk.Credentials {
	return awssdk.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
}

// post is a signed request of GetCallerIdentity, signed after change.
func post(t *testing.T, keys Keys, at time.Time, change func(r *http.Request)) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(callerIdentity))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if change != nil {
		change(r)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys.sdk(), r, sum(callerIdentity), "sts", region, at); err != nil {
		t.Fatal(err)
	}
	return r
}

// presigned is a presigned request of GetCallerIdentity, as EKS tokens are.
func presigned(t *testing.T, keys Keys, at time.Time) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://sts.eu-central-1.amazonaws.com/?"+callerIdentity+"&X-Amz-Expires=60", nil)
	r.Header.Set("X-K8s-Aws-Id", "cluster")
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), keys.sdk(), r, sum(""), "sts", region, at)
	if err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRequest(http.MethodGet, signed, nil)
	out.Header.Set("X-K8s-Aws-Id", "cluster")
	return out
}

// answered sends a request without a network, and returns the status, the error code and
// whose it was taken for.
func (w *world) answered(r *http.Request) (status int, code, principal string) {
	recorder := httptest.NewRecorder()
	w.answerAWS(recorder, r)
	calls := w.Calls()
	last := calls[len(calls)-1]
	w.ResetCalls()
	return recorder.Code, last.Code, last.Principal
}

func TestSignaturesOfTheSDKVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account).User("jane")
	session := w.session(t, user, "role", Role{})
	for name, r := range map[string]*http.Request{
		"header":             post(t, user, w.now(), nil),
		"header, session":    post(t, session, w.now(), nil),
		"presigned":          presigned(t, user, w.now()),
		"presigned, session": presigned(t, session, w.now()),
		"14 minutes old":     post(t, user, w.now().Add(-14*time.Minute), nil),
		"14 minutes early":   post(t, user, w.now().Add(14*time.Minute), nil),
		"presigned long ago": presigned(t, user, w.now().Add(-14*time.Minute)), // STS does not heed X-Amz-Expires
		"spaces": post(t, user, w.now(), func(r *http.Request) {
			r.Header.Set("X-Amz-Meta", "  a   b  ")
			r.Header.Add("X-Amz-Many", "one")
			r.Header.Add("X-Amz-Many", "two")
		}),
	} {
		if status, code, _ := w.answered(r); status != http.StatusOK {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
}

// TestEverySingleBitIsSigned changes each bit of two signed requests in turn.
func TestEverySingleBitIsSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.session(t, w.Account(account).User("jane"), "role", Role{})
	original := post(t, keys, w.now(), nil)
	for name := range original.Header {
		flip(t, original.Header.Get(name), func(changed string) *http.Request {
			r := copyOf(original, callerIdentity)
			r.Header.Set(name, changed)
			return r
		}, w)
	}
	flip(t, callerIdentity, func(changed string) *http.Request { return copyOf(original, changed) }, w)
	flip(t, original.Host, func(changed string) *http.Request {
		r := copyOf(original, callerIdentity)
		r.Host = changed
		return r
	}, w)
	get := presigned(t, keys, w.now())
	flip(t, get.URL.RawQuery, func(changed string) *http.Request {
		before, _ := url.ParseQuery(get.URL.RawQuery)
		after, err := url.ParseQuery(changed)
		if err == nil && before.Encode() == after.Encode() {
			return nil // the case of an escape: the same query
		}
		r := copyOf(get, "")
		r.URL.RawQuery = changed
		return r
	}, w)
	flip(t, "cluster", func(changed string) *http.Request {
		r := copyOf(get, "")
		r.Header.Set("X-K8s-Aws-Id", changed)
		return r
	}, w)
}

func copyOf(r *http.Request, body string) *http.Request {
	c := r.Clone(context.Background())
	c.Body, c.ContentLength = httptest.NewRequest(r.Method, "/", strings.NewReader(body)).Body, int64(len(body))
	return c
}

// flip sends the request of every text that differs by one bit. None may be known as
// anybody's.
func flip(t *testing.T, text string, with func(changed string) *http.Request, w *world) {
	t.Helper()
	for i := range len(text) * 8 {
		changed := []byte(text)
		changed[i/8] ^= 1 << (i % 8)
		r := with(string(changed))
		if r == nil {
			continue
		}
		status, code, principal := w.answered(r)
		if status == http.StatusOK || principal != "" {
			t.Fatalf("%q instead of %q: %d %s", changed, text, status, code)
		}
	}
}

func TestWhatIsWrongWithASignatureIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account).User("jane")
	session := w.session(t, user, "role", Role{MaxSession: time.Hour})
	revoked := w.Account(account).User("gone")
	w.Revoke(revoked.AccessKeyID)
	with := func(change func(k *Keys)) Keys {
		k := session
		change(&k)
		return k
	}
	changed := func(r *http.Request, change func(*http.Request)) *http.Request {
		change(r)
		return r
	}
	for name, test := range map[string]struct {
		request *http.Request
		want    string
	}{
		"unsigned":         {changed(post(t, user, w.now(), nil), func(r *http.Request) { r.Header.Del("Authorization") }), "MissingAuthenticationToken"},
		"unknown key":      {post(t, with(func(k *Keys) { k.AccessKeyID = "ASIAAAAAAAAAAAAAAAAA" }), w.now(), nil), "InvalidClientTokenId"},
		"revoked key":      {post(t, revoked, w.now(), nil), "InvalidClientTokenId"},
		"wrong secret":     {post(t, with(func(k *Keys) { k.SecretAccessKey = user.SecretAccessKey }), w.now(), nil), "SignatureDoesNotMatch"},
		"no token":         {post(t, with(func(k *Keys) { k.SessionToken = "" }), w.now(), nil), "InvalidClientTokenId"},
		"other token":      {post(t, with(func(k *Keys) { k.SessionToken += "A" }), w.now(), nil), "InvalidClientTokenId"},
		"token on a user":  {post(t, Keys{AccessKeyID: user.AccessKeyID, SecretAccessKey: user.SecretAccessKey, SessionToken: "x"}, w.now(), nil), "InvalidClientTokenId"},
		"stale":            {post(t, user, w.now().Add(-16*time.Minute), nil), "SignatureDoesNotMatch"},
		"from the future":  {post(t, user, w.now().Add(16*time.Minute), nil), "SignatureDoesNotMatch"},
		"other region":     {post(t, user, w.now(), func(r *http.Request) { r.Host = "sts.us-west-2.amazonaws.com" }), "SignatureDoesNotMatch"},
		"other service":    {post(t, user, w.now(), func(r *http.Request) { r.Host = "ecr.eu-central-1.amazonaws.com" }), "SignatureDoesNotMatch"},
		"other partition":  {post(t, w.AccountIn("aws-cn", "222222222222").User("jane"), w.now(), nil), "InvalidClientTokenId"},
		"unsigned header":  {changed(post(t, user, w.now(), nil), func(r *http.Request) { r.Header.Set("X-Amz-Sneaked", "in") }), "SignatureDoesNotMatch"},
		"missing header":   {changed(presigned(t, user, w.now()), func(r *http.Request) { r.Header.Del("X-K8s-Aws-Id") }), "SignatureDoesNotMatch"},
		"other algorithm":  {changed(post(t, user, w.now(), nil), func(r *http.Request) { replaceAuthorization(r, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256") }), "IncompleteSignature"},
		"no credential":    {changed(post(t, user, w.now(), nil), func(r *http.Request) { replaceAuthorization(r, "Credential=", "Credential=x") }), "InvalidClientTokenId"},
		"broken scope":     {changed(post(t, user, w.now(), nil), func(r *http.Request) { replaceAuthorization(r, "aws4_request", "aws5_request") }), "IncompleteSignature"},
		"shouted":          {changed(post(t, user, w.now(), nil), func(r *http.Request) { replaceAuthorization(r, "SignedHeaders=content", "SignedHeaders=Content") }), "SignatureDoesNotMatch"},
		"no date":          {changed(post(t, user, w.now(), nil), func(r *http.Request) { r.Header.Del("X-Amz-Date") }), "IncompleteSignature"},
		"other body":       {copyOf(post(t, user, w.now(), nil), callerIdentity+"&x=y"), "SignatureDoesNotMatch"},
		"parameters twice": {changed(presigned(t, user, w.now()), func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Date=20200101T000000Z" }), "IncompleteSignature"},
	} {
		status, code, _ := w.answered(test.request)
		if code != test.want || status < http.StatusBadRequest {
			t.Errorf("%s: %d %q, want %q", name, status, code, test.want)
		}
	}
	w.advance(time.Hour)
	if _, code, _ := w.answered(post(t, session, w.now(), nil)); code != "ExpiredToken" {
		t.Errorf("expired: %q", code)
	}
}

// TestWellSignedAndStillWrong signs by hand what no client does.
func TestWellSignedAndStillWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.Account(account).User("jane")
	for name, test := range map[string]struct {
		change func(s *signature)
		want   string
	}{
		"nothing":     {func(*signature) {}, ""},
		"other day":   {func(s *signature) { s.day = "20200101" }, "SignatureDoesNotMatch"},
		"no host":     {func(s *signature) { s.headers = []string{"content-type", "x-amz-date"} }, "SignatureDoesNotMatch"},
		"no region":   {func(s *signature) { s.region = "nowhere" }, "SignatureDoesNotMatch"},
		"unsorted":    {func(s *signature) { s.headers = []string{"x-amz-date", "host"} }, "IncompleteSignature"},
		"fewer, fine": {func(s *signature) { s.headers = []string{"host", "x-amz-date"} }, ""},
	} {
		r := &request{Request: post(t, user, w.now(), nil), server: w.Server, body: []byte(callerIdentity), form: url.Values{}}
		s, err := r.readSignature()
		if err != nil {
			t.Fatal(err)
		}
		r.signed = s
		test.change(s)
		s.value = hex.EncodeToString(mac(signingKey(user.SecretAccessKey, s), r.stringToSign()))
		r.Header.Set("Authorization", algorithm+" Credential="+s.keyID+"/"+s.scope()+", SignedHeaders="+strings.Join(s.headers, ";")+", Signature="+s.value)
		if _, code, _ := w.answered(r.Request); code != test.want {
			t.Errorf("%s: %q, want %q", name, code, test.want)
		}
	}
}

func replaceAuthorization(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

// TestSigningKeyOfTheDocumentation is AWS's own example of a derived key and its signature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestSigningKeyOfTheDocumentation(t *testing.T) {
	t.Parallel()
	key := signingKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &signature{day: "20120215", region: "us-east-1", service: "iam"})
	const want = "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"
	if got := hex.EncodeToString(key); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzCanonical signs whatever with the SDK's signer: the signature that is recomputed must
// be the same.
func FuzzCanonical(f *testing.F) {
	f.Add("/", "a=b", "x", "body", false)
	f.Add("/a b/c", "b=2&a=1&a=0&c", "  x  y ", "", true)
	f.Add("/ü/%2F//x/", "a%20b=c+d&=&x=%C3%BC", "", "{}", true)
	f.Add("/clusters/name", "maxResults=2", "v", "", false)
	f.Fuzz(func(t *testing.T, path, query, header, body string, s3 bool) {
		values, err := url.ParseQuery(query)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(header, "\r\n\t\x00\v\f\u0085\u00a0") {
			t.Skip()
		}
		service := "eks"
		if s3 {
			service = "s3"
		} else if strings.Contains(path, "//") || strings.Contains(path, "/.") {
			t.Skip() // the SDK normalises no paths, and never has such
		}
		r := &http.Request{Method: http.MethodPut, URL: &url.URL{Scheme: "http", Host: "h", Path: path, RawQuery: values.Encode()}, Host: "h", Header: http.Header{}, ContentLength: int64(len(body))}
		if s3 {
			r.URL.RawPath = httpbinding.EscapePath(path, false) // as the client of S3 sends it
		}
		r.Header.Set("X-Amz-Thing", header)
		r.Header.Set("X-Amz-Content-Sha256", sum(body))
		keys := awssdk.Credentials{AccessKeyID: "AKIAAAAAAAAAAAAAAAAA", SecretAccessKey: "secret"}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = s3 }).SignHTTP(context.Background(), keys, r, sum(body), service, region, at); err != nil {
			t.Skip()
		}
		pairs := strings.Split(r.URL.RawQuery, "&") // other clients send them in any order
		slices.Reverse(pairs)
		r.URL.RawQuery = strings.Join(pairs, "&")
		got := &request{Request: r, body: []byte(body), form: url.Values{}, server: &Server{}}
		if got.signed, err = got.readSignature(); err != nil {
			t.Fatal(err)
		}
		want, _ := hex.DecodeString(got.signed.value)
		if !hmac.Equal(want, mac(signingKey("secret", got.signed), got.stringToSign())) {
			t.Errorf("the signatures differ; canonical request:\n%s", got.canonical())
		}
		if err := got.checkBody(); err != nil || bytes.Equal(want, nil) {
			t.Errorf("body: %v", err)
		}
	})
}
