package kubernetes

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/kubetest"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	canary  = "canary-5d0c77e1b9"
	cluster = "staging"
)

var jane = kubetest.User{Name: "jane", Groups: []string{"developers"}}

// knowing is an API server that knows jane by the canary, and a service account.
func knowing() kubetest.Options {
	return kubetest.Options{Tokens: map[string]kubetest.User{canary: jane}, ServiceAccounts: []string{"ci/deployer"}}
}

// given are the fields of a connector.
type given map[string]any

// with returns the fields with others in place or beside. "" leaves one out.
func (g given) with(name string, value any) given {
	out := given{name: value}
	for other, value := range g {
		if _, ok := out[other]; !ok {
			out[other] = value
		}
	}
	return out
}

// at are the fields of a cluster.
func at(s *kubetest.Server) given {
	return given{"server": s.URL(), "cluster_name": cluster, "certificate_authority": s.CertificateAuthority()}
}

func (g given) spec(method string) connector.Spec {
	spec := connector.Spec{Type: typeName, Method: method}
	for name, value := range g {
		if text, ok := value.(secret.Text); ok {
			spec.Values.SetSecret(name, text)
		} else if value != "" {
			spec.Values.Set(name, value)
		}
	}
	return spec
}

func TestConformance(t *testing.T) {
	t.Parallel()
	names := given{"server": "https://kube.example.com:6443", "cluster_name": cluster, "token": secret.New(canary)}.spec(methodToken)
	rancher := given{"server": "https://rancher.example.com/k8s/clusters/c-1", "cluster_name": "c-1", "token": secret.New(canary)}.spec(methodToken)
	connectortest.Run(t, connectortest.Suite{
		Type:  Type(),
		Cases: cases(),
		Names: []connectortest.Name{{
			ResourceType: resourceName, Spec: names,
			Good: map[string]string{
				"staging": "staging", "Staging": "Staging", "arn:aws:eks:eu-central-1:1234:cluster/a": "arn:aws:eks:eu-central-1:1234:cluster/a",
				"gke_project_zone_name": "gke_project_zone_name", "kind-kind": "kind-kind", "https-proxy": "https-proxy", "straße": "straße",
			},
			Bad: []string{"a\tb", "a\nb", "\u00a0", "a\u202eb"},
		}},
		Addresses: []connectortest.Address{
			{
				ResourceType: resourceName, Spec: names,
				Serves: map[string]string{
					"https://kube.example.com:6443": cluster, "https://KUBE.example.com:6443/": cluster, "https://kube.example.com.:6443": cluster,
				},
				Foreign: []string{"https://kube.example.com", "https://kube.example.com:6443/k8s", "http://kube.example.com:6443", "https://example.com:6443"},
			},
			{
				ResourceType: resourceName, Spec: rancher,
				Serves: map[string]string{
					"https://rancher.example.com/k8s/clusters/c-1": "c-1", "https://rancher.example.com:443/k8s/clusters/c-1/": "c-1",
				},
				Foreign: []string{
					"https://rancher.example.com", "https://rancher.example.com/k8s/clusters/c-2", "https://rancher.example.com/k8s/clusters/c-1/../c-2",
					"https://rancher.example.com/K8S/clusters/c-1",
				},
			},
		},
		Equipped: func(t *testing.T) connector.Host {
			host := machine(t)
			host.write(t, ".kube/config", kubeconfigOf("    token: "+canary))
			return host.Host
		},
	})
}

