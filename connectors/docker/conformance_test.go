package docker_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/svcconn/svcconn/connectors/docker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/registrytest"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	canary   = "canary-9d41e6b02c"
	identity = "identity-canary-77a1"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Suite{
		Type: docker.Type(),
		Cases: []connectortest.Case{
			ofMode("basic", registrytest.Options{Mode: registrytest.Basic}, "ci", canary),
			ofMode("bearer", registrytest.Options{Mode: registrytest.Bearer}, "ci", canary),
			ofMode("bearer, token server elsewhere", registrytest.Options{Mode: registrytest.Bearer, SeparateTokenServer: true}, "ci", canary),
			ofMode("bearer over TLS", registrytest.Options{Mode: registrytest.Bearer, TLS: true}, "ci", canary),
			ofMode("identity token", registrytest.Options{Mode: registrytest.Bearer}, connector.IdentityTokenUser, identity),
		},
		Names: []connectortest.Name{{
			ResourceType: "docker-registry",
			Spec:         specFor("ghcr.io", "ci", canary, ""),
			Good: map[string]string{
				"ghcr.io": "ghcr.io", "GHCR.io:443": "ghcr.io", "https://ghcr.io/v2/": "ghcr.io", "ghcr.io/acme/app": "ghcr.io",
				"https://index.docker.io/v1/": "docker.io", "registry-1.docker.io": "docker.io", "[::1]:5000": "[::1]:5000",
			},
			Bad: []string{"acme/app", "registry", "ci:pw@ghcr.io", "ghcr_io.example.com", "ghcr.io:99999"},
		}},
		Addresses: []connectortest.Address{
			{
				ResourceType: "docker-registry", Spec: specFor("registry.example.com:5000", "ci", canary, ""),
				Serves: map[string]string{
					"registry.example.com:5000": "registry.example.com:5000", "https://REGISTRY.example.com:5000/v2/": "registry.example.com:5000",
					"registry.example.com:5000/team/app": "registry.example.com:5000",
				},
				Foreign: []string{"registry.example.com", "docker.io", "https://index.docker.io/v1/"},
			},
			{
				ResourceType: "docker-registry", Spec: specFor("", "ci", canary, ""),
				Serves:  map[string]string{"docker.io": "docker.io", "index.docker.io": "docker.io", "https://index.docker.io/v1/": "docker.io", "registry-1.docker.io": "docker.io"},
				Foreign: []string{"hub.docker.com", "auth.docker.io", "https://index.docker.io/v1/access-token"},
			},
		},
		Equipped: func(t *testing.T) connector.Host {
			home := t.TempDir()
			writeFile(t, filepath.Join(home, ".docker", "config.json"), `{"auths":{"ghcr.io":{"username":"ci","password":"`+canary+`"}}}`)
			return connector.Host{Now: proc.Real().Now, Home: home, Getenv: func(string) string { return "" }}
		},
	})
}

// ofMode is a case whose registry is a strict fake.
func ofMode(name string, options registrytest.Options, user, password string) connectortest.Case {
	options.Users = map[string]registrytest.User{"ci": {Password: canary, IdentityToken: identity}}
	return connectortest.Case{
		Name:    name,
		Outside: "registry.example.com",
		Good: func(t *testing.T) connector.Spec {
			s := registrytest.Start(t, options)
			return specFor(s.Host(), user, password, s.CertificateAuthority())
		},
		Wrong: func(t *testing.T) connector.Spec {
			s := registrytest.Start(t, options)
			return specFor(s.Host(), user, "wrong-"+password, s.CertificateAuthority())
		},
		Gone: func(t *testing.T) connector.Spec { return specFor(closedPort(t), user, password, "") },
		Hanging: func(t *testing.T) connector.Spec {
			s := registrytest.Start(t, options)
			s.Inject(registrytest.Fault{At: registrytest.AtRegistry, Hang: true})
			return specFor(s.Host(), user, password, s.CertificateAuthority())
		},
	}
}

func specFor(registry, user, password, authority string) connector.Spec {
	var values field.Values
	values.Set("username", user)
	values.SetSecret("password", secret.New(password))
	if registry != "" {
		values.Set("registry", registry)
	}
	if authority != "" {
		values.Set("certificate_authority", authority)
	}
	return connector.Spec{Type: "docker", Values: values}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
