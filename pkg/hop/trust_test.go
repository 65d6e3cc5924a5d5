package hop

import (
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestTransport(t *testing.T) {
	t.Parallel()
	base := &http.Transport{MaxIdleConns: 7}
	got, err := Transport(base)
	if err != nil || got == base || got.MaxIdleConns != 7 || got.TLSClientConfig == nil || base.TLSClientConfig != nil && base.TLSClientConfig == got.TLSClientConfig {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Transport(nil); err != nil || got == http.DefaultTransport {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Transport(other{}); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "cannot be honoured") {
		t.Error(err)
	}
}

type other struct{ http.RoundTripper }

// A proxy says why it does not let us through, and its password stays with it.
func TestProxyAnswered(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	at, err := url.Parse(strings.Replace(proxy.URL, "http://", "http://me:canary-51c0@", 1))
	if err != nil {
		t.Fatal(err)
	}
	transport, err := Transport(&http.Transport{Proxy: http.ProxyURL(at)})
	if err != nil {
		t.Fatal(err)
	}
	transport.OnProxyConnectResponse = advice.ProxyAnswered
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://sts.amazonaws.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err == nil {
		_ = response.Body.Close()
		t.Fatal("it went through")
	}
	err = Hop{Name: "it", Advice: advice}.Silent(t.Context(), err)
	if !fault.Is(err, fault.Unavailable) || fault.HintOf(err) != "proxy" || strings.Contains(err.Error(), "canary") ||
		!strings.Contains(err.Error(), "it: the proxy "+at.Host+" does not let us through: 407 Proxy Authentication Required") {
		t.Errorf("%v (hint: %s)", err, fault.HintOf(err))
	}
	if err := advice.ProxyAnswered(t.Context(), at, nil, &http.Response{StatusCode: http.StatusOK}); err != nil {
		t.Error(err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	one := strings.TrimSpace(certificateOf(server))
	for _, text := range []string{one, "# the one\n" + one + "\n", base64.StdEncoding.EncodeToString([]byte(one + "\n"))} {
		if got, err := Certificates(text); err != nil || got != one {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, err := Certificates(one + "\n" + one); err != nil || got != one+"\n"+one {
		t.Errorf("%q, %v", got, err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")}))
	torn := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	for text, says := range map[string]string{"": "no certificate in it", "x": "no certificate in it", key: "PRIVATE KEY, which is no certificate", torn: "malformed"} {
		if _, err := Certificates(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if Pool(one).Equal(Pool("")) || !Pool(one).Equal(Pool(one+"\n"+one)) {
		t.Error("the pool does not have the certificate")
	}
}

// certificateOf is the certificate of a server, as PEM.
func certificateOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
