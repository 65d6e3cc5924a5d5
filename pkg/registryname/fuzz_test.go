package registryname_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/idna"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// Properties: nothing panics; errors are fault.Invalid; the canonical name is a
// fixed point; and the host is the one that a URL library would connect to, so that
// no two hosts ever become one (Docker Hub's own names apart).
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"registry.example.com:443", "https://index.docker.io/v1/", "http://[::1]:5000/v2/a/b", "user/repo", "a@b.c", "bücher.example",
		"xn--bcher-kva.example", "127.1", "x.0x7f", "docKer.io", "a。b", "ß.example", "x.azurecr.io.evil.tld", "r:443", "https://r", "[::ffff:1.2.3.4]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := registryname.Parse(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: the error is not of kind invalid: %v", text, err)
			}
			return
		}
		if again, err := registryname.Parse(name.String()); err != nil || again != name {
			t.Fatalf("%q: canonical %q becomes %q, %v", text, name, again, err)
		}
		host, _, err := registryname.Address(text)
		if err != nil || host != name.String() {
			t.Fatalf("%q: Parse says %q, Address %q, %v", text, name, host, err)
		}
		if want := connectsTo(t, text); hostOf(t, name.String()) != hubFolded(want) {
			t.Fatalf("%q became %q, but a URL library connects to %q", text, name, want)
		}
	})
}

// connectsTo is the host that Go's URL library and resolver would use.
func connectsTo(t *testing.T, text string) string {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatalf("accepted, but no URL: %v", err)
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String()
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return strings.TrimSuffix(ascii, ".")
	}
	return host
}

func hostOf(t *testing.T, canonical string) string {
	u, err := url.Parse("https://" + canonical)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname()
}

func hubFolded(host string) string {
	switch host {
	case "index.docker.io", "registry-1.docker.io":
		return registryname.DockerHub
	}
	return host
}
