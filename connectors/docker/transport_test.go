package docker

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registrytest"
)

func TestRetries(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		fault  registrytest.Fault
		pauses []time.Duration
		kind   fault.Kind
		hint   string
	}{
		"once":                {registrytest.Fault{At: registrytest.AtRegistry, Status: 503, Times: 1}, []time.Duration{firstPause}, "", ""},
		"thrice":              {registrytest.Fault{At: registrytest.AtTokenServer, Status: 500, Times: 3}, []time.Duration{firstPause, 2 * firstPause, 4 * firstPause}, "", ""},
		"throttled":           {registrytest.Fault{At: registrytest.AtTokenServer, Status: 429, RetryAfter: "2", Times: 1}, []time.Duration{2 * time.Second}, "", ""},
		"throttled, at once":  {registrytest.Fault{At: registrytest.AtTokenServer, Status: 429, RetryAfter: "0", Times: 1}, []time.Duration{firstPause}, "", ""},
		"throttled, long ago": {registrytest.Fault{At: registrytest.AtRegistry, Status: 429, RetryAfter: "Mon, 02 Jan 2006 15:04:05 GMT", Times: 1}, []time.Duration{firstPause}, "", ""},
		"for ever":            {registrytest.Fault{At: registrytest.AtRegistry, Status: 502}, []time.Duration{firstPause, 2 * firstPause, 4 * firstPause}, fault.Unavailable, "try again later"},
		"throttled for ever":  {registrytest.Fault{At: registrytest.AtTokenServer, Status: 429}, []time.Duration{firstPause, 2 * firstPause, 4 * firstPause}, fault.Unavailable, "try again later"},
		"throttled for long":  {registrytest.Fault{At: registrytest.AtTokenServer, Status: 429, RetryAfter: "60"}, nil, fault.Unavailable, "in 60 seconds"},
		"throttled until":     {registrytest.Fault{At: registrytest.AtRegistry, Status: 429, RetryAfter: "Fri, 01 Jan 2999 00:00:00 GMT"}, nil, fault.Unavailable, "after Fri, 01 Jan 2999"},
		"not worth it":        {registrytest.Fault{At: registrytest.AtRegistry, Status: 501}, nil, fault.Invalid, "check host and port"},
	} {
		for _, login := range []func(string) fields{ci, identityOf} {
			s := start(t, registrytest.Options{Mode: registrytest.Bearer})
			s.Inject(test.fault)
			f := login(s.Host())
			f.pauses = &[]time.Duration{}
			_, err := f.session(t).Verify(t.Context())
			if fault.KindOf(err) != test.kind || !strings.Contains(fault.HintOf(err), test.hint) || !slices.Equal(*f.pauses, test.pauses) {
				t.Errorf("%s: %v (hint: %s), paused %v", what, err, fault.HintOf(err), *f.pauses)
			}
		}
	}
}

// A registry on this machine may speak plain HTTP. That is no reason to send the
// password to another machine that way.
func TestPlainTokenServerElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Bearer, Realm: "http://auth.example.com/token"})
	for _, login := range []func(string) fields{ci, identityOf} {
		f := login(s.Host())
		f.http = s.Transport()
		_, err := f.session(t).Verify(t.Context())
		refused(t, err, fault.Failed, "auth.example.com is only offered over plain HTTP", "insecure=true")
		if s.Count(registrytest.AtTokenServer) != 0 {
			t.Fatal("the token server was asked")
		}
	}
	f := ci(s.Host())
	f.http, f.insecure = s.Transport(), true
	if _, err := f.session(t).Verify(t.Context()); err != nil {
		t.Errorf("insecure allows it: %v", err)
	}
}

func TestPlainRegistryElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Basic})
	for _, name := range []string{"registry.example.com", "10.0.0.1:5000", "172.16.0.1"} { // go-containerregistry would try the last two
		f := ci(name)
		f.http = s.Transport()
		_, err := f.session(t).Verify(t.Context())
		refused(t, err, fault.Invalid, "registry "+name+" does not speak TLS", "insecure=true")
	}
	if s.Count(registrytest.AtRegistry) != 0 {
		t.Errorf("it was asked over plain HTTP: %+v", s.Requests())
	}
	f := ci("other.example.com")
	f.http, f.insecure = s.Transport(), true
	if _, err := f.session(t).Verify(t.Context()); err != nil {
		t.Errorf("insecure allows it: %v", err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{Mode: registrytest.Basic, TLS: true})
	other := start(t, registrytest.Options{Mode: registrytest.Basic, TLS: true})
	for what, authority := range map[string]string{"none": "", "another": other.CertificateAuthority()} {
		f := ci(s.Host())
		f.authority = authority
		_, err := f.session(t).Verify(t.Context())
		refused(t, err, fault.Failed, "the certificate of registry "+s.Host()+" is not trusted", "certificate_authority=@ca.pem")
		if s.Count(registrytest.AtRegistry) != 0 {
			t.Errorf("%s: it was asked all the same: %+v", what, s.Requests())
		}
	}
	f := ci("other.example.com")
	f.http = s.Transport()
	_, err := f.session(t).Verify(t.Context())
	refused(t, err, fault.Failed, "not other.example.com", "under a name")
	old := start(t, registrytest.Options{Mode: registrytest.Basic, TLS: true, Now: func() time.Time { return time.Unix(0, 0) }})
	f = ci(old.Host())
	f.authority = old.CertificateAuthority()
	_, err = f.session(t).Verify(t.Context())
	refused(t, err, fault.Failed, "expired", "clock")
}

func TestAuthorityAndInsecure(t *testing.T) {
	t.Parallel()
	s := start(t, registrytest.Options{TLS: true})
	f := ci(s.Host())
	f.authority, f.insecure = s.CertificateAuthority(), true
	_, err := f.open()
	refused(t, err, fault.Invalid, "whom to trust", "leave one")
	f = ci(s.Host())
	f.insecure, f.http = true, roundTripper(nil)
	_, err = f.open()
	refused(t, err, fault.Failed, "cannot be honoured", "")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
