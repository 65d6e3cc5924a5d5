package aws

import (
	"context"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The names of the auth methods.
const (
	methodImplicit        = "implicit"
	methodSecretKey       = "secret-key"
	methodSTSToken        = "sts-token"
	methodRole            = "iam-role"
	methodSessionToken    = "session-token"
	methodFederationToken = "federation-token"
	methodWebIdentity     = "web-identity"
	methodSSO             = "sso"
)

// method is an auth method: what it says of itself, and how it is opened.
type method struct {
	// AuthMethod has the method's own fields; the common ones are put behind them.
	connector.AuthMethod
	// open checks what no field can check alone. It asks nobody and runs nothing.
	open func(c *clients, settings connector.Settings) (source, error)
}

// methods lists the auth methods in the order of their documentation.
func methods() []method {
	return []method{
		roleMethod(),
		ssoMethod(),
		webIdentityMethod(),
		sessionTokenMethod(),
		federationTokenMethod(),
		stsTokenMethod(),
		secretKeyMethod(),
		implicitMethod(),
	}
}

// source is an opened auth method: where keys come from. It belongs to one session,
// honours ctx and is safe for concurrent use. It keeps nothing that it minted: the
// session does.
type source interface {
	keys(ctx context.Context, want purpose) (keys, error)
	// relevant is a purpose without what makes no difference to the source, so that keys
	// are got once for purposes that are alike to it.
	relevant(want purpose) purpose
}

// purpose is what keys are for.
type purpose struct {
	// scope is the session policy for the one resource and access that the keys are for,
	// JSON; "" where there is none to say. Sources that can scope keys do so, unless the
	// connector has a policy of its own. Others ignore it.
	scope string
	// own says that the keys are for this session's own questions (who are we, what is
	// there) and are never handed out: what scope says need not be enforced, but a source
	// whose keys have no rights without a policy needs it.
	own bool
	// lifetime is what was asked for, within the method's bounds; 0 is its default.
	lifetime time.Duration
}

// keys sign requests.
type keys struct {
	id      string
	secret  secret.Text
	token   secret.Text // empty for long-lived keys
	expires time.Time   // as whoever issued them said; zero is never
	account string      // where whoever issued them said it
}

// renewing is implemented by sources whose secret fields change by being used: see
// connector.Renewing.
type renewing interface {
	renewed() map[string]secret.Text
}

// rightless is implemented by sources whose keys may have no rights unless they are scoped
// to a resource; the error says so.
type rightless interface{ rightless() error }

// declaredMethods is the auth methods as the connector type declares them.
func declaredMethods() []connector.AuthMethod {
	var out []connector.AuthMethod
	for _, m := range methods() {
		m.Fields = slices.Concat(m.Fields, commonFields())
		out = append(out, m.AuthMethod)
	}
	return out
}

// login opens the auth method of the settings.
func login(c *clients, settings connector.Settings) (source, error) {
	i := slices.IndexFunc(methods(), func(m method) bool { return m.Name == settings.Method.Name })
	if i < 0 {
		return nil, fault.New(fault.Invalid, "connector type %s has no auth method %q", typeName, settings.Method.Name)
	}
	return methods()[i].open(c, settings)
}

// The fields of long-lived keys, which several methods have.
var (
	accessKeyField = field.String{
		Name: "aws_access_key_id", Title: "access key id", Required: true, Example: "AKIAIOSFODNN7EXAMPLE", Check: checkAccessKey,
		Help: "The access key's id. It is not a secret: it names the key, and shows in the audit logs of AWS.",
	}
	secretKeyField = field.Secret{
		Name: "aws_secret_access_key", Title: "secret access key", Required: true, Check: checkUnbroken,
		Help: "The access key's secret.",
	}
)
