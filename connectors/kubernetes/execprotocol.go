package kubernetes

import (
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// execCredential is an ExecCredential, which v1 and v1beta1 write in the same way:
// https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
type execCredential struct {
	Kind       string      `json:"kind"`
	APIVersion string      `json:"apiVersion"`
	Spec       execSpec    `json:"spec"`
	Status     *execStatus `json:"status,omitempty"`
}

type execSpec struct {
	Interactive bool         `json:"interactive"`
	Cluster     *execCluster `json:"cluster,omitempty"`
}

type execCluster struct {
	Server        string `json:"server"`
	TLSServerName string `json:"tls-server-name,omitempty"`
	Insecure      bool   `json:"insecure-skip-tls-verify,omitempty"`
	Authority     []byte `json:"certificate-authority-data,omitempty"`
	ProxyURL      string `json:"proxy-url,omitempty"`
}

type execStatus struct {
	Expires     *string `json:"expirationTimestamp"`
	Token       string  `json:"token"`
	Certificate string  `json:"clientCertificateData"`
	Key         string  `json:"clientKeyData"`
}

const execKind = "ExecCredential"

// info is what the plugin is told: nobody is there, and which cluster it is for if it
// wants to know.
func (p *plugin) info(at connector.KubernetesEndpoint) (string, error) {
	out := execCredential{Kind: execKind, APIVersion: p.apiVersion}
	if p.clusterInfo {
		out.Spec.Cluster = &execCluster{
			Server: at.Server, TLSServerName: at.TLSServerName, Insecure: at.Insecure,
			Authority: []byte(at.CertificateAuthority), ProxyURL: at.ProxyURL,
		}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// read reads the plugin's answer, as strictly as client-go does. Nothing of it is
// repeated in errors.
func (p *plugin) read(stdout []byte, now time.Time) (proof, error) {
	var answer execCredential
	if len(stdout) > maxBody {
		return proof{}, p.wrong("is far too long")
	}
	if err := json.Unmarshal(stdout, &answer); err != nil {
		return proof{}, p.wrong("is not JSON")
	}
	switch status := answer.Status; {
	case answer.Kind != execKind:
		return proof{}, p.wrong("is not an " + execKind)
	case answer.APIVersion != p.apiVersion:
		return proof{}, fault.New(fault.Failed, "%s answers in version %s, and %s was asked for", p, hop.OneLine(answer.APIVersion), p.apiVersion).
			Hint("ask for what it speaks: svcconn update NAME --set api_version=v1beta1, or v1")
	case status == nil:
		return proof{}, p.wrong("has no status")
	case status.Token == "" && status.Certificate == "" && status.Key == "":
		return proof{}, p.wrong("has neither a token nor a client certificate")
	case (status.Certificate == "") != (status.Key == ""):
		return proof{}, p.wrong("has a client certificate without a key, or the other way round")
	}
	return p.proofOf(*answer.Status, now)
}

func (p *plugin) proofOf(status execStatus, now time.Time) (proof, error) {
	out := proof{token: secret.New(status.Token), certificate: status.Certificate, key: secret.New(status.Key), expires: now.Add(pluginKept)}
	if !out.token.IsEmpty() && checkToken(out.token) != nil {
		return proof{}, p.wrong("has a token with characters that tokens cannot have")
	}
	if out.certificate != "" {
		if _, err := keyPair(out.certificate, out.key); err != nil {
			return proof{}, p.wrong("has a client certificate and a key that do not belong together, or are malformed")
		}
	}
	if status.Expires == nil {
		return out, nil
	}
	at, err := time.Parse(time.RFC3339, *status.Expires)
	if err != nil {
		return proof{}, p.wrong("has an expirationTimestamp that is no time")
	}
	if !at.After(now) {
		return proof{}, fault.New(fault.Failed, "%s hands out a credential that expired at %s", p, at.UTC().Format(time.RFC3339)).
			Hint("compare this machine's clock with the service's; if the plugin keeps credentials itself, clear what it keeps")
	}
	out.expires = at
	return out, nil
}

func (p *plugin) wrong(what string) error {
	return fault.New(fault.Failed, "what %s printed %s", p, what).
		Hint("run %s by hand: it must print an ExecCredential, and nothing else, on stdout", p.command)
}
