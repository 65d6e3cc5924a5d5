package registryname_test

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
)

var accepted = []struct{ in, want string }{
	{"registry.example.com", "registry.example.com"},
	{"Registry.Example.COM", "registry.example.com"},
	{"registry.example.com.", "registry.example.com"},
	{"registry.example.com.:5000", "registry.example.com:5000"},
	{"registry.example.com:443", "registry.example.com"},
	{"registry.example.com:80", "registry.example.com:80"},
	{"http://registry.example.com:80", "registry.example.com"},
	{"https://registry.example.com:80", "registry.example.com:80"},
	{"HTTPS://registry.example.com/", "registry.example.com"},
	{"https://registry.example.com/v2/", "registry.example.com"},
	{"ghcr.io/acme/app", "ghcr.io"},
	{"my--registry.example.com", "my--registry.example.com"},
	{"localhost", "localhost"},
	{"LOCALHOST:443", "localhost"},
	{"localhost:5000", "localhost:5000"},
	{"http://localhost/v2/", "localhost"},
	{"registry:5000", "registry:5000"},
	{"registry:443", "registry:443"},
	{"https://registry", "registry:443"},
	{"http://registry/v1/", "registry:80"},
	{"127.0.0.1:5000", "127.0.0.1:5000"},
	{"10.0.0.1", "10.0.0.1"},
	{"[::1]:5000", "[::1]:5000"},
	{"[::1]", "[::1]"},
	{"[::1]:443", "[::1]"},
	{"[2001:DB8:0:0:0:0:0:1]:5000", "[2001:db8::1]:5000"},
	{"bücher.example", "xn--bcher-kva.example"},
	{"BÜCHER.example", "xn--bcher-kva.example"},
	{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
	{"bücher。example", "xn--bcher-kva.example"},
	{"docker.io", "docker.io"},
	{"index.docker.io", "docker.io"},
	{"registry-1.docker.io", "docker.io"},
	{"https://index.docker.io/v1/", "docker.io"},
	{"https://index.docker.io/v1", "docker.io"},
	{"Index.Docker.IO.:443", "docker.io"},
	{"docker.io:5000", "docker.io:5000"},
	{"auth.docker.io", "auth.docker.io"},
	{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range accepted {
		name, err := registryname.Parse(test.in)
		if err != nil || name.String() != test.want {
			t.Errorf("Parse(%q) = %q, %v, want %q", test.in, name, err, test.want)
		}
		if again, err := registryname.Parse(test.want); err != nil || again != name {
			t.Errorf("Parse(%q) is not what it came from: %q, %v", test.want, again, err)
		}
	}
}

var refusals = []struct{ in, says string }{
	{"", "empty"},
	{"registry", "not a registry"},
	{"user/repo", "repository on Docker Hub"},
	{"library/alpine:3", "repository on Docker Hub"},
	{"user:hunter2@registry.example.com", "user name or password"},
	{"https://user:hunter2@registry.example.com/", "user name or password"},
	{"registry.example.com?token=hunter2", "query"},
	{"registry.example.com#hunter2", "fragment"},
	{`registry.example.com\@evil.tld`, "backslash"},
	{"registry.example.com ", "space"},
	{"registry example.com", "space"},
	{"registry.example.com\x00.evil.tld", "control character"},
	{"registry.example.com\n", "space or a control"},
	{"registry.example.com\u200b", "control character"},
	{"registry\xff.example.com", "UTF-8"},
	{"ftp://registry.example.com", "scheme"},
	{"://registry.example.com", "scheme"},
	{"https://", "no host"},
	{"//registry.example.com", "no host"},
	{"registry.example.com:", "port"},
	{"registry.example.com:0", "port"},
	{"registry.example.com:65536", "port"},
	{"registry.example.com:+80", "port"},
	{"registry.example.com:0443", "port"},
	{"registry.example.com:５", "port"},
	{"::1", "more than one colon"},
	{"fe80::1:5000", "more than one colon"},
	{"host:1:2", "more than one colon"},
	{"[::1", "IPv6"},
	{"[fe80::1%eth0]:5000", "IPv6"},
	{"[127.0.0.1]:5000", "IPv6"},
	{"[registry.example.com]", "IPv6"},
	{"[]:5000", "IPv6"},
	{"my_registry.example.com", "character"},
	{"regis%74ry.example.com", "character"},
	{"*.example.com", "character"},
	{"registry..example.com", "empty part"},
	{".example.com", "empty part"},
	{"registry.example.com..", "empty part"},
	{".", "no host"},
	{"-registry.example.com", "hyphen"},
	{"registry-.example.com", "hyphen"},
	{strings.Repeat("a", 64) + ".example.com", "63"},
	{strings.Repeat(strings.Repeat("a", 60)+".", 5) + "com", "253"},
	{strings.Repeat("a.", 600), "1024"},
	{"127.1:5000", "IPv4"},
	{"0177.0.0.1", "IPv4"},
	{"2130706433:5000", "IPv4"},
	{"x.0x7f", "IPv4"},
	{"256.0.0.1", "IPv4"},
	{"xn--a.example", "internationalised"},
	{"a\u0338℀b.example", "internationalised"},
	{"registry.example.com/a b", "space"},
	{"registry.example.com/../etc", "path"},
	{"registry.example.com/a//b", "path"},
	{"registry.example.com/%2e", "path"},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range refusals {
		name, err := registryname.Parse(test.in)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("Parse(%q) = %q, %v, want an error that says %q", test.in, name, err, test.says)
		}
		if err != nil && strings.Contains(err.Error()+fault.HintOf(err), "hunter2") {
			t.Errorf("the error for %q quotes a secret: %v", test.in, err)
		}
	}
}

func TestEndpointAndKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, endpoint, dockerKey string }{
		{"docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"},
		{"docker.io:5000", "docker.io:5000", "docker.io:5000"},
		{"ghcr.io", "ghcr.io", "ghcr.io"},
		{"[::1]:5000", "[::1]:5000", "[::1]:5000"},
	} {
		name := mustParse(t, test.in)
		if name.Endpoint() != test.endpoint || name.DockerKey() != test.dockerKey {
			t.Errorf("%s: endpoint %q, docker key %q", name, name.Endpoint(), name.DockerKey())
		}
		if !name.Serves(name.DockerKey()) || !name.Serves(name.String()) {
			t.Errorf("%s does not serve its own keys", name)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "127.9.9.9": true, "[::1]:5000": true,
		"[::ffff:127.0.0.1]:5000": true, "10.0.0.1:5000": false, "[::2]": false, "localhost.example.com": false,
		"my.localhost": false, "127.0.0.1.example.com": false,
	} {
		if got := mustParse(t, in).IsLoopback(); got != want {
			t.Errorf("%s: loopback %v, want %v", in, got, want)
		}
	}
}

func TestUnder(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"x.azurecr.io": true, "a.b.azurecr.io": true, "X.AZURECR.IO.": true,
		"azurecr.io": false, "x.azurecr.io.evil.tld": false, "xazurecr.io": false, "x.azurecr.io:5000": false,
	} {
		if got := mustParse(t, in).Under("azurecr.io"); got != want {
			t.Errorf("%s: under azurecr.io %v, want %v", in, got, want)
		}
	}
	if mustParse(t, "x.azurecr.io").Under("") {
		t.Error("a registry is under no domain at all")
	}
}

func mustParse(t *testing.T, text string) registryname.Name {
	t.Helper()
	name, err := registryname.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
