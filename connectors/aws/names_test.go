package aws

import (
	"net/url"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
)

const pastedSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func TestChecksAccept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what     string
		check    func(string) (string, error)
		in, want string
	}{
		{"region", checkRegion, "eu-central-1", "eu-central-1"},
		{"region", checkRegion, "EU-Central-1", "eu-central-1"},
		{"region", checkRegion, "garage", "garage"},
		{"account", checkAccount, "123456789012", "123456789012"},
		{"account", checkAccount, "0123-4567-8901", "012345678901"},
		{"access key", checkAccessKey, "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"},
		{"access key", checkAccessKey, "minioadmin", "minioadmin"},
		{"endpoint", checkEndpoint, "https://VPCE.example.com.:443/", "https://vpce.example.com"},
		{"endpoint", checkEndpoint, "https://vpce.example.com:8443/bucket/", "https://vpce.example.com:8443/bucket"},
		{"endpoint", checkEndpoint, "https://localstack", "https://localstack"},
		{"endpoint", checkEndpoint, "http://localhost:4566", "http://localhost:4566"},
		{"endpoint", checkEndpoint, "http://127.0.0.1:80", "http://127.0.0.1"},
		{"endpoint", checkEndpoint, "http://[::1]:443", "http://[::1]:443"},
		{"endpoint", checkEndpoint, "https://bücher.example", "https://xn--bcher-kva.example"},
		{"domain", checkRegistryDomain, "Localhost.LocalStack.cloud:4566", "localhost.localstack.cloud:4566"},
		{"domain", checkRegistryDomain, "localhost:443", "localhost"},
	} {
		got, err := test.check(test.in)
		if err != nil || got != test.want {
			t.Errorf("%s %q became %q, %v, not %q", test.what, test.in, got, err, test.want)
		}
		if again, err := test.check(test.want); err != nil || again != test.want {
			t.Errorf("%s %q, canonical, became %q, %v", test.what, test.want, again, err)
		}
	}
}

func TestChecksRefuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		check      func(string) (string, error)
		in         string
		text, hint string
	}{
		{checkRegion, "eu central", "not the name of a region", "eu-central-1"},
		{checkRegion, "-eu", "not the name of a region", ""},
		{checkRegion, "eu-central-1.evil.tld", "not the name of a region", ""},
		{checkRegion, strings.Repeat("a", 64), "not the name of a region", ""},
		{checkAccount, "12345678901", "twelve digits", "leading zeros"},
		{checkAccount, "1234-56789-012", "twelve digits", ""},
		{checkAccount, "１２３４５６７８９０１２", "twelve digits", ""},
		{checkAccessKey, pastedSecret, "looks like a secret access key", "aws_secret_access_key"},
		{checkAccessKey, "ab", "3 to 128 characters", ""},
		{checkAccessKey, strings.Repeat("A", 129), "3 to 128 characters", ""},
		{checkAccessKey, "AKIA OSFODNN7EXAMPLE", "a character that", ""},
		{checkAccessKey, "AKIA\nOSFODNN7EXAMPLE", "a character that", ""},
		{checkEndpoint, "vpce.example.com", "is not a URL", "https://HOST"},
		{checkEndpoint, "localhost:4566", "is not a URL", ""},
		{checkEndpoint, "ftp://vpce.example.com", "scheme other than https", ""},
		{checkEndpoint, "https://me:" + pastedSecret + "@vpce.example.com", "not a URL", ""},
		{checkEndpoint, "https://me:hunter2@vpce.example.com", "user name or password", ""},
		{checkEndpoint, "https://vpce.example.com?x=" + pastedSecret, "a query or a fragment", ""},
		{checkEndpoint, "https://vpce.example.com#", "a query or a fragment", ""},
		{checkEndpoint, "http://minio.example.com:9000", "plain HTTP", "http is for services on this machine"},
		{checkEndpoint, "http://127.0.0.1.evil.tld", "plain HTTP", ""},
		{checkEndpoint, "https://127.1", "no proper host", ""},
		{checkEndpoint, "https://a_b.example.com", "no proper host", ""},
		{checkEndpoint, "https://vpce.example.com:0", "a port that is none", ""},
		{checkEndpoint, "https://vpce.example.com:70000", "a port that is none", ""},
		{checkEndpoint, "https://vpce.example.com/a/../b", "a path that is none", ""},
		{checkEndpoint, "https://vpce.example.com/a%2fb", "a path that is none", ""},
		{checkRegistryDomain, "https://example.com", "not the domain", "DOMAIN[:PORT]"},
		{checkRegistryDomain, "example.com/x", "not the domain", ""},
		{checkRegistryDomain, "127.0.0.1:5000", "not the domain", ""},
		{checkRegistryDomain, "me@example.com", "not the domain", ""},
		{checkCertificates, "hello", "no certificate", "--set ca_bundle=@ca.pem"},
	} {
		got, err := test.check(test.in)
		if err == nil {
			t.Errorf("%q is accepted, as %q", test.in, got)
			continue
		}
		wantInvalid(t, test.in, err, test.text, test.hint)
		if said := err.Error() + fault.HintOf(err); strings.Contains(said, pastedSecret) || strings.Contains(said, "hunter2") {
			t.Errorf("the error repeats a secret: %s", said)
		}
	}
}

// An endpoint's canonical form is a fixed point, and leads to the host that a URL library
// sees in it; plain HTTP never leaves the machine.
func FuzzCheckEndpoint(f *testing.F) {
	for _, seed := range []string{"https://a.example.com:443/x/", "http://[::1]:80", "https://a", "http://localhost:0443", "https://ß.example", "https://a/%2e%2e/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := checkEndpoint(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if twice, err := checkEndpoint(once); err != nil || twice != once {
			t.Fatalf("%q is %q, which is %q, %v", text, once, twice, err)
		}
		u, err := url.Parse(once)
		if err != nil || u.User != nil || u.Host == "" {
			t.Fatalf("%q became %q: %v", text, once, err)
		}
		if u.Scheme != "https" && !registryname.Loopback(u.Hostname()) {
			t.Fatalf("%q became %q", text, once)
		}
	})
}

func FuzzChecks(f *testing.F) {
	for _, seed := range []string{"eu-central-1", "1234-5678-9012", "AKIAIOSFODNN7EXAMPLE", "localhost.localstack.cloud:4566", "example.com."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, check := range map[string]func(string) (string, error){
			"region": checkRegion, "account": checkAccount, "access key": checkAccessKey, "domain": checkRegistryDomain,
		} {
			once, err := check(text)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%s %q: %v", name, text, err)
				}
				continue
			}
			if twice, err := check(once); err != nil || twice != once {
				t.Fatalf("%s %q is %q, which is %q, %v", name, text, once, twice, err)
			}
		}
	})
}
