package gcp

import (
	"cmp"
	"context"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

func serviceAccountMethod() method {
	return method{open: openServiceAccount, tellsProject: true, AuthMethod: connector.AuthMethod{
		Name: methodServiceAccount, Title: "service account",
		Doc: `Logs in with a key of a service account. The key stays in the secret store; what is handed out are tokens of an hour, which Google gives for it.

A key is good until somebody deletes it in IAM, for whoever has it. Prefer impersonation or external-account, which need none. A registered key can be deleted where it was downloaded to.

Google decides about the lifetime of the tokens: the method takes no expiration. With generate_temporary_tokens=false, consumers that ask for the key file get it.`,
		Fields:    field.Set{requiredFile(serviceJSONField), temporaryField},
		Temporary: true,
	}}
}

func openServiceAccount(c *clients, settings connector.Settings) (source, error) {
	return openFile(c, "field "+serviceJSONField.Name, serviceJSONField.Get(settings.Values), fileService)
}

// serviceKey is a file of the kind service_account.
type serviceKey struct {
	Email    string `json:"client_email"`
	Key      hidden `json:"private_key"`
	ID       string `json:"private_key_id"`
	TokenURI string `json:"token_uri"`
	Project  string `json:"project_id"`
	Universe string `json:"universe_domain"`
}

func readServiceKey(f credentialFile) (serviceKey, error) {
	var k serviceKey
	if err := decode([]byte(f.text.Reveal()), &k); err != nil {
		return serviceKey{}, err
	}
	if err := complete(needed{"private_key", k.Key.IsEmpty()}, needed{"client_email", k.Email == ""}); err != nil {
		return serviceKey{}, err
	}
	switch {
	case !emailForm.MatchString(k.Email):
		return serviceKey{}, fault.New(fault.Invalid, "its key client_email is not an e-mail address").Hint("give the whole file, as it was made")
	case !keyIDForm.MatchString(k.ID):
		return serviceKey{}, fault.New(fault.Invalid, "its key private_key_id is not the id of a key").Hint("give the whole file, as it was made")
	}
	if err := cmp.Or(checkTokenAddress("token_uri", k.TokenURI), checkUniverse(k.Universe)); err != nil {
		return serviceKey{}, err
	}
	return k, checkPrivateKey(k.Key.Text)
}

// keyIDForm is of what shows in errors: ids are 40 digits of hexadecimal, or those of
// another cloud of Google's.
var keyIDForm = field.Lazily(`^[\w-]{0,100}$`)

// serviceAccount gets tokens for a key.
type serviceAccount struct {
	c    *clients
	key  serviceKey
	file secret.Text
}

var _ keyed = (*serviceAccount)(nil)

func openServiceKey(c *clients, f credentialFile) (source, error) {
	key, err := readServiceKey(f)
	if err != nil {
		return nil, err
	}
	return &serviceAccount{c: c, key: key, file: f.text}, nil
}

// relevant implements source: the lifetime is Google's to decide.
func (s *serviceAccount) relevant(want purpose) purpose { return purpose{scope: want.scope} }

// identity implements source.
func (s *serviceAccount) identity() identity {
	return identity{principal: s.key.Email, project: s.key.Project, universe: s.key.Universe}
}

// token exchanges an assertion that the key signed, at the address that the key names.
// That there is one proves that the key is that of the account.
func (s *serviceAccount) token(ctx context.Context, want purpose) (token, error) {
	config := jwt.Config{
		Email: s.key.Email, PrivateKey: []byte(s.key.Key.Reveal()), PrivateKeyID: s.key.ID,
		Scopes: strings.Fields(want.scope), TokenURL: cmp.Or(s.key.TokenURI, s.c.tokenAddress()),
	}
	t, err := s.c.fetch(ctx, oauthAPI, func(ctx context.Context) (*oauth2.Token, error) { return config.TokenSource(ctx).Token() }, s.key.Key.Text)
	if err != nil {
		return token{}, ofKey(err, s.key.ID, s.key.Email)
	}
	t.principal = s.key.Email
	return t, nil
}

// keyFile implements keyed.
func (s *serviceAccount) keyFile() (secret.Text, error) { return s.file, nil }

// tokenAddress is where the authorization server gives tokens, where a file does not say.
func (c *clients) tokenAddress() string { return c.address(oauthAPI) + "/token" }
