package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// clusterAuthority is a certificate as far as anybody looks into it here.
const clusterAuthority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"

// clusters is a service that mints for clusters, and the type that reaches one.
type clusters struct {
	mints    atomic.Int64
	lifetime atomic.Int64 // a time.Duration; 0 never expires
	fails    atomic.Pointer[error]
}

var (
	clusterName   = field.String{Name: "cluster_name", Title: "Name", Help: "Name.", Required: true}
	clusterServer = field.String{Name: "server", Title: "Server", Help: "Server.", Required: true}
	withToken     = field.Bool{Name: "with_token", Title: "Token", Help: "Token."}
	withPair      = field.Bool{Name: "with_pair", Title: "Pair", Help: "Pair."}
)

func clusterEndpoint(s connector.Settings) (connector.KubernetesEndpoint, bool) {
	return connector.KubernetesEndpoint{Cluster: clusterName.Get(s.Values), Server: clusterServer.Get(s.Values), CertificateAuthority: clusterAuthority}, true
}

func (c *clusters) connectorType() *connector.Type {
	return &connector.Type{
		Name: "kubernetes", Title: "k", Doc: "k",
		Methods: []connector.AuthMethod{{Name: "m", Title: "m", Doc: "m", Fields: field.Set{clusterName, clusterServer, withToken, withPair}}},
		Resources: []connector.ResourceType{{
			Name: broker.KubernetesCluster, Title: "c", Doc: "c", Default: clusterName.Get, Endpoint: clusterEndpoint,
			Parse: func(_ field.Values, name string) (string, error) { return name, nil },
		}},
		Open: func(_ connector.Host, s connector.Settings) (connector.Session, error) {
			return clusterSession{session{s}, c}, nil
		},
	}
}

type clusterSession struct {
	session
	service *clusters
}

func (s clusterSession) Mint(context.Context, connector.Request) (connector.Credential, error) {
	if err := s.service.fails.Load(); err != nil {
		return nil, *err
	}
	n := s.service.mints.Add(1)
	endpoint, _ := clusterEndpoint(s.settings)
	auth := connector.KubernetesAuth{Endpoint: endpoint}
	if withToken.Get(s.settings.Values) {
		auth.Token = secret.New(fmt.Sprintf("token-%d-%s", n, canary))
	}
	if withPair.Get(s.settings.Values) {
		auth.ClientCertificate, auth.ClientKey = "certificate", secret.New("key-"+canary)
	}
	if lifetime := time.Duration(s.service.lifetime.Load()); lifetime != 0 {
		auth.Expires = time.Now().Add(lifetime)
	}
	return auth, nil
}

// startClusters is an agent with connectors of clusters alone.
func startClusters(t *testing.T) (*agentWorld, *clusters) {
	t.Helper()
	service := &clusters{}
	service.lifetime.Store(int64(15 * time.Minute))
	return startTypes(t, "1.0.0", connector.NewTypes(append(types(), service.connectorType())...)), service
}

func (w *agentWorld) cluster(name, cluster, server string, with ...string) {
	w.t.Helper()
	var values field.Values
	values.Set("cluster_name", cluster)
	values.Set("server", server)
	for _, field := range with {
		values.Set(field, true)
	}
	if _, err := w.broker.Register(w.t.Context(), broker.Draft{Name: name, Spec: connector.Spec{Type: "kubernetes", Values: values}}, false); err != nil {
		w.t.Fatal(err)
	}
}

func (w *agentWorld) exec(info string, args wire.KubernetesExecArgs) (agentclient.Answer, error) {
	w.t.Helper()
	return w.client(nil).Call(w.t.Context(), wire.KubernetesExec, args, secret.New(info))
}

