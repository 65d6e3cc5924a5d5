package aws

import (
	"context"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

var federatedUserField = field.String{
	Name: "federated_user", Title: "name of the federated user", Default: "svcconn", Example: "${user}", Check: checkUserName,
	Help: "The name of the user that the keys are for, 2 to 32 letters, digits and _+=,.@-: it shows in the audit logs of AWS. " +
		"${user} stands for the user name here, ${time} for the time of the mint.",
}

// federatedTagsField is session_tags without what is about roles.
var federatedTagsField = field.List{
	Name: sessionTagsField.Name, Title: sessionTagsField.Title, Example: sessionTagsField.Example, Check: checkTag,
	Help: "Tags of the session, each KEY=VALUE, separated by commas, 50 at most. Policies can ask for them (aws:PrincipalTag).",
}

func federationTokenMethod() method {
	return method{open: openFederation, AuthMethod: connector.AuthMethod{
		Name: methodFederationToken, Title: "federation token",
		Doc: `Gets temporary keys for a federated user (sts:GetFederationToken), whose rights are those that the user of the access key and a policy have in common. The keys are scoped to the bucket, repository or cluster that they are for, as with iam-role, and no role has to exist; the user of the access key needs all rights that are handed out, and sts:GetFederationToken.

Without a policy such keys have no rights at all. So aws-generic, which is for no resource in particular, needs the field policy or policy_arns. The keys can call neither IAM nor STS.

The keys live for 12 hours unless --expiration asks for something else, between 15 minutes and 36 hours; those of the account's root user for one hour at most. Prefer iam-role where there is a role.`,
		Fields:    field.Set{accessKeyField, secretKeyField, federatedUserField, federatedTagsField, policyField, policyARNsField},
		Temporary: true, Lifetime: userBounds,
	}}
}

// federation gets keys for a federated user.
type federation struct {
	c        *clients
	user     keys
	tags     []tag
	bounds   bounds
	lifetime time.Duration // the connector's own; 0 where it has none
}

func openFederation(c *clients, settings connector.Settings) (source, error) {
	f := &federation{c: c, lifetime: settings.Expiration}
	var err error
	if f.user, err = givenKeys(c.values); err != nil {
		return nil, err
	}
	if f.tags, err = tagsOf(c.values); err != nil {
		return nil, err
	}
	if f.bounds, err = boundsOf(c, accountField.Get(c.values)); err != nil {
		return nil, err
	}
	if settings.ResourceType == genericType {
		if err := f.rightless(); err != nil {
			return nil, err
		}
	}
	_, err = sessionName(c.host, federatedUserField, c.values, longestUserName)
	return f, err
}

// rightless implements the interface of that name.
func (f *federation) rightless() error {
	if f.bounds.any() {
		return nil
	}
	return errNoRights()
}

func errNoRights() error {
	return fault.New(fault.Invalid, "keys of auth method %s have no rights without a policy, and %s has none", methodFederationToken, genericType).
		Hint("say what they may do with --set %s=@policy.json or --set %s=ARN, or use auth method %s", policyField.Name, policyARNsField.Name, methodRole)
}

// relevant keeps the scope even for the session's own questions: keys without one have no
// rights. A policy of the connector's own stands in for it.
func (f *federation) relevant(want purpose) purpose {
	if f.bounds.any() {
		want.scope = ""
	}
	if want.own {
		want.lifetime = 0
	}
	return want
}

func (f *federation) keys(ctx context.Context, want purpose) (keys, error) {
	policy, arns, err := f.bounds.with(want.scope)
	if err != nil {
		return keys{}, err
	}
	if policy == "" && len(arns) == 0 && !want.own { // who one is can be asked without any right
		return keys{}, errNoRights()
	}
	name, err := sessionName(f.c.host, federatedUserField, f.c.values, longestUserName)
	if err != nil {
		return keys{}, err
	}
	out, err := f.c.sts(f.user).GetFederationToken(ctx, &awssts.GetFederationTokenInput{
		Name: &name, DurationSeconds: seconds(f.lasting(want)), Tags: sdkTags(f.tags),
		Policy: optional(policy), PolicyArns: sdkPolicies(arns),
	})
	if err != nil {
		return keys{}, f.c.failed(ctx, "STS", err)
	}
	arn := ""
	if out.FederatedUser != nil {
		arn = value(out.FederatedUser.Arn)
	}
	return issued(out.Credentials, arn)
}

// lasting is the lifetime to ask for, for the session's own questions as with roles.
func (f *federation) lasting(want purpose) time.Duration {
	switch {
	case want.lifetime != 0:
		return want.lifetime
	case want.own:
		return max(f.lifetime, onTheWay)
	}
	return userBounds.Default
}