// cases are the logins of the suite. oidc and exec have theirs in files of their own.
func cases() []connectortest.Case {
	options := knowing()
	serviceAccount := given{"service_account": "deployer", "namespace": "ci"}
	old := kubetest.Options{Minor: 18, Passwords: map[string]string{"admin": canary}}
	out := []connectortest.Case{
		byToken("token", methodToken, options, given{}, 0),
		byToken("token of a server that can only say that", methodToken, kubetest.Options{Minor: 25, Tokens: options.Tokens}, given{}, 0),
		byToken("service account", methodServiceAccount, options, serviceAccount, time.Hour),
		byToken("service account, other audience", methodServiceAccount, options, serviceAccount.with("audiences", []string{"vault"}), time.Hour),
		byToken("certificate request", methodCertificateRequest, options, given{}, time.Hour),
		byCertificate("certificate request by certificate", methodCertificateRequest, given{}),
		caseOf("password", methodPassword, old, func(*testing.T, *kubetest.Server) given {
			return given{"username": "admin", "password": secret.New(canary)}
		}, func(*testing.T) given { return given{"username": "admin", "password": secret.New("wrong-" + canary)} }, 0),
	}
	out[len(out)-1].Unmintable = true
	return slices.Concat(out, oidcCases(), execCases())
}

func byToken(name, method string, options kubetest.Options, fields given, lifetime time.Duration) connectortest.Case {
	return caseOf(name, method, options,
		func(*testing.T, *kubetest.Server) given { return fields.with("token", secret.New(canary)) },
		func(*testing.T) given { return fields.with("token", secret.New("wrong-"+canary)) }, lifetime)
}

func byCertificate(name, method string, fields given) connectortest.Case {
	return caseOf(name, method, knowing(),
		func(t *testing.T, s *kubetest.Server) given { return certified(t, s, fields) },
		func(t *testing.T) given { return certified(t, kubetest.Start(t, knowing()), fields) }, time.Hour)
}

// certified adds a client certificate that is good for two days.
func certified(t *testing.T, s *kubetest.Server, fields given) given {
	t.Helper()
	certificate, key, err := s.ClientCertificate(jane, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return fields.with("client_certificate", certificate).with("client_key", secret.New(key))
}

// caseOf is a case whose API server is a strict fake. good are the fields of a login
// that the server knows, wrong those of one that it does not know.
func caseOf(name, method string, options kubetest.Options, good func(*testing.T, *kubetest.Server) given, wrong func(*testing.T) given, lifetime time.Duration) connectortest.Case {
	join := func(fields, login given) connector.Spec {
		for name, value := range login {
			fields[name] = value
		}
		return fields.spec(method)
	}
	return connectortest.Case{
		Name:     name,
		Lifetime: lifetime,
		Outside:  "another-cluster",
		Good: func(t *testing.T) connector.Spec {
			s := kubetest.Start(t, options)
			return join(at(s), good(t, s))
		},
		Wrong: func(t *testing.T) connector.Spec { return join(at(kubetest.Start(t, options)), wrong(t)) },
		Gone: func(t *testing.T) connector.Spec {
			return join(at(kubetest.Start(t, options)).with("server", "https://"+closedPort(t)), wrong(t))
		},
		Hanging: func(t *testing.T) connector.Spec {
			s := kubetest.Start(t, options)
			s.Inject(kubetest.Fault{Hang: true})
			return join(at(s), good(t, s))
		},
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// settingsOf checks fields as `register` does.
func settingsOf(t *testing.T, method string, fields given) connector.Settings {
	t.Helper()
	settings, err := connector.Types{Type()}.Check(fields.spec(method))
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func emptyHost(t *testing.T) connector.Host {
	t.Helper()
	return connector.Host{Now: proc.Real().Now, Home: t.TempDir(), Getenv: func(string) string { return "" }}
}

func sessionOf(t *testing.T, method string, fields given) *session {
	t.Helper()
	s, err := openWith(emptyHost(t), settingsOf(t, method, fields), hop.Pause)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mint(t *testing.T, s *session, lifetime time.Duration) (connector.KubernetesAuth, error) {
	t.Helper()
	credential, err := s.Mint(t.Context(), connector.Request{ResourceType: resourceName, ResourceName: cluster, Lifetime: lifetime})
	auth, _ := credential.(connector.KubernetesAuth)
	return auth, err
}
