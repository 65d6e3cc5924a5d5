package gcp

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

var tokenField = field.Secret{
	Name: "token", Title: "access token", Required: true, Check: checkToken,
	Help: "An access token, such as `gcloud auth print-access-token` prints.",
}

func tokenMethod() method {
	return method{open: openToken, AuthMethod: connector.AuthMethod{
		Name: methodToken, Title: "access token",
		Doc: `Hands out an access token that was got elsewhere, as it is. Nothing can renew it: when it is over, an hour after it was got at the latest, the connector needs a new one (svcconn update). Google says until when it is good and whose it is. One that Google tells nothing of is refused: tokens that are narrowed to a bucket already, and those of federated identities, which have methods of their own.

Prefer a method that gets its tokens by itself. It takes no expiration.`,
		Fields: field.Set{tokenField},
	}}
}

func openToken(c *clients, settings connector.Settings) (source, error) {
	return &givenToken{c: c, text: tokenField.Get(settings.Values)}, nil
}

// givenToken is a token that was got elsewhere.
type givenToken struct {
	c    *clients
	text secret.Text
}

// relevant implements source: the token is what it is.
func (*givenToken) relevant(purpose) purpose { return purpose{} }

// identity implements source.
func (*givenToken) identity() identity { return identity{} }

// token asks until when the token is good.
func (g *givenToken) token(ctx context.Context, _ purpose) (token, error) {
	info, err := g.c.tokenInfo(ctx, g.text)
	if a := refusal(err); a != nil && (a.code == "invalid_token" || a.status == http.StatusBadRequest) {
		return token{}, fault.New(fault.Denied, "the token has expired, was revoked, or is of a kind that Google tells nothing of: %w", err).
			Hint("give the connector a new one: gcloud auth print-access-token | svcconn update NAME --set %s=-", tokenField.Name)
	}
	if err != nil {
		return token{}, err
	}
	if info.expires().IsZero() {
		return token{}, unknownEnd()
	}
	return token{text: g.text, expires: info.expires(), principal: info.owner()}, nil
}

func unknownEnd() error {
	return fault.New(fault.Failed, "%s does not say until when the token is good", oauthAPI.title).
		Hint("check the field %s, and the proxy if there is one: something else may answer there", endpointOAuth.Name)
}

// checkToken refuses a token that was damaged on its way.
func checkToken(text secret.Text) error {
	if strings.ContainsFunc(text.Reveal(), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return fault.New(fault.Invalid, "it has white space or control characters in it").Hint("it has to be the token alone, in one piece")
	}
	return nil
}
