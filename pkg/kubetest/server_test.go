package kubetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const token = "a-token"

func options() Options {
	return Options{Tokens: map[string]User{token: {Name: "jane", Groups: []string{"devs"}}}, ServiceAccounts: []string{"ci/bot"}}
}

// ask sends a request, and returns status and body.
func ask(t *testing.T, s *Server, method, path, authorization, body string, certificates ...tls.Certificate) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}}
	if len(certificates) > 0 {
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificates[0], nil }
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

const (
	reviewPath = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	reviewBody = `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`
	tokenPath  = "/api/v1/namespaces/ci/serviceaccounts/bot/token"
)

func tokenBody(spec string) string {
	return `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":` + spec + `}`
}

func TestStrictness(t *testing.T) {
	t.Parallel()
	bearer := "Bearer " + token
	for what, test := range map[string]struct {
		method, path, authorization, body string
		status                            int
		says                              string
	}{
		"known":               {"POST", reviewPath, bearer, reviewBody, 201, `"username":"jane"`},
		"unknown":             {"POST", reviewPath, "Bearer other", reviewBody, 401, `"reason":"Unauthorized"`},
		"empty token":         {"POST", reviewPath, "Bearer ", reviewBody, 403, "system:anonymous"},
		"another spelling":    {"POST", reviewPath, "bearer " + token, reviewBody, 201, "jane"},
		"password":            {"POST", reviewPath, "Basic " + base64.StdEncoding.EncodeToString([]byte("jane:x")), reviewBody, 403, "system:anonymous"},
		"nobody":              {"POST", reviewPath, "", reviewBody, 403, `User \"system:anonymous\" cannot`},
		"nobody, version":     {"GET", "/version", "", "", 200, `"gitVersion":"v1.36.0"`},
		"unknown, version":    {"GET", "/version", "Bearer other", "", 401, "Unauthorized"},
		"another version":     {"POST", strings.Replace(reviewPath, "v1", "v1beta1", 1), bearer, reviewBody, 404, "404 page not found"},
		"wrong kind":          {"POST", reviewPath, bearer, tokenBody("{}"), 400, "unrecognized"},
		"unknown field":       {"POST", reviewPath, bearer, strings.Replace(reviewBody, "{", `{"x":1,`, 1), 400, "unknown field"},
		"no body":             {"POST", reviewPath, bearer, "", 415, "unknown format"},
		"namespaces":          {"GET", "/api/v1/namespaces", bearer, "", 200, "kube-system"},
		"token":               {"POST", tokenPath, bearer, tokenBody(`{"expirationSeconds":600}`), 201, `"expirationSeconds":600`},
		"token, too short":    {"POST", tokenPath, bearer, tokenBody(`{"expirationSeconds":599}`), 422, "less than 10 minutes"},
		"token, too long":     {"POST", tokenPath, bearer, tokenBody(`{"expirationSeconds":4294967297}`), 422, "Too long"},
		"token of nobody":     {"POST", strings.Replace(tokenPath, "bot", "other", 1), bearer, tokenBody("{}"), 404, `serviceaccounts \"other\" not found`},
		"review of two":       {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", bearer, `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{}}`, 422, "exactly one"},
		"no such request":     {"GET", signingPath + "/x", bearer, "", 404, "not found"},
		"request without PEM": {"POST", signingPath, bearer, `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest"}`, 422, "CERTIFICATE REQUEST"},
	} {
		s := Start(t, options())
		status, body := ask(t, s, test.method, test.path, test.authorization, test.body)
		if status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s, want %d %s", what, status, body, test.status, test.says)
		}
		if requests := s.Requests(); len(requests) != 1 || requests[0].Status != test.status || s.Count(test.method, test.path) != 1 {
			t.Errorf("%s: recorded %+v", what, requests)
		}
	}
}

func TestAccessControl(t *testing.T) {
	t.Parallel()
	o := options()
	o.Forbidden = []string{"create serviceaccounts/token"}
	s := Start(t, o)
	if status, body := ask(t, s, "POST", tokenPath, "Bearer "+token, tokenBody("{}")); status != 403 || !strings.Contains(body, `User \"jane\" cannot create`) {
		t.Errorf("%d %s", status, body)
	}
	for attributes, want := range map[string]bool{
		`{"verb":"create","resource":"serviceaccounts","subresource":"token"}`: false,
		`{"verb":"create","resource":"serviceaccounts"}`:                       true,
	} {
		body := `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":` + attributes + `}}`
		if _, got := ask(t, s, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "Bearer "+token, body); !strings.Contains(got, fmt.Sprintf(`"allowed":%v`, want)) {
			t.Errorf("%s: %s", attributes, got)
		}
	}
}

func tokenOf(t *testing.T, body string) string {
	t.Helper()
	var answer struct{ Status struct{ Token string } }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Status.Token
}

