package broker

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registry"
)

// The fake connector type of one cluster.
var (
	clusterName = field.String{Name: "cluster_name", Title: "Name", Help: "The cluster's name.", Required: true}
	server      = field.String{Name: "server", Title: "Server", Help: "Its server.", Required: true}
	authority   = field.String{Name: "authority", Title: "Authority", Help: "Whom it trusts."}
)

func clusterType(c *cloud) *connector.Type {
	return &connector.Type{
		Name: "cluster", Title: "Cluster", Doc: "One cluster.",
		Methods: []connector.AuthMethod{{Name: "password", Title: "Password", Doc: "A password.", Fields: field.Set{clusterName, server, authority, password}}},
		Resources: []connector.ResourceType{{
			Name: KubernetesCluster, Title: "Cluster", Doc: "A cluster.", Parse: parse, Default: clusterName.Get,
			Endpoint: func(s connector.Settings) (connector.KubernetesEndpoint, bool) {
				return connector.KubernetesEndpoint{Cluster: clusterName.Get(s.Values), Server: server.Get(s.Values), CertificateAuthority: authority.Get(s.Values)}, true
			},
		}},
		Open: c.open,
	}
}

// certificate is a certificate as far as locating looks into it.
func certificate(text string) string {
	return fmt.Sprintf("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", base64.StdEncoding.EncodeToString([]byte(text)))
}

func (w *world) cluster(name, cluster, url, authority string) Verification {
	w.t.Helper()
	fields := map[string]string{"cluster_name": cluster, "server": url}
	if authority != "" {
		fields["authority"] = strings.TrimSpace(authority)
	}
	v, err := w.Register(w.t.Context(), draft(name, "cluster", fields), false)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestLocateCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster("plain", "prod", "https://kube.example.com:6443", "")
	w.cluster("path", "c-1", "https://rancher.example.com/k8s/clusters/c-1", certificate("rancher"))
	w.cluster("six", "six", "https://[0::1]:6443/", certificate("six"))
	w.cluster("kind", "kind", "https://127.0.0.1:6443", certificate("kind"))
	w.cluster("k3d", "k3d", "https://127.0.0.1:6443", certificate("k3d")+certificate("k3d, next year"))
	w.cluster("open1", "open", "https://open.example.com", "")
	w.cluster("open2", "open", "https://open.example.com:443/", "")
	w.cluster("sure", "half", "https://half.example.com", certificate("half"))
	w.cluster("unsure", "half", "https://half.example.com", "")
	pinned := w.cluster("pinned", "p", "https://pinned.example.com", certificate("pinned"))
	w.cluster("other", "p", "https://pinned.example.com", certificate("pinned"))
	if err := w.Pin(t.Context(), registry.Pin{ResourceType: KubernetesCluster, Address: "https://pinned.example.com", Connector: pinned.Connector.ID, ResourceName: "p"}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		server, authority, connector string
		kind                         fault.Kind
	}{
		{"https://kube.example.com:6443", "", "plain", ""},
		{"https://Kube.Example.com.:6443/", certificate("whatever"), "plain", ""},
		{"https://kube.example.com", "", "", ""},
		{"https://kube.example.com:6443/k8s", "", "", ""},
		{"https://kube.example.com.evil.tld:6443", "", "", ""},
		{"https://evil-kube.example.com:6443", "", "", ""},
		{"https://rancher.example.com/k8s/clusters/c-1/", "", "path", ""},
		{"https://rancher.example.com/k8s/clusters/c-2", "", "", ""},
		{"https://rancher.example.com", "", "", ""},
		{"https://[::1]:6443", certificate("six"), "six", ""},
		{"https://[::1]:6443", certificate("another"), "", fault.Denied},
		{"https://127.0.0.1:6443", certificate("kind"), "kind", ""},
		{"https://127.0.0.1:6443", "a comment\n" + certificate("another") + certificate("k3d, next year"), "k3d", ""},
		{"https://127.0.0.1:6443", "", "", fault.Ambiguous},
		{"https://127.0.0.1:6443", certificate("minikube"), "", fault.Denied},
		{"https://open.example.com", certificate("whatever"), "", fault.Ambiguous},
		{"https://half.example.com", certificate("half"), "sure", ""},
		{"https://half.example.com", certificate("another"), "unsure", ""},
		{"https://half.example.com", "", "", fault.Ambiguous},
		{"https://pinned.example.com", "", "pinned", ""},
		{"https://pinned.example.com", certificate("another"), "", fault.Denied},
		{"https://pinned.example.com/below", "", "", ""},
		{"http://kube.example.com:6443", "", "", fault.Invalid},
		{"prod", "", "plain", ""},
		{"half", "", "", fault.Ambiguous},
		{"nowhere", "", "", ""},
	} {
		located, err := w.LocateCluster(t.Context(), tc.server, tc.authority)
		if fault.KindOf(err) != tc.kind {
			t.Errorf("%s: error %v, want kind %q", tc.server, err, tc.kind)
			continue
		}
		if (located == nil) != (tc.connector == "") || located != nil && located.Connector.Name != tc.connector {
			t.Errorf("%s: %+v, want %q", tc.server, located, tc.connector)
		}
	}
	_, err := w.Locate(t.Context(), KubernetesCluster, "https://open.example.com")
	if !strings.Contains(err.Error(), "open1, open2") || !strings.Contains(fault.HintOf(err), "svcconn login kubectl --connector open1") {
		t.Errorf("error %v, hint %q: it names neither both nor the command that settles it", err, fault.HintOf(err))
	}
	located, err := w.Locate(t.Context(), KubernetesCluster, "prod")
	if err != nil {
		t.Fatal(err)
	}
	if endpoint, ok := located.Endpoint(); !ok || endpoint.Server != "https://kube.example.com:6443" {
		t.Errorf("endpoint %+v, %t", endpoint, ok)
	}
}

