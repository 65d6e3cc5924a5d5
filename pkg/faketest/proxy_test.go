package faketest_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// says answers with a text and the host that was asked.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text+" "+r.Host) })
}

func startProxy(t *testing.T) (*faketest.Proxy, *http.Client) {
	t.Helper()
	p, err := faketest.StartProxy("fake", time.Now(), func(host string) http.Handler {
		if strings.HasSuffix(faketest.BareHost(host), ".example.com") {
			return says("example")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	address, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(p.CertificateAuthority()))
	transport := &http.Transport{Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return p, &http.Client{Transport: transport}
}

func get(client *http.Client, address string) (string, error) {
	response, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestProxy(t *testing.T) {
	t.Parallel()
	p, client := startProxy(t)
	p.Route("ROUTED.example.com.", says("routed"))
	p.Route("192.0.2.1", says("routed"))
	for address, want := range map[string]string{
		"https://a.example.com/":           "example a.example.com",
		"https://a.example.com:8443/":      "example a.example.com:8443",
		"http://a.example.com/":            "example a.example.com",
		"https://routed.example.com/":      "routed routed.example.com",
		"http://routed.example.com:81/":    "routed routed.example.com:81",
		"https://192.0.2.1/":               "routed 192.0.2.1",
		"http://example.com.evil.example/": "fake has no route to example.com.evil.example\n",
	} {
		if got, err := get(client, address); err != nil || got != want {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	if _, err := get(client, "https://example.org/"); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("a tunnel to nowhere: %v", err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := get(client, "https://a.example.com/"); err == nil {
		t.Error("it still answers")
	}
}

func TestListening(t *testing.T) {
	t.Parallel()
	var l faketest.Listening
	one, err := l.Listen(says("one"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := l.Listen(says("two"))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for address, want := range map[string]string{one: "one " + one, two: "two " + two} {
		if got, err := get(client, "http://"+address); err != nil || got != want {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := get(client, "http://"+one); err == nil {
		t.Error("it still answers")
	}
}
