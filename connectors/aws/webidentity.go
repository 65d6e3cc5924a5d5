package aws

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The fields of auth method web-identity.
var (
	tokenFileField = field.String{
		Name: "web_identity_token_file", Title: "file of the token", Example: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token", Check: checkAbsolute,
		Help: "The file that has the token, an absolute path. It is read for every mint, so whoever writes it may renew it.",
	}
	tokenCommandField = field.String{
		Name: "web_identity_token_command", Title: "command that prints the token", Example: "gcloud auth print-identity-token --audiences=sts.amazonaws.com", Check: checkCommand,
		Help: "A command that prints the token, run for every mint, for a minute at most. There is no shell: words are split at white space, " +
			"quotes keep them together, and nothing is expanded. It is stored in plain text.",
	}
	tokenField = field.Secret{
		Name: "web_identity_token", Title: "token", Check: checkWebToken,
		Help: "The token itself, where it is good for long, or a reference to it: --reference --set web_identity_token=env:NAME.",
	}
)

func webIdentityMethod() method {
	return method{open: openWebIdentity, AuthMethod: connector.AuthMethod{
		Name: methodWebIdentity, Title: "web identity",
		Doc: `Assumes an IAM role with the token of an OpenID Connect issuer that the role trusts (sts:AssumeRoleWithWebIdentity): of a cluster's service account, a build server or another cloud. No access key of AWS exists that could be lost. Prefer it to all others where there is such a token. The keys are scoped to the bucket, repository or cluster that they are for, by a session policy.

The token is in a file, printed by a command, or given; exactly one of them.

The keys live for an hour unless --expiration asks for something else, between 15 minutes and 12 hours: at most what the role has as its maximum session duration, and at most one hour behind a role_chain. With one, the first of its roles is assumed with the token. Session tags, an external id and a source identity cannot be sent with a token: a role behind the first can have them.`,
		Fields:    slices.Concat(field.Set{tokenFileField, tokenCommandField, tokenField}, roleFields(roleField)),
		Temporary: true, Lifetime: roleBounds,
		Reads: tokenFiles,
	}}
}

// tokenFiles is the file that tells whose the token is, where there is one.
func tokenFiles(_ connector.Host, values field.Values) []string {
	if path := tokenFileField.Get(values); path != "" {
		return []string{path}
	}
	return nil
}

func openWebIdentity(c *clients, settings connector.Settings) (source, error) {
	token, err := webTokenOf(c)
	if err != nil {
		return nil, err
	}
	return assumedByToken(c, token, settings)
}

// webToken is where the token of a web identity comes from.
type webToken struct {
	place string // "the file /run/token", for hints
	get   func(ctx context.Context) (secret.Text, error)
}

// webTokenOf reads from the fields where the token comes from.
func webTokenOf(c *clients) (webToken, error) {
	var all []webToken
	if path := tokenFileField.Get(c.values); path != "" {
		all = append(all, webTokenIn(path))
	}
	if command := tokenCommandField.Get(c.values); command != "" {
		words, err := hop.SplitWords(command)
		if err != nil {
			return webToken{}, err
		}
		all = append(all, webToken{"the program " + words[0], func(ctx context.Context) (secret.Text, error) { return c.printedToken(ctx, words) }})
	}
	if given := tokenField.Get(c.values); !given.IsEmpty() {
		all = append(all, webToken{"the field " + tokenField.Name, func(context.Context) (secret.Text, error) { return given, nil }})
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return webToken{}, fault.New(fault.Invalid, "auth method %s has no token", methodWebIdentity).
			Hint("say where it comes from: --set %s=PATH, --set %s=COMMAND or --set %s=@FILE", tokenFileField.Name, tokenCommandField.Name, tokenField.Name)
	}
	return webToken{}, fault.New(fault.Invalid, "several of the fields %s, %s and %s are given, and the token comes from one of them", tokenFileField.Name, tokenCommandField.Name, tokenField.Name).
		Hint("leave out, or --unset, all but one")
}