func (w *agentWorld) mustExec(info string, args wire.KubernetesExecArgs) map[string]any {
	w.t.Helper()
	answer, err := w.exec(info, args)
	if err != nil {
		w.t.Fatalf("%s %+v: %v", info, args, err)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(answer.Body.Reveal()), &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// infoFor is KUBERNETES_EXEC_INFO as client-go writes it.
func infoFor(version, server, authority string) string {
	cluster := ""
	if server != "" {
		data, _ := json.Marshal([]byte(authority))
		cluster = fmt.Sprintf(`"cluster":{"server":%q,"certificate-authority-data":%s,"config":null},`, server, data)
	}
	return fmt.Sprintf(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/%s","spec":{%s"interactive":false}}`, version, cluster)
}

// TestACredentialGoesToItsOwnServerAlone: a kubeconfig that names a connector and leads
// elsewhere gets nothing.
func TestACredentialGoesToItsOwnServerAlone(t *testing.T) {
	t.Parallel()
	w, _ := startClusters(t)
	w.cluster("tokens", "one", "https://one.example.com:6443", "with_token")
	for _, server := range []string{"https://two.example.com", "https://one.example.com", "https://one.example.com.evil.tld:6443", "https://user:pw@one.example.com:6443", "http://one.example.com:6443"} {
		for _, args := range []wire.KubernetesExecArgs{{Connector: "tokens"}, {Cluster: "one"}} {
			answer, err := w.exec(infoFor("v1", server, ""), args)
			if !fault.Is(err, fault.Denied) || answer.Body.Len() > 0 {
				t.Errorf("%s %+v: %v (%s)", server, args, err, fault.KindOf(err))
			}
			if err != nil && strings.Contains(err.Error(), "pw") {
				t.Errorf("the error repeats a password: %v", err)
			}
		}
	}
}

func TestExecCredentialIsAnsweredInKind(t *testing.T) {
	t.Parallel()
	w, service := startClusters(t)
	w.cluster("tokens", "one", "https://one.example.com:6443", "with_token")
	w.cluster("pairs", "two", "https://two.example.com/k8s/c-1", "with_pair")
	w.cluster("both", "three", "https://three.example.com", "with_pair", "with_token")
	for _, tc := range []struct {
		name, info string
		args       wire.KubernetesExecArgs
		version    string
		fields     []string
	}{
		{"connector", infoFor("v1", "", ""), wire.KubernetesExecArgs{Connector: "tokens"}, "v1", []string{"token"}},
		{"connector and cluster", infoFor("v1beta1", "", ""), wire.KubernetesExecArgs{Connector: "tokens", Cluster: "one"}, "v1beta1", []string{"token"}},
		{"cluster", infoFor("v1", "", ""), wire.KubernetesExecArgs{Cluster: "two"}, "v1", []string{"clientCertificateData", "clientKeyData"}},
		{"server", infoFor("v1", "https://ONE.example.com:6443/", clusterAuthority), wire.KubernetesExecArgs{}, "v1", []string{"token"}},
		{"server with a path", infoFor("v1beta1", "https://two.example.com:443/k8s/c-1", ""), wire.KubernetesExecArgs{}, "v1beta1", []string{"clientCertificateData", "clientKeyData"}},
		{"server without a scheme", infoFor("v1", "three.example.com", clusterAuthority), wire.KubernetesExecArgs{}, "v1", []string{"token", "clientCertificateData", "clientKeyData"}},
		{"connector and its server", infoFor("v1", "https://two.example.com/k8s/c-1/", ""), wire.KubernetesExecArgs{Connector: "pairs"}, "v1", []string{"clientCertificateData", "clientKeyData"}},
		{"no variable", "", wire.KubernetesExecArgs{Connector: "tokens"}, "v1beta1", []string{"token"}},
	} {
		got := w.mustExec(tc.info, tc.args)
		status, _ := got["status"].(map[string]any)
		at, err := time.Parse(time.RFC3339, fmt.Sprint(status["expirationTimestamp"]))
		if left := time.Until(at); err != nil || left > 13*time.Minute+30*time.Second || left < 13*time.Minute {
			t.Errorf("%s: it expires in %s, %v; want the expiry less the margin", tc.name, left, err)
		}
		delete(status, "expirationTimestamp")
		if got["kind"] != "ExecCredential" || got["apiVersion"] != "client.authentication.k8s.io/"+tc.version || len(status) != len(tc.fields) {
			t.Errorf("%s: %v", tc.name, got)
		}
		for _, field := range tc.fields {
			if status[field] == nil {
				t.Errorf("%s: no %s", tc.name, field)
			}
		}
	}
	service.lifetime.Store(0)
	w.cluster("static", "four", "https://four.example.com", "with_token")
	status, _ := w.mustExec(infoFor("v1", "", ""), wire.KubernetesExecArgs{Connector: "static"})["status"].(map[string]any)
	if _, has := status["expirationTimestamp"]; has {
		t.Errorf("what does not expire has an expiry: %v", status)
	}
}

func TestExecCredentialRefuses(t *testing.T) {
	t.Parallel()
	w, service := startClusters(t)
	w.cluster("one", "one", "https://one.example.com", "with_token")
	w.cluster("twin1", "twin", "https://twin.example.com", "with_token")
	w.cluster("twin2", "twin", "https://twin.example.com", "with_token")
	w.register("hub", dockerType, "docker.io")
	const otherAuthority = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----"
	for _, tc := range []struct {
		name, info string
		args       wire.KubernetesExecArgs
		kind       fault.Kind
		text, hint string
	}{
		{"not JSON", "{" + canary, wire.KubernetesExecArgs{Connector: "one"}, fault.Invalid, "is not the JSON", "kubectl-svcconn credential"},
		{"another kind", `{"kind":"` + canary + `","apiVersion":"v1"}`, wire.KubernetesExecArgs{Connector: "one"}, fault.Invalid, "is not an ExecCredential", ""},
		{"alpha", infoFor("v1alpha1", "", ""), wire.KubernetesExecArgs{Connector: "one"}, fault.Invalid,
			`asks for "client.authentication.k8s.io/v1alpha1", which is neither client.authentication.k8s.io/v1 nor client.authentication.k8s.io/v1beta1`, "set apiVersion"},
		{"no version", `{"kind":"ExecCredential"}`, wire.KubernetesExecArgs{Connector: "one"}, fault.Invalid, `asks for ""`, ""},
		{"malformed authority", strings.Replace(infoFor("v1", "https://one.example.com", "x"), `-data":"`, `-data":"!`, 1), wire.KubernetesExecArgs{}, fault.Invalid, "is not the JSON", ""},
		{"nothing says which", infoFor("v1", "", ""), wire.KubernetesExecArgs{}, fault.Invalid, "no cluster is named", "provideClusterInfo"},
		{"nor without the variable", "", wire.KubernetesExecArgs{}, fault.Invalid, "no cluster is named", "--connector"},
		{"unknown server", infoFor("v1", "https://nowhere.example.com", ""), wire.KubernetesExecArgs{}, fault.NotFound, "no connector serves the cluster at https://nowhere.example.com", "svcconn explain"},
		{"a server below", infoFor("v1", "https://one.example.com/x", ""), wire.KubernetesExecArgs{}, fault.NotFound, "no connector serves", ""},
		{"a server that begins alike", infoFor("v1", "https://one.example.com.evil.tld", ""), wire.KubernetesExecArgs{}, fault.NotFound, "no connector serves", ""},
		{"plain HTTP", infoFor("v1", "http://one.example.com", ""), wire.KubernetesExecArgs{}, fault.Invalid, "plain HTTP", ""},
		{"another cluster behind the address", infoFor("v1", "https://one.example.com", otherAuthority), wire.KubernetesExecArgs{}, fault.Denied, "it is another cluster", "certificate_authority"},
		{"two connectors", infoFor("v1", "https://twin.example.com", clusterAuthority), wire.KubernetesExecArgs{}, fault.Ambiguous, "twin1, twin2", "svcconn login kubectl --connector twin1"},
		{"two connectors by name", "", wire.KubernetesExecArgs{Cluster: "twin"}, fault.Ambiguous, "twin1, twin2", "--connector"},
		{"unknown connector", "", wire.KubernetesExecArgs{Connector: "nobody"}, fault.NotFound, "nobody", ""},
		{"unknown cluster", "", wire.KubernetesExecArgs{Cluster: "nowhere"}, fault.NotFound, "no connector is known to reach", "list-resources"},
		{"another cluster of the connector", "", wire.KubernetesExecArgs{Connector: "one", Cluster: "twin"}, fault.Invalid, `only reaches the kubernetes-cluster "one"`, ""},
		{"a connector of registries", "", wire.KubernetesExecArgs{Connector: "hub"}, fault.Invalid, "docker-registry", ""},
	} {
		_, err := w.exec(tc.info, tc.args)
		if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) || !strings.Contains(fault.HintOf(err), tc.hint) {
			t.Errorf("%s: %v (%s), hint %q", tc.name, err, fault.KindOf(err), fault.HintOf(err))
		} else if strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%s: the error repeats the variable: %v", tc.name, err)
		}
	}
	if service.mints.Load() != 0 {
		t.Errorf("%d mints", service.mints.Load())
	}
}

func TestWhatNeedsAPersonIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	w, service := startClusters(t)
	w.cluster("one", "one", "https://one.example.com", "with_token")
	var needed error = fault.New(fault.NeedsPerson, "login required").Hint("svcconn verify one")
	service.fails.Store(&needed)
	interactive := strings.Replace(infoFor("v1", "", ""), `"interactive":false`, `"interactive":true`, 1)
	for _, info := range []string{"", infoFor("v1", "", ""), interactive} {
		if _, err := w.exec(info, wire.KubernetesExecArgs{Connector: "one"}); !fault.Is(err, fault.NeedsPerson) || fault.HintOf(err) != "svcconn verify one" {
			t.Errorf("%s: %v, hint %q", info, err, fault.HintOf(err))
		}
	}
}

