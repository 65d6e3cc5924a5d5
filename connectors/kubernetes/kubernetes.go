// Package kubernetes is the connector type for one Kubernetes cluster that is reached
// through its API server.
//
// It hands out what is stored where there is nothing better, and short-lived tokens and
// certificates where the cluster, an identity provider or another credential plugin
// makes them. Who we are is the API server's own answer. It refuses to send credentials
// in the clear, to another place than the one registered, or after a redirect, and to
// hand out what has expired.
package kubernetes

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

const (
	typeName     = "kubernetes"
	resourceName = "kubernetes-cluster"
)

// The fields of the cluster, which all auth methods have.
var (
	server = field.String{
		Name: "server", Title: "API server", Required: true, Example: "https://kube.example.com:6443",
		Help: "The https address of the API server, as a kubeconfig has it, with port and path where there are any. " +
			"Plain http is refused, even on this machine: client-go never runs a credential plugin for it.",
		Check: connector.ServerURL,
	}
	clusterName = field.String{
		Name: "cluster_name", Title: "cluster name", Required: true, Example: "production",
		Help: "What the cluster is called: the name of the resource, and of the entries in a kubeconfig. " +
			"Any name without spaces; it does not have to be one that the cluster knows.",
		Check: canonicalName,
	}
	authority = field.String{
		Name: "certificate_authority", Title: "certificate authority",
		Help: "The certificate, or several, of the certificate authority that signed the API server's certificate, as PEM or as base64 of PEM: " +
			"--set certificate_authority=@ca.pem. They take the place of those of the system, as in a kubeconfig.",
		Check: canonicalCertificates,
	}
	insecure = field.Bool{
		Name: "insecure", Title: "insecure server",
		Help: "Accept whatever TLS certificate the server shows, in svcconn and in the clients that are logged in: " +
			"anyone on the way can then take the credentials. It goes with no certificate_authority.",
	}
	tlsServerName = field.String{
		Name: "tls_server_name", Title: "name in the server's certificate", Example: "kubernetes.default.svc",
		Help:  "The name that the API server's certificate is for, where that is not the host of its address.",
		Check: checkHost,
	}
	proxyURL = field.String{
		Name: "proxy_url", Title: "proxy", Example: "socks5://127.0.0.1:1080",
		Help:  "The proxy to reach the API server through, an http, https or socks5 URL. It takes the place of the environment's HTTPS_PROXY.",
		Check: checkProxy,
	}
)

func clusterFields() field.Set {
	return field.Set{server, clusterName, authority, insecure, tlsServerName, proxyURL}
}

// Type is the connector type. The value is new at every call and never changes.
func Type() *connector.Type {
	return &connector.Type{
		Name:      typeName,
		Title:     "Kubernetes Service Connector",
		Icon:      "🌀",
		Doc:       typeDoc,
		Methods:   declared(),
		Resources: []connector.ResourceType{clusterResource()},
		Detect:    detect,
		Open:      open,
	}
}

const typeDoc = `The Kubernetes service connector logs in to one cluster, whoever runs it: a managed one, one of your own, kind, k3d, minikube. kubectl, helm and every other client-go program get its credentials from kubectl-svcconn whenever they need them, and nothing secret is left in a kubeconfig.

Where svcconn has a connector type for the cloud that runs the cluster, prefer that. Otherwise prefer an auth method whose credentials expire: service-account and client-certificate-request make short-lived ones even from a plain cluster.

Verifying asks the API server who we are. Servers before 1.27 cannot tell; then it is said that the credentials are accepted, and whose they claim to be.

Auto-configuration takes over contexts of a kubeconfig: of all files that KUBECONFIG names, or of ~/.kube/config. Certificates and tokens that are in files of their own are read; an exec stanza becomes auth method exec. A token that expires within a day is left alone, since nothing could renew it. These fields steer it:

* context: the context to take, rather than the current one; * is all of them.
* config: the only file to look in.`

func clusterResource() connector.ResourceType {
	return connector.ResourceType{
		Name:  resourceName,
		Title: "Kubernetes cluster",
		Icon:  "🌀",
		Doc: `Allows kubectl and all other Kubernetes clients to reach a cluster, with what its access control grants the identity of the connector.

A connector reaches one cluster. Its resource name is the field cluster_name, as it is written there.`,
		Formats: []string{"the field cluster_name, as in production"},
		Permissions: []string{
			"create on selfsubjectreviews (granted to everyone by default), to verify",
			"create on serviceaccounts/token, for auth method service-account",
			"create, get and delete on certificatesigningrequests, for auth method client-certificate-request; " +
				"also update on certificatesigningrequests/approval, and approve on signers kubernetes.io/kube-apiserver-client, if it is to approve its own",
		},
		Parse:   func(_ field.Values, name string) (string, error) { return canonicalName(name) },
		Default: clusterName.Get,
		Serves:  serves,
		Endpoint: func(settings connector.Settings) (connector.KubernetesEndpoint, bool) {
			return endpointOf(settings.Values), true
		},
	}
}

// endpointOf reads the fields of the cluster.
func endpointOf(values field.Values) connector.KubernetesEndpoint {
	return connector.KubernetesEndpoint{
		Cluster:              clusterName.Get(values),
		Server:               server.Get(values),
		CertificateAuthority: authority.Get(values),
		TLSServerName:        tlsServerName.Get(values),
		ProxyURL:             proxyURL.Get(values),
		Insecure:             insecure.Get(values),
	}
}

// serves compares whole addresses in their canonical form.
func serves(settings connector.Settings, address string) (string, bool) {
	canonical, err := connector.ServerURL(address)
	if err != nil || canonical != server.Get(settings.Values) {
		return "", false
	}
	return clusterName.Get(settings.Values), true
}
