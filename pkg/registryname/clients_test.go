package registryname_test

import (
	"testing"

	"github.com/svcconn/svcconn/pkg/registryname"
)

// What each client sends to a credential helper for one registry, as read in their
// sources or seen when run.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ client, sends, host, path string }{
		{"docker pull", "registry.example.com:5000", "registry.example.com:5000", ""},
		{"docker pull, Docker Hub", "https://index.docker.io/v1/", "docker.io", ""},
		{"docker logout", "http://registry.example.com:5000", "registry.example.com:5000", ""},
		{"docker logout", "https://registry.example.com:5000", "registry.example.com:5000", ""},
		{"docker login, older", "https://registry.example.com/v2/", "registry.example.com", ""},
		{"docker login, web", "https://index.docker.io/v1/access-token", "docker.io", "access-token"},
		{"BuildKit, Docker Hub", "https://index.docker.io/v1/", "docker.io", ""},
		{"BuildKit", "registry-1.docker.io", "docker.io", ""},
		{"compose", "ghcr.io", "ghcr.io", ""},
		{"crane", "gcr.io/project/image", "gcr.io", "project/image"},
		{"crane", "gcr.io", "gcr.io", ""},
		{"crane, Docker Hub", "index.docker.io/library/alpine", "docker.io", "library/alpine"},
		{"crane, a repository called v2", "gcr.io/v2/image", "gcr.io", "v2/image"},
		{"oras, helm", "https://index.docker.io/v1/", "docker.io", ""},
		{"oras", "localhost:5000", "localhost:5000", ""},
		{"podman, skopeo", "docker.io", "docker.io", ""},
		{"podman", "quay.io/team/app", "quay.io", "team/app"},
		{"nerdctl 1", "registry.example.com:443", "registry.example.com", ""},
		{"nerdctl 2", "https://registry.example.com:443", "registry.example.com", ""},
		{"nerdctl 3", "http://registry.example.com:443", "registry.example.com", ""},
		{"nerdctl 4", "registry.example.com", "registry.example.com", ""},
		{"nerdctl 5", "https://registry.example.com", "registry.example.com", ""},
		{"nerdctl 6", "http://registry.example.com", "registry.example.com", ""},
		{"pulumi", "https://registry.example.com/v1/", "registry.example.com", ""},
		{"testcontainers", "registry.example.com/v1", "registry.example.com", ""},
		{"somebody", "https://ghcr.io/v2/acme/app/", "ghcr.io", "acme/app"},
		{"somebody", "ghcr.io/acme/app@sha256:0123", "ghcr.io", "acme/app@sha256:0123"},
	} {
		host, path, err := registryname.Address(test.sends)
		if err != nil || host != test.host || path != test.path {
			t.Errorf("%s: Address(%q) = %q, %q, %v, want %q, %q", test.client, test.sends, host, path, err, test.host, test.path)
		}
	}
}

func TestServesIsAnchored(t *testing.T) {
	t.Parallel()
	name := mustParse(t, "x.azurecr.io")
	for _, address := range []string{"x.azurecr.io", "X.azurecr.io.:443", "https://x.azurecr.io/v2/", "x.azurecr.io/team/app"} {
		if !name.Serves(address) {
			t.Errorf("%q is not served", address)
		}
	}
	for _, address := range []string{
		"x.azurecr.io.evil.tld", "evil-x.azurecr.io", "evil.x.azurecr.io", "azurecr.io", "x.azurecr.io:5000", "x.azurecr.io:80",
		"evil.tld/x.azurecr.io", "x.azurecr.io@evil.tld", "evil@x.azurecr.io", "https://x.azurecr.io@evil.tld/",
		"https://evil.tld#x.azurecr.io", "https://evil.tld?x.azurecr.io", `https://evil.tld\@x.azurecr.io`, "x.azurecr.io\x00.evil.tld",
		"x%2eazurecr.io", "", "x", "x/azurecr.io",
	} {
		if name.Serves(address) {
			t.Errorf("%q is served", address)
		}
	}
	if (registryname.Name{}).Serves("") {
		t.Error("the zero name serves the empty address")
	}
}

// The web login of docker keeps its tokens beside the registry's login: whoever
// mixes them up hands a password to docker as an OAuth token.
func TestWebLoginIsNotTheRegistry(t *testing.T) {
	t.Parallel()
	hub := mustParse(t, registryname.DockerHub)
	for _, address := range []string{"https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token", "index.docker.io/v1/access-token"} {
		if hub.Serves(address) || !registryname.IsWebLogin(address) {
			t.Errorf("%s counts as the registry", address)
		}
	}
	for _, address := range []string{"https://index.docker.io/v1/", "docker.io", "ghcr.io/access-token", "docker.io/acme/access-token"} {
		if registryname.IsWebLogin(address) {
			t.Errorf("%s counts as a web login", address)
		}
	}
}
