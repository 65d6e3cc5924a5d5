package gcp

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
	methodImplicit       = "implicit"
	methodUserAccount    = "user-account"
	methodServiceAccount = "service-account"
	methodExternal       = "external-account"
	methodToken          = "oauth2-token"
	methodImpersonation  = "impersonation"
)

// method is an auth method: what it says of itself, and how it is opened.
type method struct {
	// AuthMethod has the method's own fields; the common ones are put behind them.
	connector.AuthMethod
	// tellsProject says that the project may be left out: what the method logs in with
	// tells it.
	tellsProject bool
	// open checks what no field can check alone. It asks nobody and runs nothing.
	open func(c *clients, settings connector.Settings) (source, error)
}

// methods lists the auth methods in the order of their documentation.
func methods() []method {
	return []method{
		impersonationMethod(),
		externalMethod(),
		userAccountMethod(),
		serviceAccountMethod(),
		tokenMethod(),
		implicitMethod(),
	}
}

// source is an opened auth method: where tokens come from. It belongs to one session,
// honours ctx and is safe for concurrent use. It keeps nothing that it minted: the
// session does.
type source interface {
	token(ctx context.Context, want purpose) (token, error)
	// relevant is a purpose without what makes no difference to the source, so that a token
	// is got once for purposes that are alike to it.
	relevant(want purpose) purpose
	// identity is what the source knows of itself without asking anybody.
	identity() identity
}

// identity is whose tokens a source gives.
type identity struct {
	principal string // an e-mail address; "" where only the service knows
	project   string // "" where what it logs in with does not tell
	quota     string // the project that requests are billed to; "" where it does not tell
	universe  string // "" is that of the fields
}

// purpose is what a token is for. Its values are compared: alike purposes share a token.
type purpose struct {
	// scope is the OAuth scopes, separated by spaces; "" is scopeCloud. Sources that cannot
	// narrow a token ignore it.
	scope string
	// lifetime is what was asked for, within the method's bounds; 0 is its default.
	lifetime time.Duration
}

// token is an access token.
type token struct {
	text      secret.Text
	expires   time.Time // as whoever issued it said; zero is unknown
	principal string    // where whoever issued it said it
}

// keyed is implemented by sources that have a long-lived secret that can be handed out as
// a file of Google's SDKs. The error says why not.
type keyed interface {
	keyFile() (secret.Text, error)
}

// renewing is implemented by sources whose secret fields change by being used: see
// connector.Renewing.
type renewing interface {
	renewed() map[string]secret.Text
}

// declaredMethods is the auth methods as the connector type declares them.
func declaredMethods() []connector.AuthMethod {
	var out []connector.AuthMethod
	for _, m := range methods() {
		m.Fields = slices.Concat(m.Fields, commonFields(m.tellsProject))
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
