package kubernetes

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestMintStored(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	fields := withToken(at(s)).with("tls_server_name", "localhost").with("proxy_url", "http://proxy.example.com:3128")
	auth, err := mint(t, sessionOf(t, methodToken, fields), 0)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := canonicalCertificates(s.CertificateAuthority())
	if err != nil {
		t.Fatal(err)
	}
	want := connector.KubernetesEndpoint{Cluster: cluster, Server: s.URL(), CertificateAuthority: ca, TLSServerName: "localhost", ProxyURL: "http://proxy.example.com:3128"}
	if auth.Endpoint != want || auth.Token.Reveal() != canary || !auth.Expires.IsZero() || auth.ClientCertificate != "" {
		t.Errorf("%+v", auth)
	}
	if len(s.Requests()) != 0 {
		t.Error("the server was asked for what is stored")
	}
}

func TestMintStoredTellsTheEarliestEnd(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	now := emptyHost(t).Now()
	soon, late := now.Add(time.Hour).Truncate(time.Second), now.Add(72*time.Hour).Truncate(time.Second)
	certificate := certified(t, s, at(s)) // ends in 48 hours
	for what, test := range map[string]struct {
		fields given
		end    time.Time
	}{
		"token":                  {at(s).with("token", secret.New(jwt(t, soon))), soon},
		"certificate":            {certificate, now.Add(48 * time.Hour)},
		"token before the other": {certificate.with("token", secret.New(jwt(t, soon))), soon},
		"token after the other":  {certificate.with("token", secret.New(jwt(t, late))), now.Add(48 * time.Hour)},
		"not a JSON web token":   {at(s).with("token", secret.New("a.b.c")), time.Time{}},
	} {
		auth, err := mint(t, sessionOf(t, methodToken, test.fields), 0)
		if err != nil || auth.Expires.Sub(test.end).Abs() > 2*time.Second {
			t.Errorf("%s: %v, %v, want %v", what, auth.Expires, err, test.end)
		}
	}
	auth, err := mint(t, sessionOf(t, methodToken, certificate.with("client_key", secret.New(b64(certificate["client_key"].(secret.Text).Reveal())))), 0)
	if block, _ := pem.Decode([]byte(auth.ClientKey.Reveal())); err != nil || block == nil {
		t.Errorf("a key in base64 is not handed out as PEM: %v", err)
	}
}

func TestWhatHasExpiredIsNotHandedOut(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	certificate, key, err := s.ClientCertificate(jane, -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	over := at(s).with("token", secret.New(jwt(t, emptyHost(t).Now().Add(-time.Second))))
	for what, test := range map[string]struct {
		method string
		fields given
	}{
		"token":               {methodToken, over},
		"certificate":         {methodToken, at(s).with("client_certificate", certificate).with("client_key", secret.New(key))},
		"service account":     {methodServiceAccount, over.with("service_account", "deployer")},
		"certificate request": {methodCertificateRequest, over},
	} {
		session := sessionOf(t, test.method, test.fields)
		_, err := mint(t, session, 0)
		refused(t, what, err, fault.Denied, "have expired: they were good until", "svcconn update")
		_, err = session.Verify(t.Context())
		refused(t, what, err, fault.Denied, "have expired", "")
	}
	if len(s.Requests()) != 0 {
		t.Errorf("the server was asked: %+v", s.Requests())
	}
}

func TestServiceAccountTokens(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		asked, most, want time.Duration
	}{
		"by default":   {0, 0, time.Hour},
		"asked for":    {10 * time.Minute, 0, 10 * time.Minute},
		"cut down":     {12 * time.Hour, 2 * time.Hour, 2 * time.Hour},
		"several days": {100 * time.Hour, 0, 100 * time.Hour},
	} {
		options := knowing()
		options.MaxTokenLifetime = test.most
		s := kubetest.Start(t, options)
		session := sessionOf(t, methodServiceAccount, withToken(at(s)).with("service_account", "deployer").with("namespace", "ci"))
		auth, err := mint(t, session, test.asked)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if left := auth.Expires.Sub(emptyHost(t).Now()); (left - test.want).Abs() > 5*time.Second {
			t.Errorf("%s: it lasts %s, not %s", what, left, test.want)
		}
		if auth.Token.Reveal() == canary || auth.ClientCertificate != "" {
			t.Errorf("%s: the stored login left", what)
		}
		identity, err := sessionOf(t, methodToken, at(s).with("token", auth.Token)).Verify(t.Context())
		if err != nil || identity.Name != "system:serviceaccount:ci:deployer" {
			t.Errorf("%s: the token is of %+v, %v", what, identity, err)
		}
	}
}

