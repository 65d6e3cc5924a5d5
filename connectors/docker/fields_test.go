package docker

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registrytest"
	"github.com/svcconn/svcconn/pkg/secret"
)

func TestCertificateField(t *testing.T) {
	t.Parallel()
	one := registrytest.Start(t, registrytest.Options{}).CertificateAuthority()
	two := registrytest.Start(t, registrytest.Options{}).CertificateAuthority()
	want := strings.TrimSpace(one + two)
	for what, text := range map[string]string{
		"PEM":                    one + two,
		"PEM with words between": "the first:\n" + one + "\nthe second:\n" + two + "end",
		"base64 of PEM":          base64.StdEncoding.EncodeToString([]byte(one + two)),
		"base64 in lines":        "  " + strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(one+two)), "L", "L\r\n"),
		"what it is canonically": want,
	} {
		if got, err := canonicalCertificates(text); err != nil || got != want {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for what, test := range map[string]struct{ text, says string }{
		"nothing":       {"", "no certificate in it"},
		"a path":        {"/etc/ssl/ca.pem", "no certificate in it"},
		"a cut one":     {one[:len(one)/2], "no certificate in it"},
		"a private key": {one + string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte("x")})), "EC PRIVATE KEY"},
		"a broken one":  {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), "malformed"},
	} {
		if _, err := canonicalCertificates(test.text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUserAndPassword(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"ci", "robot$harbor", "<token>", "a b", "AWS"} {
		if got, err := checkUsername(text); err != nil || got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"ci:hunter2", "ci\n", "\x1b[31m"} {
		if _, err := checkUsername(text); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, good := range map[string]bool{"pässwörd :@/": true, canary + "\n": false, "a\x00b": false} {
		if err := checkPassword(secret.New(text)); (err == nil) != good || err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	s := ci("https://index.docker.io/v1/").session(t)
	got, err := s.Mint(t.Context(), connector.Request{ResourceType: "docker-registry", ResourceName: "docker.io"})
	login, ok := got.(connector.RegistryLogin)
	if err != nil || !ok || login.Registry != "docker.io" || login.Username != "ci" || login.Secret.Reveal() != canary || !login.Expires.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Mint(t.Context(), connector.Request{ResourceType: "docker-registry", ResourceName: "docker.io", Lifetime: 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a lifetime was asked for: %v, %v", got, err)
	}
}

func FuzzCertificateField(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
	f.Add("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")
	f.Fuzz(func(t *testing.T, text string) {
		canonical, err := canonicalCertificates(text)
		if err != nil {
			return
		}
		if again, err := canonicalCertificates(canonical); err != nil || again != canonical {
			t.Fatalf("canonical %q became %q, %v", canonical, again, err)
		}
	})
}

// Whatever a service says, what is printed of it is one short line.
func FuzzSaid(f *testing.F) {
	f.Add(`{"errors":[{"code":"DENIED","message":"no","detail":{}}]}`)
	f.Add(`{"error":"invalid_grant","error_description":"\u001b[2J"}`)
	f.Add(`{"error":{"a":1},"details":["x"],"message":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		words := hop.Status(400, said([]byte(body)))
		if len(words) > hop.MaxWords+30 || strings.ContainsAny(words, "\n\r\x1b\x00") || !strings.HasPrefix(words, "400 Bad Request") {
			t.Fatalf("%q", words)
		}
	})
}
