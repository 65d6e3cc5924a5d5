package aws

import (
	"context"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// roleBounds are the lifetimes of a role's keys. A role has a maximum of its own between
// one hour, as it is made, and these 12.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var roleBounds = connector.TTLBounds{Min: 15 * time.Minute, Default: time.Hour, Max: 12 * time.Hour}

// chainedMost is the most that AWS grants to a role that is assumed with the keys of
// another.
const chainedMost = time.Hour

// onTheWay is the lifetime of keys that are not handed out: the least that AWS grants.
const onTheWay = 15 * time.Minute

func roleMethod() method {
	return method{open: openRole, AuthMethod: connector.AuthMethod{
		Name: methodRole, Title: "IAM role",
		Doc: `Assumes an IAM role with an access key, and hands out the role's temporary keys. Prefer it to all others where there is an access key: the keys are scoped to the bucket, repository or cluster that they are for, by a session policy, and the access key never leaves the secret store. The user of the access key needs no more than the right to assume the role (sts:AssumeRole).

The keys live for an hour unless --expiration asks for something else, between 15 minutes and 12 hours: at most what the role has as its maximum session duration, which is one hour unless somebody raised it, and at most one hour behind a role_chain.

Roles that want to be assumed with multi-factor authentication need the field mfa_serial. A person is then asked for a code once in mfa_lifetime, not for every mint.`,
		Fields:    slices.Concat(field.Set{accessKeyField, secretKeyField, baseTokenField}, roleFields(roleField), mfaFields()),
		Temporary: true, Lifetime: roleBounds, Renews: hasMFA,
	}}
}

func openRole(c *clients, settings connector.Settings) (source, error) {
	base, err := openUser(c, settings.Values)
	if err != nil {
		return nil, err
	}
	return assumed(c, base, settings)
}

// assumed puts the roles that the fields name on top of a source: the first is assumed
// with the source's keys, each further one with those of the role before it. Without
// role_arn it is the source itself, and fields that would be about roles are refused.
// What base renews, the result renews.
func assumed(c *clients, base source, settings connector.Settings) (source, error) {
	if furtherRoleField.Get(settings.Values) == "" {
		return base, withoutRole(settings.Values)
	}
	way, err := wayOf(c, settings, false)
	if err != nil {
		return nil, err
	}
	first := func(ctx context.Context, a assumption) (keys, error) {
		k, err := base.keys(ctx, base.relevant(purpose{own: true}))
		if err != nil {
			return keys{}, err
		}
		return c.assume(ctx, k, a)
	}
	return &roleSource{c: c, way: way, base: base, first: first}, nil
}

// withoutRole refuses what makes no difference where there is no role.
func withoutRole(values field.Values) error {
	for _, f := range roleFields(furtherRoleField)[1:] {
		if info := f.Info(); values.Has(info.Name) && values.Plain()[info.Name] != any(info.Default) {
			return fault.New(fault.Invalid, "field %s is about a role, and no role is named", info.Name).
				Hint("name it with --set %s=ARN, or leave %s out", furtherRoleField.Name, info.Name)
		}
	}
	return nil
}

// roleSource gets keys of a role, the last of its way.
type roleSource struct {
	c    *clients
	way  *way
	base source // nil where the first role is assumed with a web identity
	// first gets the keys of the first role.
	first func(ctx context.Context, a assumption) (keys, error)
}

// relevant drops what makes no difference: a connector's own policy stands in for those
// that scope, and the session's own questions are asked with whatever the role may do.
func (r *roleSource) relevant(want purpose) purpose {
	switch {
	case want.own:
		return purpose{own: true}
	case r.way.bounds.any():
		want.scope = ""
	}
	return want
}

// keys assumes one role after the other.
func (r *roleSource) keys(ctx context.Context, want purpose) (keys, error) {
	steps, err := r.way.steps(r.relevant(want))
	if err != nil {
		return keys{}, err
	}
	k, err := r.first(ctx, steps[0])
	for _, step := range steps[1:] {
		if err != nil {
			break
		}
		k, err = r.c.assume(ctx, k, step)
	}
	return k, err
}

// renewed implements renewing.
func (r *roleSource) renewed() map[string]secret.Text {
	if base, ok := r.base.(renewing); ok {
		return base.renewed()
	}
	return nil
}

// assumption is one role, and what it is told when it is assumed.
type assumption struct {
	role           string // its ARN
	sessionName    string
	lifetime       time.Duration // whole seconds
	externalID     string
	sourceIdentity string
	tags           []tag
	transitive     []string // keys of tags
	policy         string   // JSON
	policyARNs     []string
}

// assume assumes a role with keys.
func (c *clients) assume(ctx context.Context, k keys, a assumption) (keys, error) {
	out, err := c.sts(k).AssumeRole(ctx, &awssts.AssumeRoleInput{
		RoleArn: &a.role, RoleSessionName: &a.sessionName, DurationSeconds: seconds(a.lifetime),
		ExternalId: optional(a.externalID), SourceIdentity: optional(a.sourceIdentity),
		Tags: sdkTags(a.tags), TransitiveTagKeys: a.transitive,
		Policy: optional(a.policy), PolicyArns: sdkPolicies(a.policyARNs),
	})
	if err != nil {
		return keys{}, fault.Within(c.failed(ctx, "STS", err), "role %s", a.role)
	}
	return issued(out.Credentials, roleUser(out.AssumedRoleUser))
}

// issued is the keys that STS answers with. arn is whose they are; "" where it does not
// say.
func issued(made *types.Credentials, arn string) (keys, error) {
	if made == nil || value(made.AccessKeyId) == "" || value(made.SecretAccessKey) == "" || value(made.SessionToken) == "" || made.Expiration == nil {
		return keys{}, fault.New(fault.Failed, "STS answers without keys").
			Hint("check the fields %s and %s: what is there may not be STS", endpointSTS.Name, endpointField.Name)
	}
	return keys{
		id: *made.AccessKeyId, secret: secret.New(*made.SecretAccessKey), token: secret.New(*made.SessionToken),
		expires: *made.Expiration, account: accountOf(arn),
	}, nil
}

func roleUser(user *types.AssumedRoleUser) string {
	if user == nil {
		return ""
	}
	return value(user.Arn)
}

// scrubbed takes out of an error what was presented to the service.
func scrubbed(err error, sent ...secret.Text) error {
	return reworded(err, func(words string) string { return hop.Scrubbed(words, sent...) })
}

// reworded is an error with other words, and without what it wraps.
func reworded(err error, reword func(string) string) error {
	words, hint := reword(err.Error()), reword(fault.HintOf(err))
	if words == err.Error() && hint == fault.HintOf(err) {
		return err
	}
	other := fault.New(fault.KindOf(err), "%s", words)
	if hint == "" {
		return other
	}
	return other.Hint("%s", hint)
}

func seconds(d time.Duration) *int32 { return awssdk.Int32(int32(d / time.Second)) }

// optional is a parameter that is left out where there is nothing to say.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func sdkTags(tags []tag) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: &t.key, Value: &t.value})
	}
	return out
}

func sdkPolicies(arns []string) []types.PolicyDescriptorType {
	var out []types.PolicyDescriptorType
	for _, arn := range arns {
		out = append(out, types.PolicyDescriptorType{Arn: &arn})
	}
	return out
}
