package agent

import (
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// ReadCluster takes back what Render made of a cluster's credential in FormatJSON, for
// a front-end that uses it itself.
func ReadCluster(body secret.Text) (connector.KubernetesAuth, error) {
	var in clusterCredential
	if err := json.Unmarshal([]byte(body.Reveal()), &in); err != nil || in.Server == "" {
		return connector.KubernetesAuth{}, unreadable()
	}
	return connector.KubernetesAuth{
		Endpoint: connector.KubernetesEndpoint{
			Cluster: in.Cluster, Context: in.Context, Server: in.Server, CertificateAuthority: in.Authority,
			TLSServerName: in.TLSServerName, ProxyURL: in.ProxyURL, Insecure: in.Insecure,
		},
		Token: secret.New(in.Token), ClientCertificate: in.Certificate, ClientKey: secret.New(in.Key), Expires: moment(in.Expires),
	}, nil
}

// ReadLogin takes back what Render made of a registry login in FormatJSON.
func ReadLogin(body secret.Text) (connector.RegistryLogin, error) {
	var in loginJSON
	if err := json.Unmarshal([]byte(body.Reveal()), &in); err != nil || in.Registry == "" {
		return connector.RegistryLogin{}, unreadable()
	}
	return connector.RegistryLogin{Registry: in.Registry, Username: in.Username, Secret: secret.New(in.Password), Expires: moment(in.Expires)}, nil
}

// unreadable has no cause in its text: a decoder's words could quote a secret.
func unreadable() error {
	return fault.New(fault.Failed, "the agent's answer is malformed").Hint("svcconn agent stop")
}

func moment(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