// TestTokensOfServiceAccounts: they are good until their end, where they are meant
// for, and unless somebody altered or revoked them.
func TestTokensOfServiceAccounts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := options()
	o.MaxTokenLifetime = time.Hour
	o.Now = func() time.Time { return now }
	s := Start(t, o)
	issue := func(spec string) string {
		_, body := ask(t, s, "POST", tokenPath, "Bearer "+token, tokenBody(spec))
		return tokenOf(t, body)
	}
	good, elsewhere, revoked := issue(`{"expirationSeconds":86400}`), issue(`{"audiences":["vault"]}`), issue(`{}`)
	s.Revoke(revoked)
	for what, test := range map[string]struct {
		token string
		want  int
	}{
		"good": {good, 201}, "for another": {elsewhere, 401}, "revoked": {revoked, 401}, "altered": {strings.Replace(good, ".", ".e", 1), 401}, "cut": {good[:len(good)-4], 401},
	} {
		if status, body := ask(t, s, "POST", reviewPath, "Bearer "+test.token, reviewBody); status != test.want {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
	if _, ok := s.accounts.check(good, now.Add(59*time.Minute)); !ok {
		t.Error("it ends too soon")
	}
	if _, ok := s.accounts.check(good, now.Add(time.Hour)); ok {
		t.Error("it lasts longer than the server lets tokens last")
	}
	if other := Start(t, options()); func() bool { _, ok := other.accounts.check(good, now); return ok }() {
		t.Error("another server knows it")
	}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	s, other := Start(t, options()), Start(t, options())
	load := func(of *Server, lifetime time.Duration) tls.Certificate {
		certificate, key, err := of.ClientCertificate(User{Name: "joe", Groups: []string{"ops"}}, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	for what, test := range map[string]struct {
		certificate tls.Certificate
		want        int
	}{"known": {load(s, time.Hour), 201}, "over": {load(s, -time.Hour), 401}, "foreign": {load(other, time.Hour), 401}} {
		if status, body := ask(t, s, "POST", reviewPath, "", reviewBody, test.certificate); status != test.want || status == 201 && !strings.Contains(body, `"joe"`) {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
}

func TestOldVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		minor, status int
		password      string
		user          string
	}{{18, 200, "b", "a"}, {18, 401, "c", ""}, {19, 200, "b", "system:anonymous"}, {36, 200, "c", "system:anonymous"}} {
		s := Start(t, Options{Minor: test.minor, Passwords: map[string]string{"a": "b"}})
		status, body := ask(t, s, "GET", "/version", "Basic "+base64.StdEncoding.EncodeToString([]byte("a:"+test.password)), "")
		if user := s.Requests()[0].User; status != test.status || user != test.user {
			t.Errorf("%+v: %d %s by %q", test, status, body, user)
		}
	}
	for minor, version := range map[int]string{25: "", 26: "v1alpha1", 27: "v1beta1", 28: "v1", 36: "v1"} {
		s := &Server{options: Options{Minor: minor}}
		if got := s.reviewVersion(); got != version {
			t.Errorf("1.%d: %q", minor, got)
		}
	}
}

func requestFor(t *testing.T, spec string, groups ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "joe", Organization: groups}}, key)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw}))
	return `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"mine"},"spec":{"request":"` + text + `",` + spec + `}}`
}

func TestSigningRequests(t *testing.T) {
	t.Parallel()
	const good = `"signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"]`
	s := Start(t, options())
	bearer := "Bearer " + token
	for what, test := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"another signer":   {requestFor(t, `"signerName":"example.com/x","usages":["client auth"]`), 422, "signerName"},
		"another usage":    {requestFor(t, `"signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth","server auth"]`), 422, "usages"},
		"no usage":         {requestFor(t, `"signerName":"kubernetes.io/kube-apiserver-client","usages":[]`), 422, "usages"},
		"too short":        {requestFor(t, good+`,"expirationSeconds":599`), 422, "600 seconds"},
		"masters":          {requestFor(t, good, "system:masters"), 403, "system:masters"},
		"without any name": {strings.Replace(requestFor(t, good), `"name":"mine"`, "", 1), 422, "generateName"},
	} {
		if status, body := ask(t, s, "POST", signingPath, bearer, test.body); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
	if status, body := ask(t, s, "POST", signingPath, bearer, requestFor(t, good)); status != 201 || !strings.Contains(body, `"username":"jane"`) {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := ask(t, s, "POST", signingPath, bearer, requestFor(t, good)); status != 409 {
		t.Errorf("the same name again: %d", status)
	}
	if status, _ := ask(t, s, "PUT", signingPath+"/mine/approval", bearer, strings.Replace(requestFor(t, good), `"name":"mine"`, `"name":"mine","resourceVersion":"0"`, 1)); status != 409 {
		t.Errorf("an approval of another version: %d", status)
	}
	if err := s.Approve("mine"); err != nil {
		t.Fatal(err)
	}
	if _, body := ask(t, s, "GET", signingPath+"/mine", bearer, ""); !strings.Contains(body, `"certificate":`) {
		t.Errorf("it is not signed: %s", body)
	}
	if status, _ := ask(t, s, "DELETE", signingPath+"/mine", bearer, ""); status != 200 || len(s.SigningRequests()) != 0 {
		t.Errorf("it is not deleted: %d", status)
	}
	if s.Approve("mine") == nil {
		t.Error("what is not there was approved")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := Start(t, options())
	s.Inject(Fault{Path: "/version", Status: 503, Times: 1})
	s.Inject(Fault{Path: "/apis/", Status: 500, Body: "x"})
	for i, want := range []int{503, 200} {
		if status, _ := ask(t, s, "GET", "/version", "", ""); status != want {
			t.Errorf("%d: %d", i, status)
		}
	}
	if status, body := ask(t, s, "POST", reviewPath, "Bearer "+token, reviewBody); status != 500 || body != "x" {
		t.Errorf("%d %s", status, body)
	}
	s.Heal()
	if status, _ := ask(t, s, "POST", reviewPath, "Bearer "+token, reviewBody); status != 201 {
		t.Errorf("after healing: %d", status)
	}
}