func TestServiceAccountRefusals(t *testing.T) {
	t.Parallel()
	forbidden := knowing()
	forbidden.Forbidden = []string{"create serviceaccounts/token"}
	for what, test := range map[string]struct {
		options    kubetest.Options
		namespace  string
		kind       fault.Kind
		text, hint string
	}{
		"no such account":   {knowing(), "other", fault.NotFound, "has no service account deployer in namespace other: 404 Not Found: serviceaccounts", "kubectl create serviceaccount deployer --namespace other"},
		"default namespace": {knowing(), "", fault.NotFound, "in namespace default", "--namespace default"},
		"forbidden":         {forbidden, "ci", fault.Denied, `403 Forbidden: serviceaccounts/token is forbidden: User "jane"`, "--verb=create"},
		"unknown login":     {kubetest.Options{}, "ci", fault.Denied, "401 Unauthorized", "of this cluster"},
	} {
		s := kubetest.Start(t, test.options)
		session := sessionOf(t, methodServiceAccount, withToken(at(s)).with("service_account", "deployer").with("namespace", test.namespace))
		_, err := session.Verify(t.Context())
		refused(t, what, err, test.kind, test.text, test.hint)
		_, err = mint(t, session, 0)
		refused(t, what, err, test.kind, test.text, test.hint)
	}
	for what, body := range map[string]string{"empty": `{}`, "endless": `{"status":{"token":"t"}}`, "no JSON": "t"} {
		s := kubetest.Start(t, knowing())
		s.Inject(kubetest.Fault{Status: 201, Body: body})
		_, err := mint(t, sessionOf(t, methodServiceAccount, withToken(at(s)).with("service_account", "deployer")), 0)
		refused(t, what, err, fault.Invalid, "is not a Kubernetes API server", "host")
	}
}

func TestServiceAccountByCertificate(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, kubetest.Options{ServiceAccounts: []string{"default/deployer"}})
	auth, err := mint(t, sessionOf(t, methodServiceAccount, certified(t, s, at(s)).with("service_account", "deployer")), 0)
	if err != nil || auth.ClientCertificate != "" || !auth.ClientKey.IsEmpty() || auth.Token.IsEmpty() {
		t.Errorf("%+v, %v", auth, err)
	}
}

