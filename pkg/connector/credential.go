package connector

import (
	"time"

	"github.com/svcconn/svcconn/pkg/secret"
)

// Credential is what is presented to a resource. It is a closed sum: its
// implementations are the types of this file, whichever connector type minted it.
type Credential interface {
	// Expiry is when the service stops honouring it, as the service stated it and
	// never later than the credential that signed or obtained it. Zero is never.
	Expiry() time.Time

	credential()
}

// RegistryLogin logs in to an OCI registry, for docker and its like.
type RegistryLogin struct {
	Registry string // canonical host, with port where it is not 443
	Username string // IdentityTokenUser where Secret is an OAuth2 refresh token
	Secret   secret.Text
	Expires  time.Time
}

// IdentityTokenUser is the user name that marks a registry login's secret as an
// OAuth2 refresh token (docker's credential-helper protocol).
const IdentityTokenUser = "<token>"

// Expiry implements Credential.
func (l RegistryLogin) Expiry() time.Time { return l.Expires }

func (RegistryLogin) credential() {}

// KubernetesAuth proves who we are to the API server of a cluster: by a token, by a
// client certificate, or by both.
type KubernetesAuth struct {
	Endpoint KubernetesEndpoint
	Token    secret.Text
	// ClientCertificate and ClientKey are PEM; both or neither.
	ClientCertificate string
	ClientKey         secret.Text
	Expires           time.Time
}

// KubernetesEndpoint is how the API server of a cluster is reached: what a kubeconfig
// says of a cluster.
type KubernetesEndpoint struct {
	Cluster              string // the resource name
	Context              string // what the service's own tool calls its context; "" is the resource name
	Server               string // https URL
	CertificateAuthority string // PEM; "" trusts the system's
	TLSServerName        string
	ProxyURL             string
	Insecure             bool // no verification of the server's certificate
}

// Expiry implements Credential.
func (a KubernetesAuth) Expiry() time.Time { return a.Expires }

func (KubernetesAuth) credential() {}

// AWSKeys sign requests to AWS and to what speaks its protocols.
type AWSKeys struct {
	AccessKeyID     string
	SecretAccessKey secret.Text
	SessionToken    secret.Text // empty for keys that do not expire
	Account         string      // twelve digits; "" where nobody said
	Region          string      // where the resource is
	Expires         time.Time
}

// Expiry implements Credential.
func (k AWSKeys) Expiry() time.Time { return k.Expires }

func (AWSKeys) credential() {}

// AccessToken is an OAuth 2.0 bearer token for the APIs of a cloud.
type AccessToken struct {
	Token     secret.Text
	Principal string // whom it makes us: an e-mail address, a principal; "" where nobody said
	Project   string // that the connector is for; "" where the cloud has none
	// QuotaProject is the project that requests are billed to where that is not Project's
	// own matter; "" leaves it to the service.
	QuotaProject string
	Universe     string // the domain of the APIs: "googleapis.com"
	Expires      time.Time
}

// Expiry implements Credential.
func (t AccessToken) Expiry() time.Time { return t.Expires }

func (AccessToken) credential() {}

// KeyFile is the long-lived secret of a connector itself, as the file that SDKs read. It
// is for who asked for it by Request.KeyFile, and for nobody else.
type KeyFile struct {
	JSON      secret.Text
	Principal string // whom it makes us; "" where it does not say
	Project   string
	Expires   time.Time // zero: it has no end of its own
}

// Expiry implements Credential.
func (f KeyFile) Expiry() time.Time { return f.Expires }

func (KeyFile) credential() {}

// Bounded returns the credential with an expiry no later than limit; the zero limit
// bounds nothing.
func Bounded(c Credential, limit time.Time) Credential {
	if limit.IsZero() || !c.Expiry().IsZero() && c.Expiry().Before(limit) {
		return c
	}
	switch c := c.(type) {
	case RegistryLogin:
		c.Expires = limit
		return c
	case KubernetesAuth:
		c.Expires = limit
		return c
	case AWSKeys:
		c.Expires = limit
		return c
	case AccessToken:
		c.Expires = limit
		return c
	case KeyFile:
		c.Expires = limit
		return c
	}
	return c
}
