package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// What the field login_flow chooses from.
const (
	flowBrowser = "browser"
	flowDevice  = "device"
)

// The fields of a person's login through svcconn.
var (
	clientIDField = field.String{
		Name: "client_id", Title: "OAuth client", Example: "1234-abcd.apps.googleusercontent.com",
		Help: "The id of an OAuth client of your own, of the type Desktop app (or TV, for login_flow=device), for a login through svcconn. The Google Cloud console makes them, in APIs & Services.",
	}
	clientSecretField = field.Secret{
		Name: "client_secret", Title: "secret of the OAuth client",
		Help: "The secret of the OAuth client. Google gives one to clients of the type Desktop app, and asks for it.",
	}
	loginFlowField = field.String{
		Name: "login_flow", Title: "way to log in", Default: flowBrowser, Choices: []string{flowBrowser, flowDevice},
		Help: "How a person logs in: browser in the browser of this machine, or of another one where none can be opened here; device with a code that is typed in on any machine. " +
			"Google lets device logins have few scopes, and cloud-platform is not among them: they need login_scopes.",
	}
	loginScopesField = field.List{
		Name: "login_scopes", Title: "scopes", Default: "openid,https://www.googleapis.com/auth/cloud-platform,https://www.googleapis.com/auth/userinfo.email",
		Example: "openid,https://www.googleapis.com/auth/devstorage.read_only", Check: checkScope,
		Help: "What the login may be used for. Tokens are never good for more.",
	}
	loginHintField = field.String{
		Name: "login_hint", Title: "account", Example: "jane@example.com",
		Help: "The account that the login page proposes, where the browser knows several.",
	}
	refreshTokenField = field.Secret{
		Name: "refresh_token", Title: "refresh token",
		Help: "Filled by a login, and replaced whenever Google replaces it.",
	}
)

func userAccountMethod() method {
	return method{open: openUserAccount, AuthMethod: connector.AuthMethod{
		Name: methodUserAccount, Title: "user account",
		Doc: `Logs in as a person. A refresh token, kept in the secret store, gets tokens of an hour; Google decides about their lifetime, and the method takes no expiration. They have all rights of the person.

Either user_account_json has a login that was made elsewhere: the file that ` + "`gcloud auth application-default login`" + ` writes, of a Google account or of a workforce pool. When it is revoked, or the organisation wants the person to log in again, the connector needs a new one (svcconn update).

Or the person logs in through svcconn, with an OAuth client of your own in client_id and client_secret: once, in the browser (authorization code with PKCE), which comes back to a port of this machine. Where no browser can be opened, the page can be opened on any machine, and the address that it ends at is pasted. When the login is no longer good, gcloud, docker and kubectl say so, and ` + "`svcconn verify NAME`" + ` logs in again. The login ends after five minutes.

With generate_temporary_tokens=false, consumers that ask for the key file get the login itself.`,
		Fields: field.Set{
			userJSONField, clientIDField, clientSecretField, loginFlowField, loginScopesField, loginHintField, refreshTokenField, temporaryField,
		},
		Temporary: true, Renews: hasOwnLogin,
	}}
}

// hasOwnLogin reports whether a person logs in through svcconn.
func hasOwnLogin(values field.Values) bool { return clientIDField.Get(values) != "" }

func openUserAccount(c *clients, settings connector.Settings) (source, error) {
	v := settings.Values
	given := userJSONField.Get(v)
	switch own := hasOwnLogin(v); {
	case own && !given.IsEmpty():
		return nil, fault.New(fault.Invalid, "both %s and %s are given, and the login is one of them", userJSONField.Name, clientIDField.Name).
			Hint("leave out, or --unset, the one that it is not")
	case own:
		return newUserLogin(c), nil
	case given.IsEmpty():
		return nil, fault.New(fault.Invalid, "auth method %s has no login", methodUserAccount).
			Hint("give one that was made elsewhere, --set %s=@%s, or the OAuth client to log in with, --set %s=ID --set %s=@FILE",
				userJSONField.Name, usualGcloudFolder(c.host.Home).adc(), clientIDField.Name, clientSecretField.Name)
	case !clientSecretField.Get(v).IsEmpty() || !refreshTokenField.Get(v).IsEmpty():
		return nil, fault.New(fault.Invalid, "%s and %s are of a login through svcconn, and %s is one that was made elsewhere", clientSecretField.Name, refreshTokenField.Name, userJSONField.Name).
			Hint("leave them out, or --unset them")
	}
	return openFile(c, "field "+userJSONField.Name, given, fileUser, fileExternalUser)
}

var scopeForm = field.Lazily(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749, section 3.3

func checkScope(text string) (string, error) {
	if !scopeForm.MatchString(text) {
		return "", fault.New(fault.Invalid, "it is no scope: a scope has no spaces and no quotes").
			Hint("scopes are separated by commas, and look like https://www.googleapis.com/auth/cloud-platform")
	}
	return text, nil
}
