package aws

import (
	"context"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The session token of keys that are temporary already.
var (
	sessionTokenField = field.Secret{
		Name: "aws_session_token", Title: "session token", Required: true, Check: checkUnbroken,
		Help: "The session token that belongs to the keys.",
	}
	baseTokenField = field.Secret{
		Name: sessionTokenField.Name, Title: sessionTokenField.Title, Check: checkUnbroken,
		Help: "The session token, where the access key is a temporary one. The connector works as long as that does.",
	}
)

func secretKeyMethod() method {
	return method{open: openKeys, AuthMethod: connector.AuthMethod{
		Name: methodSecretKey, Title: "access key",
		Doc: `Hands an access key of an IAM user out as it is, long-lived and with all rights of its user. Whoever gets it has it until somebody deletes it in IAM. Logins of registries and tokens of clusters, which are made with it, are temporary all the same.

Prefer iam-role, or session-token where there is no role. This method is for services that merely speak AWS's protocols and have no STS. It takes no expiration.`,
		Fields: field.Set{accessKeyField, secretKeyField},
	}}
}

func stsTokenMethod() method {
	return method{open: openKeys, AuthMethod: connector.AuthMethod{
		Name: methodSTSToken, Title: "temporary keys",
		Doc: `Hands out temporary keys that were got elsewhere, such as from a console, as they are. Nothing can renew them: when they are over, the connector needs new ones (svcconn update). AWS does not say until when such keys are good, so say it with --expires-at where you know; after that they are not handed out any more.

Prefer a method that gets its keys by itself: sso where the keys came from IAM Identity Center, iam-role where they came from a role. It takes no expiration.`,
		Fields: field.Set{accessKeyField, secretKeyField, sessionTokenField},
	}}
}

// openKeys opens a method that hands out what it was given. When temporary keys end is
// the connector's expires_at, which whoever opens sessions applies.
func openKeys(_ *clients, settings connector.Settings) (source, error) {
	k, err := givenKeys(settings.Values)
	return staticKeys(k), err
}

// longLivedPrefix is what the ids of access keys of IAM users begin with.
const longLivedPrefix = "AKIA"

// givenKeys reads the keys of the fields, and checks that they have a session token if
// and only if they are temporary. Services that merely speak AWS's protocols have other
// ids, which say nothing.
func givenKeys(values field.Values) (keys, error) {
	k := keys{id: accessKeyField.Get(values), secret: secretKeyField.Get(values), token: sessionTokenField.Get(values)}
	switch {
	case strings.HasPrefix(k.id, temporaryPrefix) && k.token.IsEmpty():
		return keys{}, fault.New(fault.Invalid, "the access key %s is a temporary one, and comes without its session token", k.id).
			Hint("keys whose id begins with %s need it: auth method %s has a field for it, %s", temporaryPrefix, methodSTSToken, sessionTokenField.Name)
	case strings.HasPrefix(k.id, longLivedPrefix) && !k.token.IsEmpty():
		return keys{}, fault.New(fault.Invalid, "the access key %s is a long-lived one, and comes with a session token", k.id).
			Hint("the id, the secret and the token have to be of the same keys; temporary ones have an id that begins with %s", temporaryPrefix)
	}
	return k, nil
}

// staticKeys is a source of keys that are handed out as they are.
type staticKeys keys

func (s staticKeys) keys(context.Context, purpose) (keys, error) { return keys(s), nil }

func (staticKeys) relevant(purpose) purpose { return purpose{} }

// checkUnbroken refuses a secret that was damaged on its way.
func checkUnbroken(text secret.Text) error {
	if strings.ContainsFunc(text.Reveal(), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fault.New(fault.Invalid, "it has white space in it").Hint("copy it again, in one piece")
	}
	return nil
}
