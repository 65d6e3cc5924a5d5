package agent

import (
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

func renderCluster(grant broker.Grant, auth connector.KubernetesAuth, format string, now time.Time) (secret.Text, error) {
	switch format {
	case FormatExec:
		return renderExec(grant, execV1, now)
	case FormatToken:
		if auth.Token.IsEmpty() {
			return secret.Text{}, fault.New(fault.Invalid, "the credential for cluster %s is a client certificate, not a token", grant.ResourceName).
				Hint("--format json or --format exec-credential shows it")
		}
		return secret.New(auth.Token.Reveal() + "\n"), nil
	case FormatEnv:
		return secret.Text{}, fault.New(fault.Invalid, "no variable of the environment gives kubectl a credential").
			Hint("point kubectl at svcconn: svcconn login kubectl %s", grant.ResourceName)
	}
	text, err := json.MarshalIndent(clusterJSON(auth), "", "  ")
	return secret.New(string(text) + "\n"), err
}

// clusterCredential is the JSON of a credential for a cluster. What is not there is
// left out.
type clusterCredential struct {
	Cluster       string     `json:"cluster"`
	Context       string     `json:"context,omitempty"`
	Server        string     `json:"server"`
	Authority     string     `json:"certificate_authority,omitempty"`
	TLSServerName string     `json:"tls_server_name,omitempty"`
	ProxyURL      string     `json:"proxy_url,omitempty"`
	Insecure      bool       `json:"insecure,omitempty"`
	Token         string     `json:"token,omitempty"`
	Certificate   string     `json:"client_certificate,omitempty"`
	Key           string     `json:"client_key,omitempty"`
	Expires       *time.Time `json:"expires_at"`
}

func clusterJSON(auth connector.KubernetesAuth) clusterCredential {
	at := auth.Endpoint
	return clusterCredential{
		Cluster: at.Cluster, Context: at.Context, Server: at.Server, Authority: at.CertificateAuthority, TLSServerName: at.TLSServerName,
		ProxyURL: at.ProxyURL, Insecure: at.Insecure,
		Token: auth.Token.Reveal(), Certificate: auth.ClientCertificate, Key: auth.ClientKey.Reveal(), Expires: expiresAt(auth),
	}
}

// describeCluster describes a credential for a cluster, its secrets redacted.
func describeCluster(out map[string]any, auth connector.KubernetesAuth) {
	out["cluster"], out["server"] = auth.Endpoint.Cluster, auth.Endpoint.Server
	if !auth.Token.IsEmpty() {
		out["token"] = auth.Token
	}
	if auth.ClientCertificate != "" {
		out["client_certificate"], out["client_key"] = auth.ClientCertificate, auth.ClientKey
	}
	for name, text := range map[string]string{
		"certificate_authority": auth.Endpoint.CertificateAuthority, "tls_server_name": auth.Endpoint.TLSServerName, "proxy_url": auth.Endpoint.ProxyURL,
	} {
		if text != "" {
			out[name] = text
		}
	}
	if auth.Endpoint.Insecure {
		out["insecure"] = true
	}
}
