package aws

import (
	"github.com/svcconn/svcconn/pkg/field"
)

// The fields of roles, which iam-role, web-identity, sso and implicit have.
var (
	roleField = field.String{
		Name: "role_arn", Title: "role", Required: true, Example: roleExample, Check: checkRoleARN,
		Help: "The role whose rights the keys have. What it trusts has to include the login of the connector.",
	}
	furtherRoleField = field.String{
		Name: roleField.Name, Title: "further role", Example: roleField.Example, Check: checkRoleARN,
		Help: "A role to assume with the keys of the login. The keys that are handed out have its rights then, and can be scoped.",
	}
	roleChainField = field.List{
		Name: "role_chain", Title: "roles on the way", Example: "arn:aws:iam::123456789012:role/gate", Check: checkRoleARN,
		Help: "Roles to assume one after the other before role_arn, each with the keys of the one before it. " +
			"AWS bounds the keys of a role that was assumed with the keys of another to one hour.",
	}
	externalIDField = field.String{
		Name: "external_id", Title: "external id", Example: "customer-4711", Check: checkExternalID,
		Help: "What the owner of role_arn wants to be told (sts:ExternalId), 2 to 1,224 characters. Roles on the way are not told.",
	}
	sessionNameField = field.String{
		Name: "role_session_name", Title: "name of the session", Default: "svcconn", Example: "${user}@laptop", Check: checkSessionName,
		Help: "The name of the role's sessions, 2 to 64 letters, digits and _+=,.@-: it shows in the audit logs of AWS. " +
			"${user} stands for the user name here, ${time} for the time of the mint, such as 20260102T150405Z.",
	}
	sessionTagsField = field.List{
		Name: "session_tags", Title: "session tags", Example: "team=data,stage=prod", Check: checkTag,
		Help: "Tags of the session, each KEY=VALUE, separated by commas, 50 at most. Policies can ask for them (aws:PrincipalTag). " +
			"role_arn is told, unless the key is one of transitive_tag_keys.",
	}
	transitiveTagsField = field.List{
		Name: "transitive_tag_keys", Title: "transitive tags", Example: "team", Check: checkTagKey,
		Help: "Keys of session_tags that pass on from role to role: the first role is told, and the others inherit them.",
	}
	sourceIdentityField = field.String{
		Name: "source_identity", Title: "source identity", Example: "jane", Check: checkSourceIdentity,
		Help: "Who is behind the session, 2 to 64 letters, digits and _+=,.@-. It stays in the audit logs of AWS from role to role, " +
			"and every role has to allow it (sts:SetSourceIdentity).",
	}
	policyField = field.String{
		Name: "policy", Title: "session policy", Example: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`, Check: checkPolicy,
		Help: "A policy that bounds the rights of all keys of the connector, JSON of at most 2,048 characters, white space aside: --set policy=@policy.json. " +
			"It takes the place of the policies that scope keys to the resource that they are for.",
	}
	policyARNsField = field.List{
		Name: "policy_arns", Title: "managed session policies", Example: policyExample, Check: checkPolicyARN,
		Help: "Managed policies, 10 at most, that bound the rights of all keys of the connector, as policy does and beside it. They are AWS's or of the account of the keys.",
	}
)

// roleFields are the fields of a role and of the way to it. own is the field of the role
// itself: roleField, or furtherRoleField where there may be none.
func roleFields(own field.String) field.Set {
	return field.Set{
		own, roleChainField, externalIDField, sessionNameField, sessionTagsField, transitiveTagsField, sourceIdentityField,
		policyField, policyARNsField,
	}
}
