package agent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

func TestFormatsOfClusterCredentials(t *testing.T) {
	t.Parallel()
	w, _ := startClusters(t)
	w.cluster("tokens", "one", "https://one.example.com", "with_token")
	w.cluster("pairs", "two", "https://two.example.com", "with_pair")
	w.register("hub", dockerType, "docker.io")
	for _, tc := range []struct{ connector, format, want, err string }{
		{"tokens", FormatToken, "token-1-" + canary + "\n", ""},
		{"tokens", FormatJSON, `"server": "https://one.example.com"`, ""},
		{"tokens", FormatExec, `"apiVersion":"client.authentication.k8s.io/v1"`, ""},
		{"tokens", FormatRedacted, `"token":"[redacted]"`, ""},
		{"tokens", FormatEnv, "", "no variable of the environment"},
		{"tokens", FormatDocker, "", "cannot be shown as docker"},
		{"pairs", FormatToken, "", "a client certificate, not a token"},
		{"pairs", FormatJSON, `"client_key": "key-` + canary + `"`, ""},
		{"pairs", FormatRedacted, `"client_key":"[redacted]"`, ""},
		{"hub", FormatExec, "", "cannot be shown as exec-credential"},
	} {
		answer, err := w.client(nil).Call(t.Context(), wire.GetCredential, wire.CredentialArgs{Connector: tc.connector, Format: tc.format}, secret.Text{})
		if tc.err != "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s as %s: %v, want %q", tc.connector, tc.format, err, tc.err)
			}
			continue
		}
		body := answer.Body.Reveal()
		if err != nil || !strings.Contains(body, tc.want) {
			t.Errorf("%s as %s: %v, %d bytes without %q", tc.connector, tc.format, err, len(body), tc.want)
		}
		if tc.format == FormatRedacted && strings.Contains(body, canary) {
			t.Errorf("%s: the description has the secret", tc.connector)
		}
	}
}

func TestExplainTellsClustersFromRegistries(t *testing.T) {
	t.Parallel()
	w, _ := startClusters(t)
	w.cluster("one", "prod", "https://one.example.com", "with_token")
	w.register("hub", dockerType, "docker.io")
	for _, tc := range []struct{ subject, resourceType, wantType, address, connector string }{
		{"https://ONE.example.com:443/", "", broker.KubernetesCluster, "https://one.example.com", "one"},
		{"prod", "", broker.KubernetesCluster, "prod", "one"},
		{"https://index.docker.io/v1/", "", broker.DockerRegistry, "docker.io", "hub"},
		{"https://nowhere.example.com", broker.KubernetesCluster, broker.KubernetesCluster, "https://nowhere.example.com", ""},
	} {
		answer, err := w.client(nil).Call(t.Context(), wire.Explain, wire.ExplainArgs{Subject: tc.subject, ResourceType: tc.resourceType}, secret.Text{})
		if err != nil {
			t.Errorf("%s: %v", tc.subject, err)
			continue
		}
		var x wire.Explanation
		if err := json.Unmarshal(answer.Data, &x); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{tc.wantType, tc.address, tc.connector}, []string{x.ResourceType, x.Address, x.Connector}); diff != "" {
			t.Errorf("%s: %s", tc.subject, diff)
		}
	}
}
