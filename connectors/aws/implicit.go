package aws

import (
	"cmp"
	"context"
	"slices"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// What the field credential_source chooses from.
const (
	sourceProfile     = "profile"
	sourceWebIdentity = "web-identity"
	sourceContainer   = "container"
	sourceInstance    = "instance"
)

// The fields of auth method implicit.
var (
	implicitSource = field.String{
		Name: "credential_source", Title: "source of the keys", Default: sourceProfile,
		Choices: []string{sourceProfile, sourceWebIdentity, sourceContainer, sourceInstance},
		Help: "Whose identity it is: that of a profile of the AWS CLI, of a token that lies in a file (a pod of EKS), of a container of ECS or EKS, " +
			"or of an EC2 instance. No other is tried.",
	}
	profileField = field.String{
		Name: "profile_name", Title: "profile", Example: "dev",
		Help: "With credential_source profile: the profile to log in with. Left out, it is the one called default.",
	}
	configFileField = field.String{
		Name: "config_file", Title: "config file", Example: "/home/me/.aws/config", Check: checkAbsolute,
		Help: "With credential_source profile: the file of profiles. Left out, it is ~/.aws/config, whatever AWS_CONFIG_FILE says.",
	}
	credentialsFileField = field.String{
		Name: "shared_credentials_file", Title: "credentials file", Example: "/home/me/.aws/credentials", Check: checkAbsolute,
		Help: "With credential_source profile: the file of keys. Left out, it is ~/.aws/credentials, whatever AWS_SHARED_CREDENTIALS_FILE says.",
	}
	containerURI = field.String{
		Name: "container_credentials_uri", Title: "address of the container's keys", Example: "http://169.254.170.23/v1/credentials", Check: checkContainerURI,
		Help: "With credential_source container: where the container gets its keys (AWS_CONTAINER_CREDENTIALS_FULL_URI, or http://169.254.170.2 and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI).",
	}
	containerTokenFile = field.String{
		Name: "container_authorization_token_file", Title: "file of the container's token", Check: checkAbsolute,
		Example: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
		Help:    "With credential_source container: the file with the token to show there (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE). It is read at every mint.",
	}
	containerToken = field.Secret{
		Name: "container_authorization_token", Title: "container's token", Check: checkHeader,
		Help: "With credential_source container: the token to show there (AWS_CONTAINER_AUTHORIZATION_TOKEN), where it is in no file.",
	}
	metadataEndpoint = field.String{
		Name: "ec2_metadata_service_endpoint", Title: "address of the instance's metadata", Example: "http://[fd00:ec2::254]", Check: checkInstance,
		Help: "With credential_source instance: the metadata service, where it is not at the usual address, http://169.254.169.254.",
	}
)

// fieldsOfSource are the fields that are about one source alone.
func fieldsOfSource(source string) field.Set {
	return map[string]field.Set{
		sourceProfile:     {profileField, configFileField, credentialsFileField},
		sourceWebIdentity: {tokenFileField},
		sourceContainer:   {containerURI, containerTokenFile, containerToken},
		sourceInstance:    {metadataEndpoint},
	}[source]
}

func implicitMethod() method {
	fields := field.Set{implicitSource}
	for _, source := range implicitSource.Choices {
		fields = append(fields, fieldsOfSource(source)...)
	}
	return method{open: openImplicit, AuthMethod: connector.AuthMethod{
		Name: methodImplicit, Title: "implicit",
		Doc: `Takes the identity that this machine, or somebody's files, already have: a profile of the AWS CLI with all that it leads to (roles, the CLI's login to IAM Identity Center, a credential process, a web identity, keys), a pod, a container, an EC2 instance. Nothing is stored but where to look. Which of them it is is said here, and the environment of whoever starts svcconn does not change it; no metadata service is asked unless it was chosen.

Whoever can use svcconn on this machine gets that identity, so it has to be allowed: allow_implicit = true in the section [connectors] of config.toml. Any other method keeps its own secrets, and is to be preferred.

A profile is read anew for every mint. If its login turns out to be for another account than the connector's, it is refused. The AWS CLI's login to IAM Identity Center is used as it is and never renewed from here: when it is over, ` + "`aws sso login`" + ` is needed. A profile's credential process has a minute, no terminal, and none of your shell's environment. Keys that a profile has are handed out as they are; with role_arn, those of a further role are, scoped to the bucket, repository or cluster that they are for.`,
		Fields:  slices.Concat(fields, roleFields(furtherRoleField)),
		Ambient: true, Temporary: true, Lifetime: roleBounds,
		Reads: filesOfOthers,
	}}
}

// filesOfOthers are the files that tell whose the keys are.
func filesOfOthers(host connector.Host, values field.Values) []string {
	switch implicitSource.Get(values) {
	case sourceProfile:
		return profileSourceOf(&clients{host: host, values: values}).files()
	case sourceWebIdentity:
		return tokenFiles(host, values)
	case sourceContainer:
		if path := containerTokenFile.Get(values); path != "" {
			return []string{path}
		}
	}
	return nil
}

func openImplicit(c *clients, settings connector.Settings) (source, error) {
	chosen := implicitSource.Get(settings.Values)
	for _, other := range implicitSource.Choices {
		for _, f := range fieldsOfSource(other) {
			if name := f.Info().Name; other != chosen && settings.Values.Has(name) {
				return nil, fault.New(fault.Invalid, "field %s is about another source than %s", name, chosen).
					Hint("leave it out, or --set %s=%s", implicitSource.Name, other)
			}
		}
	}
	for _, f := range map[string][]field.String{sourceWebIdentity: {tokenFileField, furtherRoleField}, sourceContainer: {containerURI}}[chosen] {
		if f.Get(settings.Values) == "" {
			return nil, fault.New(fault.Invalid, "auth method %s needs the field %q where %s is %s", methodImplicit, f.Name, implicitSource.Name, chosen).
				Hint("--set %s=%s", f.Name, f.Example)
		}
	}
	further := furtherRoleField.Get(settings.Values) != ""
	switch {
	case chosen == sourceWebIdentity:
		return assumedByToken(c, webTokenIn(tokenFileField.Get(settings.Values)), settings)
	case chosen != sourceProfile && settings.Expiration != 0 && !further:
		return nil, unaskable("the " + chosen)
	}
	return assumed(c, &guarded{c: c, source: c.ambient(chosen), further: further}, settings)
}

// ambient is what the fields say of a source other than web-identity.
func (c *clients) ambient(chosen string) source {
	v := c.values
	switch chosen {
	case sourceContainer:
		return &containerSource{c: c, uri: containerURI.Get(v), tokenFile: containerTokenFile.Get(v), token: containerToken.Get(v)}
	case sourceInstance:
		return &instanceSource{c: c, endpoint: cmp.Or(metadataEndpoint.Get(v), "http://"+instanceHost)}
	}
	return profileSourceOf(c)
}

// profileSourceOf is the source that the fields of a profile name.
func profileSourceOf(c *clients) *profileSource {
	v := c.values
	return &profileSource{
		c: c, name: cmp.Or(profileField.Get(v), defaultProfile),
		config:      cmp.Or(configFileField.Get(v), usualConfig(c.host.Home)),
		credentials: cmp.Or(credentialsFileField.Get(v), usualCredentials(c.host.Home)),
	}
}

// guarded is a source that others can change without svcconn's knowledge: what it gives
// has to be of the account that the connector is for.
type guarded struct {
	c *clients
	source
	further bool // a further role is assumed with the keys, which decides about the account
}

// keys implements source.
func (g *guarded) keys(ctx context.Context, want purpose) (keys, error) {
	k, err := g.source.keys(ctx, want)
	own := accountField.Get(g.c.values)
	if err != nil || own == "" || g.further {
		return k, err
	}
	if k.account == "" {
		who, err := g.c.whoAmI(ctx, k)
		if err != nil {
			return keys{}, err
		}
		k.account = who.account
	}
	if k.account != own {
		return keys{}, fault.New(fault.Denied, "the login is now for account %s, and the connector for account %s", k.account, own).
			Hint("go back to that account where the login is, or register another connector for the new one")
	}
	return k, nil
}
