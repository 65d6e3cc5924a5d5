package aws

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/sso/types"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// identityCenter is the service as errors name it.
const identityCenter = "IAM Identity Center"

// The fields of auth method sso.
var (
	ssoStartURL = field.String{
		Name: "sso_start_url", Title: "start URL", Required: true, Example: "https://d-1234567890.awsapps.com/start", Check: checkStartURL,
		Help: "The address of the AWS access portal of your organisation, or the issuer URL of IAM Identity Center.",
	}
	ssoRegion = field.String{
		Name: "sso_region", Title: "region of IAM Identity Center", Required: true, Example: "eu-central-1", Check: checkRegion,
		Help: "The region that IAM Identity Center is in. It may be another one than the connector's.",
	}
	ssoAccount = field.String{
		Name: "sso_account_id", Title: "account of the permission set", Required: true, Example: "123456789012", Check: checkAccount,
		Help: "The account to log in to, one of those that the access portal shows.",
	}
	ssoRole = field.String{
		Name: "sso_role_name", Title: "permission set", Required: true, Example: "Developer",
		Help: "The permission set to log in with, as the access portal names it beside the account.",
	}
	ssoScopes = field.List{
		Name: "sso_registration_scopes", Title: "scopes", Default: "sso:account:access", Example: "sso:account:access",
		Help: "What the login may be used for. Without sso:account:access there is no refresh token, and a person has to log in again whenever a token ends.",
	}
	ssoKept = field.Secret{
		Name: "sso_token", Title: "token",
		Help: "Filled by a login, and replaced whenever IAM Identity Center replaces it.",
	}
)

func ssoMethod() method {
	return method{open: openSSO, AuthMethod: connector.AuthMethod{
		Name: methodSSO, Title: identityCenter,
		Doc: `A person logs in to IAM Identity Center (AWS SSO): once, in the browser, where a code is confirmed. From then on a refresh token, kept in the secret store, gets the keys of a permission set without anybody's help, until the session that the organisation grants is over. Only then is the person needed again: docker, kubectl and aws then say so, and ` + "`svcconn verify NAME`" + ` logs in. The AWS CLI's own login is neither used nor changed.

The keys have the rights of the permission set, and its session duration. With role_arn they are those of a further role, and are scoped to the bucket, repository or cluster that they are for; --expiration is about that role.`,
		Fields:    slices.Concat(field.Set{ssoStartURL, ssoRegion, ssoAccount, ssoRole, ssoScopes, ssoKept}, roleFields(furtherRoleField)),
		Temporary: true, Lifetime: roleBounds, Renews: func(field.Values) bool { return true },
	}}
}

func checkStartURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "", fault.New(fault.Invalid, "it is not the address of a portal").Hint("it looks like https://d-1234567890.awsapps.com/start")
	case u.User != nil:
		return "", fault.New(fault.Invalid, "it has a user name or password, which do not belong there")
	case !safePage(u):
		return "", fault.New(fault.Invalid, "the portal is not reached by https")
	}
	return text, nil
}

// safePage reports whether a page is of HTTPS, or of plain HTTP on this machine.
func safePage(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && registryname.Loopback(u.Hostname())
}

func openSSO(c *clients, settings connector.Settings) (source, error) {
	v := settings.Values
	own, account := accountField.Get(v), ssoAccount.Get(v)
	switch alone := furtherRoleField.Get(v) == ""; {
	case alone && own != "" && own != account:
		return nil, fault.New(fault.Invalid, "the login is for account %s, and the connector for account %s", account, own).
			Hint("if the account shall change: --set %s=%s", accountField.Name, account)
	case alone && settings.Expiration != 0:
		return nil, unaskable("the permission set")
	}
	base := &ssoSource{
		c: c, values: v, pause: hop.Pause, turn: make(chan struct{}, 1),
		token: readSSOToken(ssoKept.Get(v)).of(ssoStartURL.Get(v), ssoRegion.Get(v)),
	}
	return assumed(c, base, settings)
}

// unaskable is the error for a lifetime that somebody else decides about.
func unaskable(who string) error {
	return fault.New(fault.Invalid, "%s decides about the lifetime of its keys; it cannot be asked for", who).
		Hint("leave the expiration out, or name a role in %s to assume with them", furtherRoleField.Name)
}

// ssoSource is auth method sso at work.
type ssoSource struct {
	c      *clients
	values field.Values
	pause  func(context.Context, time.Duration) error

	// turn is held by whoever is at work, so that one session refreshes or logs in once
	// for all who wait. It guards what follows.
	turn  chan struct{}
	token ssoToken
}

// relevant implements source: the keys are the same for everything.
func (s *ssoSource) relevant(want purpose) purpose { return purpose{lifetime: want.lifetime} }

// keys gets the keys of the permission set. A token that is refused although it should
// have been good is replaced, once.
func (s *ssoSource) keys(ctx context.Context, want purpose) (keys, error) {
	if want.lifetime != 0 {
		return keys{}, unaskable("the permission set")
	}
	token, err := s.access(ctx, secret.Text{})
	if err != nil {
		return keys{}, err
	}
	k, gone, err := s.c.permissionSet(ctx, s.place(), token)
	if !gone {
		return k, err
	}
	if token, err = s.access(ctx, token); err != nil {
		return keys{}, err
	}
	k, _, err = s.c.permissionSet(ctx, s.place(), token)
	return k, err
}

func (s *ssoSource) place() ssoPlace {
	return ssoPlace{startURL: ssoStartURL.Get(s.values), region: ssoRegion.Get(s.values), account: ssoAccount.Get(s.values), role: ssoRole.Get(s.values)}
}

// permissionSet gets the keys of a permission set. gone says that the token is not, or no
// longer, one that IAM Identity Center honours.
func (c *clients) permissionSet(ctx context.Context, p ssoPlace, token secret.Text) (k keys, gone bool, err error) {
	bearer := token.Reveal()
	out, err := c.sso(p.region).GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: &bearer, AccountId: &p.account, RoleName: &p.role})
	var refused *types.UnauthorizedException
	switch {
	case errors.As(err, &refused):
		return keys{}, true, scrubbed(c.failed(ctx, identityCenter, err), token)
	case err != nil:
		err = fault.Within(scrubbed(c.failed(ctx, identityCenter, err), token), "permission set %s of account %s", p.role, p.account)
		return keys{}, false, fault.WithHint(err, "`aws sso login` and the access portal at %s show what you may log in to", p.startURL)
	}
	made := out.RoleCredentials
	if made == nil || value(made.AccessKeyId) == "" || value(made.SecretAccessKey) == "" || value(made.SessionToken) == "" || made.Expiration == 0 {
		return keys{}, false, fault.New(fault.Failed, "%s answers without keys", identityCenter)
	}
	return keys{
		id: *made.AccessKeyId, secret: secret.New(*made.SecretAccessKey), token: secret.New(*made.SessionToken),
		expires: time.UnixMilli(made.Expiration), account: p.account,
	}, false, nil
}

// renewed implements renewing.
func (s *ssoSource) renewed() map[string]secret.Text {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.token.access.IsEmpty() && s.token.refresh.IsEmpty() || s.token.text().Equal(ssoKept.Get(s.values)) {
		return nil
	}
	return map[string]secret.Text{ssoKept.Name: s.token.text()}
}
