package hop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

var advice = &Advice{
	Late: "late", Unreachable: "unreachable", Proxy: "proxy", Plain: "plain", Alert: "alert",
	WrongName: "wrong name", Expired: "expired", Untrusted: "untrusted", Unusable: "unusable",
}

func TestSilent(t *testing.T) {
	t.Parallel()
	certificate := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	dialed := func(op string) error { return &net.OpError{Op: op, Net: "tcp", Err: errors.New("connection refused")} }
	asked := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://x.example.com/?token=canary-2b9e61", Err: err}
	}
	for what, test := range map[string]struct {
		err    error
		advice *Advice
		kind   fault.Kind
		says   string
		hint   string
	}{
		"cancelled":            {asked(context.Canceled), advice, fault.Interrupted, "it: context canceled", ""},
		"late":                 {asked(context.DeadlineExceeded), advice, fault.Unavailable, "it did not answer in time", "late"},
		"refused":              {asked(dialed("dial")), advice, fault.Unavailable, "it cannot be reached: dial tcp", "unreachable"},
		"broken off":           {asked(io.ErrUnexpectedEOF), advice, fault.Unavailable, "it cannot be reached", "unreachable"},
		"proxy":                {asked(dialed("proxyconnect")), advice, fault.Unavailable, "it cannot be reached through the proxy", "proxy"},
		"proxy, not told":      {asked(dialed("proxyconnect")), &Advice{Unreachable: "unreachable"}, fault.Unavailable, "it cannot be reached: ", "unreachable"},
		"SOCKS":                {asked(dialed("socks connect")), advice, fault.Unavailable, "through the proxy", "proxy"},
		"plain":                {asked(tls.RecordHeaderError{Msg: "first record"}), advice, fault.Invalid, "it does not speak TLS", "plain"},
		"plain, by HTTP":       {asked(http.ErrSchemeMismatch), advice, fault.Invalid, "it does not speak TLS", "plain"},
		"alert":                {asked(&net.OpError{Op: "remote error", Err: tls.AlertError(42)}), advice, fault.Denied, "breaks the TLS handshake off", "alert"},
		"alert, not told":      {asked(&net.OpError{Op: "remote error", Err: tls.AlertError(42)}), &Advice{Unreachable: "unreachable"}, fault.Unavailable, "cannot be reached", "unreachable"},
		"another name":         {asked(certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"})), advice, fault.Failed, "the certificate of it is not trusted", "wrong name"},
		"expired":              {asked(certificate(x509.CertificateInvalidError{Reason: x509.Expired})), advice, fault.Failed, "is not trusted", "expired"},
		"unknown authority":    {asked(certificate(x509.UnknownAuthorityError{})), advice, fault.Failed, "is not trusted", "untrusted"},
		"invalid otherwise":    {asked(certificate(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign})), advice, fault.Failed, "is not trusted", "untrusted"},
		"a guard of our own":   {asked(fault.New(fault.Invalid, "it leads astray").Hint("own")), advice, fault.Invalid, "it: it leads astray", "own"},
		"anything else":        {asked(errors.New("malformed")), advice, fault.Failed, "it gave no usable answer: malformed", "unusable"},
		"without a URL around": {errors.New("malformed"), advice, fault.Failed, "it gave no usable answer: malformed", "unusable"},
	} {
		err := Hop{Name: "it", Advice: test.advice}.Silent(t.Context(), test.err)
		if fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) != test.hint {
			t.Errorf("%s: %q, %v (hint: %s)", what, fault.KindOf(err), err, fault.HintOf(err))
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the URL is repeated: %v", what, err)
		}
	}
}

// The address is told, and nothing else of a URL.
func TestAt(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://me:canary@x.example.com:8443/a?token=canary": "it at x.example.com:8443", "": "it", "::": "it", "/a": "it",
	} {
		if got := At("it", advice, &url.Error{Op: "Get", URL: address, Err: io.EOF}); got.Name != want || got.Advice != advice {
			t.Errorf("%s: %q", address, got.Name)
		}
	}
	if got := At("it", advice, io.EOF); got.Name != "it" {
		t.Errorf("%q", got.Name)
	}
}

// The caller's ctx counts, whatever error the way down made of it.
func TestSilentBelievesTheContext(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for ctx, want := range map[context.Context]fault.Kind{gone: fault.Interrupted, late: fault.Unavailable} {
		if err := (Hop{Name: "it", Advice: advice}).Silent(ctx, errors.New("use of closed connection")); !fault.Is(err, want) {
			t.Errorf("%q, not %q: %v", fault.KindOf(err), want, err)
		}
	}
}

// What real services do is what the predicates are for.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for address, want := range map[string]string{
		secure.URL: "untrusted",
		strings.Replace(plain.URL, "http:", "https:", 1): "plain",
		closed.URL: "unreachable",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DisableKeepAlives: true}
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err == nil {
			_ = response.Body.Close()
			t.Fatalf("%s answers", address)
		}
		if err := (Hop{Name: "it", Advice: advice}).Silent(t.Context(), err); fault.HintOf(err) != want {
			t.Errorf("%s: %v (hint: %s)", want, err, fault.HintOf(err))
		}
	}
}
