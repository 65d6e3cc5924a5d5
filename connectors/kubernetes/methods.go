package kubernetes

import (
	"context"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The names of the auth methods.
const (
	methodToken              = "token"
	methodPassword           = "password"
	methodServiceAccount     = "service-account"
	methodCertificateRequest = "client-certificate-request"
	methodOIDC               = "oidc"
	methodExec               = "exec"
)

// method is an auth method: what it says of itself, and how it is opened.
type method struct {
	// AuthMethod has the method's own fields; those of the cluster are put in front.
	connector.AuthMethod
	// open checks what no field can check alone. It asks nobody and runs nothing.
	open func(host connector.Host, settings connector.Settings) (authenticator, error)
}

// methods lists the auth methods in the order of their documentation.
func methods() []method {
	return []method{
		tokenMethod(),
		passwordMethod(),
		serviceAccountMethod(),
		certificateRequestMethod(),
		oidcMethod(),
		execMethod(),
	}
}

// authenticator is an opened auth method: it belongs to one session, honours ctx and
// is safe for concurrent use.
type authenticator interface {
	// prove returns what is presented to the API server. lifetime is what was asked for
	// and is within the method's bounds; 0 is the method's default.
	//
	// The session takes care of what all have in common: that a token or certificate
	// which tells its own end is not handed out for longer, or after that.
	prove(ctx context.Context, c *client, lifetime time.Duration) (proof, error)
}

// verifying is implemented by authenticators whose login is verified otherwise than by
// asking the API server who the bearer of prove's proof is.
type verifying interface {
	verify(ctx context.Context, c *client) (connector.Identity, error)
}

// renewing is implemented by authenticators whose secret fields change by being used:
// see connector.Renewing.
type renewing interface {
	renewed() map[string]secret.Text
}

// proof is what a client presents to an API server: a token, a certificate, or both.
type proof struct {
	token       secret.Text
	certificate string // PEM
	key         secret.Text
	expires     time.Time // as whoever issued it said; zero where nobody did

	// username and password are presented by auth method password alone, which mints
	// nothing.
	username string
	password secret.Text
}

// declared is the auth methods as the connector type declares them.
func declared() []connector.AuthMethod {
	var out []connector.AuthMethod
	for _, m := range methods() {
		m.Fields = slices.Concat(clusterFields(), m.Fields)
		out = append(out, m.AuthMethod)
	}
	return out
}

// login opens the auth method of the settings.
func login(host connector.Host, settings connector.Settings) (authenticator, error) {
	i := slices.IndexFunc(methods(), func(m method) bool { return m.Name == settings.Method.Name })
	if i < 0 {
		return nil, fault.New(fault.Invalid, "connector type %s has no auth method %q", typeName, settings.Method.Name)
	}
	return methods()[i].open(host, settings)
}
