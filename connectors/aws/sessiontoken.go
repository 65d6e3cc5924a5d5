package aws

import (
	"context"
	"slices"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// userBounds are the lifetimes of keys that a user gets for himself. Those of the root
// user end after an hour at the latest, which AWS says by itself.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
var userBounds = connector.TTLBounds{Min: 15 * time.Minute, Default: 12 * time.Hour, Max: 36 * time.Hour}

func sessionTokenMethod() method {
	return method{open: openSessionToken, AuthMethod: connector.AuthMethod{
		Name: methodSessionToken, Title: "session token",
		Doc: `Gets temporary keys for the IAM user of an access key (sts:GetSessionToken), which no policy has to allow. The access key never leaves the secret store, but what is handed out has all rights of its user: AWS cannot scope these keys. It keeps them from IAM itself, unless the session was opened with multi-factor authentication, and from STS but for assuming roles.

The keys live for 12 hours unless --expiration asks for something else, between 15 minutes and 36 hours; those of the account's root user for one hour at most. Prefer iam-role where there is a role.

With the field mfa_serial a person is asked for a code, and the keys of that session are what is handed out: how long they live is then said by mfa_lifetime, not by --expiration.`,
		Fields:    slices.Concat(field.Set{accessKeyField, secretKeyField}, mfaFields()),
		Temporary: true, Lifetime: userBounds, Renews: hasMFA,
	}}
}

func openSessionToken(c *clients, settings connector.Settings) (source, error) {
	user, err := openUser(c, settings.Values)
	if err != nil {
		return nil, err
	}
	if hasMFA(settings.Values) {
		if settings.Expiration != 0 {
			return nil, errMFALifetime()
		}
		return user, nil
	}
	return &sessionTokens{c: c, user: user}, nil
}

// errMFALifetime: the keys of an MFA session exist before anyone asks for some.
func errMFALifetime() error {
	return fault.New(fault.Invalid, "the keys are those of the session that the code opened, and live as long as it").
		Hint("leave --expiration out, and say how long with --set %s=DURATION", mfaLifetimeField.Name)
}

// sessionTokens gets keys for a user.
type sessionTokens struct {
	c    *clients
	user source
}

// relevant drops the scope, which AWS has no way to enforce on these keys. The session's
// own questions are asked with keys that can be handed out too.
func (s *sessionTokens) relevant(want purpose) purpose { return purpose{lifetime: want.lifetime} }

func (s *sessionTokens) keys(ctx context.Context, want purpose) (keys, error) {
	user, err := s.user.keys(ctx, purpose{})
	if err != nil {
		return keys{}, err
	}
	lifetime := want.lifetime
	if lifetime == 0 {
		lifetime = userBounds.Default
	}
	return s.c.sessionToken(ctx, user, awssts.GetSessionTokenInput{DurationSeconds: seconds(lifetime)})
}

// sessionToken opens a session for the user whose keys k is.
func (c *clients) sessionToken(ctx context.Context, k keys, in awssts.GetSessionTokenInput) (keys, error) {
	out, err := c.sts(k).GetSessionToken(ctx, &in)
	if err != nil {
		return keys{}, c.failed(ctx, "STS", err)
	}
	return issued(out.Credentials, "")
}