func leafOf(t *testing.T, auth connector.KubernetesAuth) *x509.Certificate {
	t.Helper()
	c, err := leaf(auth.ClientCertificate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertificatesAreForWhomTheyShould(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, kubetest.Options{Tokens: map[string]kubetest.User{canary: {Name: "root", Groups: []string{"system:masters", "ops"}}}})
	for what, test := range map[string]struct {
		fields given
		name   string
		groups []string
	}{
		"ourselves":        {given{}, "root", []string{"ops"}},
		"ourselves, other": {given{"certificate_groups": []string{"a", "b"}}, "root", []string{"a", "b"}},
		"another":          {given{"certificate_user": "ci"}, "ci", nil},
		"another, groups":  {given{"certificate_user": "ci", "certificate_groups": []string{"b"}}, "ci", []string{"b"}},
	} {
		fields := withToken(at(s))
		for name, value := range test.fields {
			fields = fields.with(name, value)
		}
		auth, err := mint(t, sessionOf(t, methodCertificateRequest, fields), 20*time.Minute)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		c := leafOf(t, auth)
		if c.Subject.CommonName != test.name || !slices.Equal(c.Subject.Organization, test.groups) || !auth.Expires.Equal(c.NotAfter) || !auth.Token.IsEmpty() {
			t.Errorf("%s: %v until %v, expires %v", what, c.Subject, c.NotAfter, auth.Expires)
		}
		if left := auth.Expires.Sub(emptyHost(t).Now()); (left - 20*time.Minute).Abs() > 5*time.Second {
			t.Errorf("%s: it lasts %s", what, left)
		}
		identity, err := sessionOf(t, methodToken, at(s).with("client_certificate", auth.ClientCertificate).with("client_key", auth.ClientKey)).Verify(t.Context())
		if err != nil || identity.Name != test.name {
			t.Errorf("%s: the certificate is of %+v, %v", what, identity, err)
		}
	}
	if left := s.SigningRequests(); len(left) != 0 {
		t.Errorf("requests are left behind: %v", left)
	}
}

func TestKeysAreNewEveryTime(t *testing.T) {
	t.Parallel()
	s := kubetest.Start(t, knowing())
	session := sessionOf(t, methodCertificateRequest, withToken(at(s)))
	one, err := mint(t, session, 0)
	other, otherErr := mint(t, session, 0)
	if err != nil || otherErr != nil || one.ClientKey.Equal(other.ClientKey) {
		t.Errorf("%v, %v", err, otherErr)
	}
}

func TestCertificateRequestRefusals(t *testing.T) {
	t.Parallel()
	with := func(forbidden ...string) kubetest.Options {
		options := knowing()
		options.Forbidden = forbidden
		return options
	}
	old := knowing()
	old.Minor = 25
	for what, test := range map[string]struct {
		options    kubetest.Options
		fields     given
		kind       fault.Kind
		text, hint string
	}{
		"may not ask":        {with("create certificatesigningrequests"), given{}, fault.Denied, "403 Forbidden", "create, get and delete"},
		"masters":            {knowing(), given{"certificate_groups": []string{"system:masters"}}, fault.Denied, "system:masters", "group that the signer refuses"},
		"nobody can tell us": {old, given{}, fault.Invalid, "cannot tell whom", "certificate_user=NAME"},
		"may not look":       {with("get certificatesigningrequests"), given{}, fault.Denied, "403 Forbidden", ""},
	} {
		s := kubetest.Start(t, test.options)
		fields := withToken(at(s))
		for name, value := range test.fields {
			fields = fields.with(name, value)
		}
		_, err := mint(t, sessionOf(t, methodCertificateRequest, fields), 0)
		refused(t, what, err, test.kind, test.text, test.hint)
		if left := s.SigningRequests(); len(left) != 0 {
			t.Errorf("%s: requests are left behind: %v", what, left)
		}
	}
}

func TestCertificateRequestVerify(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		forbidden, detail string
		kind              fault.Kind
	}{
		"approves":            {"", "approves its own requests for certificates", ""},
		"may not approve":     {"approve signers", "its requests for certificates await someone's approval", ""},
		"may not update":      {"update certificatesigningrequests/approval", "its requests for certificates await someone's approval", ""},
		"may not create":      {"create certificatesigningrequests", "", fault.Denied},
		"may not even review": {"create selfsubjectaccessreviews", "", fault.Denied},
	} {
		options := knowing()
		options.Forbidden = []string{test.forbidden}
		s := kubetest.Start(t, options)
		identity, err := sessionOf(t, methodCertificateRequest, withToken(at(s)).with("certificate_user", "ci")).Verify(t.Context())
		if fault.KindOf(err) != test.kind {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil && (identity.Name != "jane" || identity.Detail != fmt.Sprintf("certificates are for ci; %s; groups developers, system:authenticated", test.detail)) {
			t.Errorf("%s: %+v", what, identity)
		}
		if n := s.Count("POST", "/certificatesigningrequests"); n != 0 {
			t.Errorf("%s: %d certificates were asked for", what, n)
		}
	}
}