// webTokenIn is a token in a file, which is read whenever it is needed.
func webTokenIn(path string) webToken {
	return webToken{"the file " + path, func(context.Context) (secret.Text, error) { return tokenInFile(path) }}
}

// assumedByToken is assumed for roles of which the first is assumed with the token of a
// web identity.
func assumedByToken(c *clients, token webToken, settings connector.Settings) (source, error) {
	way, err := wayOf(c, settings, true)
	if err != nil {
		return nil, err
	}
	return &roleSource{c: c, way: way, first: func(ctx context.Context, a assumption) (keys, error) { return c.exchange(ctx, token, a) }}, nil
}

// exchange assumes a role with a token of now. The call is not signed, and has no room
// for tags, an external id and a source identity.
func (c *clients) exchange(ctx context.Context, from webToken, a assumption) (keys, error) {
	token, err := from.get(ctx)
	if err != nil {
		return keys{}, err
	}
	out, err := c.sts(keys{}).AssumeRoleWithWebIdentity(ctx, &awssts.AssumeRoleWithWebIdentityInput{
		RoleArn: &a.role, RoleSessionName: &a.sessionName, DurationSeconds: seconds(a.lifetime),
		Policy: optional(a.policy), PolicyArns: sdkPolicies(a.policyARNs),
		WebIdentityToken: awssdk.String(token.Reveal()),
	})
	if err != nil {
		return keys{}, fault.Within(c.hiding(token).tokenRefused(ctx, from, err), "role %s", a.role)
	}
	return issued(out.Credentials, roleUser(out.AssumedRoleUser))
}

// hiding is the clients whose errors do not show a token either that is in none of the
// connector's fields.
func (c *clients) hiding(token secret.Text) *clients {
	inner := *c
	inner.values = c.values.Clone()
	inner.values.SetSecret(tokenField.Name, token)
	return &inner
}

// tokenRefused tells where a token that is over was taken from: nobody can give the
// connector a new one.
func (c *clients) tokenRefused(ctx context.Context, from webToken, err error) error {
	said := c.failed(ctx, "STS", err)
	var answer smithy.APIError
	if !errors.As(err, &answer) || answer.ErrorCode() != (&types.ExpiredTokenException{}).ErrorCode() {
		return said
	}
	return fault.New(fault.KindOf(said), "%w", said).Hint("the token comes from %s: see to it that there is a current one", from.place)
}

// longestWebToken is what STS takes, in bytes.
const longestWebToken = 20_000

func tokenInFile(path string) (secret.Text, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > longestWebToken) {
		return secret.Text{}, fault.New(fault.Invalid, "%s is not a file of a token", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return secret.Text{}, fault.New(fault.Failed, "the web identity token cannot be read: %w", err).
			Hint("name the file with --set %s=PATH", tokenFileField.Name)
	}
	return webTokenFrom(raw, path)
}

func (c *clients) printedToken(ctx context.Context, words []string) (secret.Text, error) {
	raw, err := answerOf(ctx, c.host, words)
	if err != nil {
		return secret.Text{}, err
	}
	return webTokenFrom(raw, "what the program "+words[0]+" prints")
}

func webTokenFrom(raw []byte, where string) (secret.Text, error) {
	token := secret.New(strings.TrimSpace(string(raw)))
	return token, fault.Within(checkWebToken(token), "%s", where)
}

func checkWebToken(token secret.Text) error {
	switch n := token.Len(); {
	case n < 4 || n > longestWebToken:
		return fault.New(fault.Invalid, "it is no token: it has %d characters", n)
	case strings.ContainsFunc(token.Reveal(), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return fault.New(fault.Invalid, "it is no token: it has white space or control characters in it").Hint("it has to be the token alone")
	}
	return nil
}

func checkAbsolute(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fault.New(fault.Invalid, "the path %q is relative, and nobody knows to what", path).Hint("give the absolute path")
	}
	return filepath.Clean(path), nil
}

func checkCommand(text string) (string, error) {
	words, err := hop.SplitWords(text)
	if err == nil && (len(words) == 0 || words[0] == "") {
		err = fault.New(fault.Invalid, "the command names no program")
	}
	return text, err
}
