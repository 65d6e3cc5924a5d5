package kubernetes

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// refused checks an error: its kind, its words and its hint, and that it tells no secret.
func refused(t *testing.T, what string, err error, kind fault.Kind, text, hint string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%s: %v (%s; hint: %s), want %q (%s; hint: %s)", what, err, fault.KindOf(err), fault.HintOf(err), text, kind, hint)
	}
	if err != nil && strings.Contains(err.Error()+fault.HintOf(err), canary) {
		t.Errorf("%s: the error has a secret: %v", what, err)
	}
}

func withToken(g given) given { return g.with("token", secret.New(canary)) }

func TestWhoWeAre(t *testing.T) {
	t.Parallel()
	tokens := knowing().Tokens
	for what, test := range map[string]struct {
		options      kubetest.Options
		name, detail string
		asked        int
	}{
		"v1":                      {kubetest.Options{Tokens: tokens}, "jane", "groups developers, system:authenticated", 1},
		"v1beta1":                 {kubetest.Options{Minor: 27, Tokens: tokens}, "jane", "groups developers", 2},
		"v1alpha1":                {kubetest.Options{Minor: 26, Tokens: tokens}, "jane", "groups developers", 3},
		"may not review itself":   {kubetest.Options{Tokens: tokens, Forbidden: []string{"create selfsubjectreviews"}}, "jane", "may not review itself", 1},
		"cannot tell":             {kubetest.Options{Minor: 25, Tokens: tokens}, "unknown", "too old to tell", 4},
		"may not review access":   {kubetest.Options{Minor: 25, Tokens: tokens, Forbidden: []string{"create selfsubjectaccessreviews"}}, "jane", "may not review itself", 4},
		"knows no reviews at all": {kubetest.Options{Minor: 1, Tokens: tokens}, "unknown", "v1.1.0, cannot tell", 5},
	} {
		s := kubetest.Start(t, test.options)
		if test.options.Minor == 1 {
			s.Inject(kubetest.Fault{Path: "/apis/", Status: 404, Body: "404 page not found\n"})
		}
		identity, err := sessionOf(t, methodToken, withToken(at(s))).Verify(t.Context())
		if err != nil || identity.Name != test.name || !strings.Contains(identity.Detail, test.detail) || len(s.Requests()) != test.asked {
			t.Errorf("%s: %+v, %v after %+v", what, identity, err, s.Requests())
		}
	}
}

func TestClaimedNames(t *testing.T) {
	t.Parallel()
	end := emptyHost(t).Now().Add(time.Hour)
	text := jwt(t, end)
	s := kubetest.Start(t, kubetest.Options{Minor: 25, Tokens: map[string]kubetest.User{text: jane}})
	identity, err := sessionOf(t, methodToken, at(s).with("token", secret.New(text))).Verify(t.Context())
	if err != nil || identity.Name != "system:serviceaccount:ci:deployer" {
		t.Errorf("%+v, %v", identity, err)
	}
	identity, err = sessionOf(t, methodToken, certified(t, s, at(s))).Verify(t.Context())
	if err != nil || identity.Name != "jane" {
		t.Errorf("%+v, %v", identity, err)
	}
}

func TestForeignCertificateIsRefusedAndNotLeftOut(t *testing.T) {
	t.Parallel()
	s, other := kubetest.Start(t, knowing()), kubetest.Start(t, knowing())
	_, err := sessionOf(t, methodToken, certified(t, other, at(s))).Verify(t.Context())
	refused(t, "foreign", err, fault.Denied, "401 Unauthorized", "of this cluster")
}

func TestAnonymousIsNobody(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	body := `{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"system:anonymous"}}}`
	s.Inject(kubetest.Fault{Status: 201, Body: body})
	_, err := sessionOf(t, methodToken, withToken(at(s))).Verify(t.Context())
	refused(t, "anonymous", err, fault.Denied, "takes us for system:anonymous", "of this cluster")
}

func TestServersThatAreNone(t *testing.T) {
	t.Parallel()
	page := map[string]string{"Content-Type": "text/html"}
	for what, test := range map[string]struct {
		fault      kubetest.Fault
		kind       fault.Kind
		text, hint string
	}{
		"page":          {kubetest.Fault{Status: 200, Header: page, Body: "<html>"}, fault.Invalid, "is not a Kubernetes API server", "host, port and path"},
		"another API":   {kubetest.Fault{Status: 200, Body: `{"ok":true}`}, fault.Invalid, "is not a Kubernetes API server", "host, port and path"},
		"nothing there": {kubetest.Fault{Status: 404, Body: "not found"}, fault.Invalid, "is not a Kubernetes API server", "host, port and path"},
		"no method":     {kubetest.Fault{Status: 405}, fault.Invalid, "is not a Kubernetes API server", "host, port and path"},
		"redirect":      {kubetest.Fault{Status: 302, Header: map[string]string{"Location": "https://evil.tld/login?t=1"}}, fault.Invalid, "redirects to https://evil.tld, where", "real address"},
		"bad gateway":   {kubetest.Fault{Status: 502, Body: "<html>"}, fault.Unavailable, "out of order: 502 Bad Gateway", "try again later"},
		"busy":          {kubetest.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}}, fault.Unavailable, "too often", "in 60 seconds"},
		"echo": {kubetest.Fault{Status: 401, Body: `{"kind":"Status","message":"bad token ` + canary + `","reason":"Unauthorized"}`}, fault.Denied,
			"401 Unauthorized: bad token [redacted]", "nor been revoked"},
		"escape": {kubetest.Fault{Status: 403, Body: `{"kind":"Status","message":"no\u001b[31m\nno"}`}, fault.Denied, "403 Forbidden: no [31m no", ""},
	} {
		s := kubetest.Start(t, knowing())
		s.Inject(test.fault)
		_, err := sessionOf(t, methodToken, withToken(at(s))).Verify(t.Context())
		refused(t, what, err, test.kind, test.text, test.hint)
	}
}