// The parent of this process asks all the time here, as kubectl does after a 401.
func TestARejectedCredentialIsReplacedOnce(t *testing.T) {
	t.Parallel()
	w, service := startClusters(t)
	w.cluster("one", "one", "https://one.example.com", "with_token")
	var given []string
	for range 7 {
		answer, err := w.exec(infoFor("v1", "", ""), wire.KubernetesExecArgs{Connector: "one"})
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, answer.Body.Reveal())
	}
	if given[0] == given[1] || given[1] != given[6] || service.mints.Load() != 2 {
		t.Errorf("%d mints for seven runs, want 2; the second answer differs: %t", service.mints.Load(), given[0] != given[1])
	}
}

func TestARejectedCredentialIsBetterThanNone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind   fault.Kind
		served bool
	}{{fault.Unavailable, true}, {fault.NeedsPerson, false}, {fault.Denied, false}} {
		w, service := startClusters(t)
		w.cluster("one", "one", "https://one.example.com", "with_token")
		args := wire.KubernetesExecArgs{Connector: "one"}
		if _, err := w.exec("", args); err != nil {
			t.Fatal(err)
		}
		var failure error = fault.New(tc.kind, "no")
		service.fails.Store(&failure)
		if _, err := w.exec("", args); (err == nil) != tc.served || err != nil && !fault.Is(err, tc.kind) {
			t.Errorf("a new mint is %s: %v", tc.kind, err)
		}
	}
}

