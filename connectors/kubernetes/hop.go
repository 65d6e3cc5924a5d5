package kubernetes

import (
	"github.com/svcconn/svcconn/pkg/hop"
)

// advice is what a person can do about an API server or issuer that gives no answer.
var advice = &hop.Advice{
	Late:        "try again; if it stays away, check its address, the network and the proxy",
	Unreachable: "check its address, the network and the proxy",
	Proxy:       "check proxy_url, or the proxy in svcconn's environment (HTTPS_PROXY, NO_PROXY)",
	Plain:       "check its port",
	Alert:       "if it refuses the client certificate, give the one that belongs to this cluster; else check tls_server_name",
	WrongName:   "use an address that its certificate has, or say which name it has: --set tls_server_name=NAME",
	Expired:     "check this machine's clock; if it is right, the server needs a new certificate",
	Untrusted: "give the certificate of the authority that signed it: --set certificate_authority=@ca.pem\n" +
		"--set insecure=true trusts any certificate, and whoever is on the way can then take the credentials",
	Unusable: "check its address, and the proxy if there is one",
}

// service is a service on the way to a credential, as errors name it: "API server
// https://kube.example.com".
func service(name string) hop.Hop { return hop.Hop{Name: name, Advice: advice} }