func TestABrokenConnectorIsNotAnUnknownCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster("prod", "prod", "https://kube.example.com:6443", "")
	file := filepath.Join(w.dirs.Config, "connectors", "prod.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "type =", "tpye =", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if located, err := w.LocateCluster(t.Context(), "https://kube.example.com:6443", ""); err == nil {
		t.Errorf("located %v without an error although the connector is broken", located)
	}
	if located, err := w.LocateCluster(t.Context(), "https://other.example.com:6443", ""); located != nil || err != nil {
		t.Errorf("another cluster: %v, %v", located, err)
	}
}

func TestExplainCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster("prod", "prod", "https://kube.example.com:6443", certificate("prod"))
	w.cluster("test", "test", "https://test.example.com:6443", "")
	for _, address := range []string{"https://KUBE.example.com:6443", "prod"} {
		x, err := w.Explain(t.Context(), KubernetesCluster, address, "")
		if err != nil || x.Failure() != nil || x.Located == nil || len(x.Candidates) != 2 || x.Candidates[0] != (Candidate{"prod", true, "its cluster prod is at https://kube.example.com:6443"}) || x.Candidates[1].Serves {
			t.Errorf("%s: %+v, %v", address, x, err)
		}
	}
	x, err := w.Explain(t.Context(), KubernetesCluster, "https://nowhere.example.com", "")
	if err != nil || !fault.Is(x.Failure(), fault.NotFound) || x.Candidates[0].Serves {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestARejectedCredentialIsMintedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.one("hub", "registry.example.com")
	first, err := w.Credential(t.Context(), Request{Connector: "hub"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		next, err := w.Credential(t.Context(), Request{Connector: "hub", Rejected: first.Serial})
		if err != nil || next.Serial <= first.Serial {
			t.Errorf("serial %d past %d, %v", next.Serial, first.Serial, err)
		}
	}
	if got := w.cloud.mints.Load(); got != 2 {
		t.Errorf("%d mints, want 2", got)
	}
}