func TestConcurrentPluginsCauseOneMint(t *testing.T) {
	t.Parallel()
	w, service := startClusters(t)
	w.cluster("one", "one", "https://one.example.com", "with_token")
	located, err := w.broker.LocateCluster(t.Context(), "https://one.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 300 { // of as many commands; this process has one parent alone
		wg.Go(func() {
			if _, err := w.broker.CredentialFor(t.Context(), located, broker.Request{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := service.mints.Load(); got != 1 {
		t.Errorf("%d mints", got)
	}
}

func TestExpirationIsNeverInThePast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 900_000_000, time.UTC)
	for left, want := range map[time.Duration]string{
		15 * time.Minute: "12:13:30", 10 * time.Minute: "12:09:00", 20 * time.Second: "12:00:10", 2 * time.Second: "12:00:01", 50 * time.Millisecond: "12:00:01",
		30*time.Second + 200*time.Millisecond: "12:00:01",
	} {
		expires := now.Add(left)
		margin := map[bool]time.Duration{true: left / 10, false: 30 * time.Second}[left > 5*time.Minute]
		grant := broker.Grant{Credential: connector.KubernetesAuth{Expires: expires}, Until: expires.Add(-margin)}
		got := expiration(grant, now)
		if got.Format(time.TimeOnly) != want {
			t.Errorf("%s left: %s, want %s", left, got.Format(time.TimeOnly), want)
		}
	}
	if expiration(broker.Grant{Credential: connector.KubernetesAuth{}}, now) != nil {
		t.Error("what never expires has an expiry")
	}
}

// Whatever is in the variable, it is read or refused without being repeated.
func FuzzExecInfo(f *testing.F) {
	f.Add(infoFor("v1", "https://one.example.com", clusterAuthority))
	f.Add(infoFor("v1beta1", "", ""))
	f.Add(infoFor("v1alpha1", "", ""))
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":7}}}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		info, err := parseExecInfo(text)
		if err == nil && info.apiVersion != execV1 && info.apiVersion != execV1beta1 {
			t.Fatalf("version %q is taken", info.apiVersion)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || fault.HintOf(err) == "" || len(err.Error()) > 1000) {
			t.Fatalf("%v (%s)", err, fault.KindOf(err))
		}
	})
}
