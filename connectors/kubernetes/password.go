package kubernetes

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fields of auth method password.
var (
	username = field.String{
		Name: "username", Title: "user name", Required: true, Example: "admin",
		Help: "The user to log in as.", Check: checkUsername,
	}
	password = field.Secret{
		Name: "password", Title: "password", Required: true,
		Help: "The user's password.", Check: checkPassword,
	}
)

func checkUsername(text string) (string, error) {
	if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, ":") {
		return "", fault.New(fault.Invalid, "the user name contains a colon or a control character, which logins by HTTP cannot have")
	}
	return text, nil
}

func checkPassword(text secret.Text) error {
	if strings.ContainsFunc(text.Reveal(), unicode.IsControl) {
		return fault.New(fault.Invalid, "the password contains a line break or another control character").
			Hint("leave the line break at its end out, as `printf %%s PASSWORD` does")
	}
	return nil
}

// basic is a login by HTTP basic authentication.
type basic struct{ proof proof }

func passwordLogin(_ connector.Host, settings connector.Settings) (authenticator, error) {
	return basic{proof{username: username.Get(settings.Values), password: password.Get(settings.Values)}}, nil
}

const insteadOfPasswords = "use auth method token, service-account, client-certificate-request, oidc or exec"

// prove implements authenticator: it refuses, since no client could present the login.
func (b basic) prove(context.Context, *client, time.Duration) (proof, error) {
	return proof{}, fault.New(fault.Invalid, "a user name and a password cannot be handed to Kubernetes clients: "+
		"a credential plugin may give them a token or a certificate, and API servers since 1.19 take no passwords").
		Hint(insteadOfPasswords)
}

// verify implements verifying.
func (b basic) verify(ctx context.Context, c *client) (connector.Identity, error) {
	identity, err := c.whoIs(ctx, b.proof)
	if fault.Is(err, fault.Denied) {
		err = fault.New(fault.Denied, "%w (API servers since 1.19 take no user names and passwords)", err).Hint(insteadOfPasswords)
	}
	return identity, err
}

func passwordMethod() method {
	return method{open: passwordLogin, AuthMethod: connector.AuthMethod{
		Name:   methodPassword,
		Title:  "User name and password",
		Fields: field.Set{username, password},
		Doc: `HTTP basic authentication, which API servers before 1.19 took. Current ones refuse it, and verifying says so. It is there so that old connectors can be taken over and looked at; credentials cannot be had from it, since the protocol of credential plugins has no words for a user name and a password.

Use any other auth method.`,
	}}
}
