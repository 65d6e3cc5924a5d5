package kubernetes

import (
	"net"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/oidctest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// oidcCases are the logins of the conformance suite by OpenID Connect: with a refresh
// token, since nobody is there.
func oidcCases() []connectortest.Case {
	const lifetime = 7 * time.Minute
	begin := func(t *testing.T, change func(given) given) connector.Spec {
		t.Helper()
		issuer := oidctest.Start(t, oidctest.Options{
			TLS: true, ES256: true, Clients: map[string]oidctest.Client{"kubernetes": {Secret: canary}},
			Behaviour: oidctest.Behaviour{Lifetime: lifetime, Rotate: true},
		})
		s := kubetest.Start(t, kubetest.Options{Authenticate: func(token string) (kubetest.User, bool) {
			claims, ok := issuer.Knows(token)
			subject, _ := claims["sub"].(string)
			return kubetest.User{Name: subject}, ok
		}})
		return change(at(s).with("issuer_url", issuer.URL()).with("issuer_certificate_authority", issuer.CertificateAuthority()).
			with("client_id", "kubernetes").with("client_secret", secret.New(canary)).
			with("refresh_token", secret.New(issuer.RefreshToken("kubernetes")))).spec(methodOIDC)
	}
	with := func(field string, value func(*testing.T) any) func(*testing.T) connector.Spec {
		return func(t *testing.T) connector.Spec {
			return begin(t, func(g given) given { return g.with(field, value(t)) })
		}
	}
	return []connectortest.Case{{
		Name: "OpenID Connect", Lifetime: lifetime, Outside: "another-cluster",
		Good:    func(t *testing.T) connector.Spec { return begin(t, func(g given) given { return g }) },
		Wrong:   with("client_secret", func(*testing.T) any { return secret.New("wrong-" + canary) }),
		Gone:    with("issuer_url", func(t *testing.T) any { return "https://" + closedPort(t) }),
		Hanging: with("issuer_url", func(t *testing.T) any { return "https://" + mutePort(t) }),
	}}
}

// mutePort is an address where connections are taken and nobody says anything.
func mutePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