func TestComingAgain(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		fault  kubetest.Fault
		pauses []time.Duration
		kind   fault.Kind
	}{
		"once":         {kubetest.Fault{Status: 429, Header: map[string]string{"Retry-After": "1"}, Times: 1}, []time.Duration{time.Second}, ""},
		"starting":     {kubetest.Fault{Status: 503, Header: map[string]string{"Retry-After": "2"}, Times: 2}, []time.Duration{2 * time.Second, 2 * time.Second}, ""},
		"for ever":     {kubetest.Fault{Status: 503, Header: map[string]string{"Retry-After": "1"}}, []time.Duration{time.Second, time.Second, time.Second}, fault.Unavailable},
		"far too late": {kubetest.Fault{Status: 429, Header: map[string]string{"Retry-After": "6"}}, nil, fault.Unavailable},
		"unasked":      {kubetest.Fault{Status: 500}, nil, fault.Unavailable},
	} {
		s := kubetest.Start(t, knowing())
		s.Inject(test.fault)
		var pauses []time.Duration
		session, err := openWith(emptyHost(t), settingsOf(t, methodToken, withToken(at(s))), func(_ context.Context, wait time.Duration) error {
			pauses = append(pauses, wait)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = session.Verify(t.Context())
		if fault.KindOf(err) != test.kind || !slices.Equal(pauses, test.pauses) {
			t.Errorf("%s: %v, paused %v", what, err, pauses)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	s, other := kubetest.Start(t, knowing()), kubetest.Start(t, knowing())
	named := kubetest.Options{Tokens: knowing().Tokens, ServerNames: []string{"kubernetes.default.svc"}}
	elsewhere := kubetest.Start(t, named)
	old := kubetest.Start(t, kubetest.Options{Now: func() time.Time { return time.Unix(0, 0) }})
	const ca = "certificate_authority"
	for what, test := range map[string]struct {
		fields     given
		text, hint string // "" is trusted
	}{
		"its own":                {at(s), "", ""},
		"base64 of it":           {at(s).with(ca, b64(s.CertificateAuthority())), "", ""},
		"the system's":           {at(s).with(ca, ""), "is not trusted", "certificate_authority=@ca.pem"},
		"another's":              {at(s).with(ca, other.CertificateAuthority()), "is not trusted", "certificate_authority=@ca.pem"},
		"any":                    {at(s).with(ca, "").with("insecure", true), "", ""},
		"wrong name":             {at(elsewhere), "is not trusted", "tls_server_name=NAME"},
		"name given":             {at(elsewhere).with("tls_server_name", "kubernetes.default.svc"), "", ""},
		"name given, wrong":      {at(s).with("tls_server_name", "kubernetes.default.svc"), "is not trusted", "tls_server_name=NAME"},
		"expired":                {at(old), "is not trusted", "clock"},
		"several, one is theirs": {at(s).with(ca, other.CertificateAuthority()+"\n"+s.CertificateAuthority()), "", ""},
	} {
		_, err := sessionOf(t, methodToken, withToken(test.fields)).Verify(t.Context())
		if test.text == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		refused(t, what, err, fault.Failed, test.text, test.hint)
	}
	for _, server := range []*kubetest.Server{other, old} {
		if requests := server.Requests(); len(requests) != 0 {
			t.Errorf("a server that is not trusted was asked: %+v", requests)
		}
	}
}

func TestPlainHTTPServer(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	fields := given{"server": "https" + strings.TrimPrefix(plain.URL, "http"), "cluster_name": cluster}
	_, err := sessionOf(t, methodToken, withToken(fields)).Verify(t.Context())
	refused(t, "plain", err, fault.Invalid, "does not speak TLS", "port")
}

func TestProxies(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(refusing.Close)
	for what, test := range map[string]struct{ proxy, text string }{
		"refuses":      {refusing.URL, "does not let us through: 407 Proxy Authentication Required"},
		"is not there": {"http://" + closedPort(t), "cannot be reached through the proxy"},
		"socks":        {"socks5://" + closedPort(t), "cannot be reached through the proxy"},
	} {
		_, err := sessionOf(t, methodToken, withToken(at(s)).with("proxy_url", test.proxy)).Verify(t.Context())
		refused(t, what, err, fault.Unavailable, test.text, "proxy")
	}
	// The connector's own proxy takes the place of the machine's.
	host := emptyHost(t)
	host.HTTP = &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(refusing.URL) }}
	session, err := open(host, settingsOf(t, methodToken, withToken(at(s)).with("proxy_url", "http://"+closedPort(t))))
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.Verify(t.Context())
	refused(t, "own", err, fault.Unavailable, "cannot be reached through the proxy", "proxy")
	if len(s.Requests()) != 0 {
		t.Errorf("it was asked all the same: %+v", s.Requests())
	}
}

func TestPasswordsAreOfThePast(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, kubetest.Options{Passwords: map[string]string{"admin": canary}})
	session := sessionOf(t, methodPassword, at(s).with("username", "admin").with("password", secret.New(canary)))
	_, err := session.Verify(t.Context())
	refused(t, "verify", err, fault.Denied, "API servers since 1.19 take no user names and passwords", "use auth method token")
	_, err = mint(t, session, 0)
	refused(t, "mint", err, fault.Invalid, "cannot be handed to Kubernetes clients", "use auth method token")
}
