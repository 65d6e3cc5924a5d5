package aws

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// candidate is a login on its way to becoming a connector.
type candidate struct {
	d   *detection
	top *profile // that the settings beside the login come from; nil where there is none

	method     string
	values     field.Values
	expiration time.Duration
	source     connector.Source
	notes      []string
	temporary  bool // the keys are; expires is when they end, zero where nothing says it
	expires    time.Time
}

// choose takes the auth method that was asked for, if it is one of those that the login
// can serve, or else the first.
func (c *candidate) choose(possible ...string) error {
	c.method = possible[0]
	switch asked := c.d.asked; {
	case asked == "":
	case slices.Contains(possible, asked):
		c.method = asked
	default:
		return fault.New(fault.Invalid, "the login in %s is none for auth method %s", c.source.Description, asked).
			Hint("leave --auth-method out, or take one of: %s", strings.Join(possible, ", "))
	}
	return nil
}

func (c *candidate) set(f field.String, text string) {
	if text != "" {
		c.values.Set(f.Name, text)
	}
}

// profileLogin takes the login of a profile.
func (d *detection) profileLogin(name string) (*candidate, error) {
	found, err := d.files.chain(name)
	if err != nil {
		return nil, err
	}
	c := &candidate{d: d, top: found.top, source: connector.Source{Description: d.places() + " (profile " + hop.OneLine(name) + ")"}}
	if d.asked == methodImplicit {
		return c, c.ambientProfile()
	}
	switch found.origin {
	case fromSSO:
		err = c.ssoLogin(found)
	case fromWebIdentity:
		err = c.tokenLogin(found.base.values["web_identity_token_file"], found.roles)
	case fromProcess:
		c.note("The keys come from the credential process of profile %q, which is run for every mint.", found.base.name)
		err = c.ambientProfile()
	case fromContainer:
		err = c.container(found.roles)
	case fromInstance:
		err = c.instance(found.roles)
	default:
		err = c.keyLogin(found)
	}
	return c, err
}

// places names the files that are there.
func (d *detection) places() string { return strings.Join(d.files.present, " and ") }

// ambientProfile makes a connector that follows the profile.
func (c *candidate) ambientProfile() error {
	if err := c.choose(methodImplicit); err != nil {
		return err
	}
	c.values.Set(implicitSource.Name, sourceProfile)
	c.values.Set(profileField.Name, c.top.name)
	c.values.Set(configFileField.Name, c.d.config)
	c.values.Set(credentialsFileField.Name, c.d.credentials)
	c.noteImplicit()
	return nil
}

func (c *candidate) noteImplicit() {
	c.note("Auth method %s takes the identity of this machine or of somebody's files, and has to be allowed: allow_implicit = true in the section [connectors] of config.toml.", methodImplicit)
}

// ssoLogin makes a connector that logs in to IAM Identity Center by itself.
func (c *candidate) ssoLogin(found chain) error {
	if err := c.choose(methodSSO, methodImplicit); err != nil {
		return err
	}
	c.set(ssoStartURL, found.sso.startURL)
	c.set(ssoRegion, found.sso.region)
	c.set(ssoAccount, found.sso.account)
	c.set(ssoRole, found.sso.role)
	if len(found.sso.scopes) > 0 {
		c.values.Set(ssoScopes.Name, found.sso.scopes)
	}
	c.note("A login to %s follows at the terminal: that of the AWS CLI stays its own.", identityCenter)
	if len(found.roles) == 0 {
		c.set(accountField, found.sso.account)
	}
	return c.roles(found.roles)
}

// roles sets the fields of roles that are assumed with the login, in their order.
func (c *candidate) roles(roles []profileRole) error {
	if len(roles) == 0 {
		return nil
	}
	var chain []string
	last := roles[len(roles)-1]
	for i, role := range roles {
		switch {
		case role.mfaSerial != "" && (i > 0 || c.method != methodRole):
			return role.profile.refuse("wants a code of %s for a role that is not assumed with long-lived keys, which no auth method can", hop.OneLine(role.mfaSerial))
		case i < len(roles)-1 && role.externalID != "":
			return role.profile.refuse("is a role on the way, and has an external id of its own, for which connectors have no field").
				Hint("--auth-method %s follows the profile as it is", methodImplicit)
		case i < len(roles)-1:
			chain = append(chain, role.arn)
		}
	}
	if len(chain) > 0 {
		c.values.Set(roleChainField.Name, chain)
	}
	c.set(roleField, last.arn)
	c.set(externalIDField, last.externalID)
	c.set(sessionNameField, last.sessionName)
	c.set(accountField, accountOf(last.arn))
	c.expiration = last.lifetime
	return nil
}

// tokenLogin makes a connector of a web identity.
func (c *candidate) tokenLogin(file string, roles []profileRole) error {
	if err := c.choose(methodWebIdentity, methodImplicit); err != nil {
		return err
	}
	path, err := c.d.absolute(file)
	if err != nil {
		return fault.New(fault.Failed, "%w", err)
	}
	c.set(tokenFileField, path)
	return c.roles(roles)
}

// environmentToken takes the web identity of the environment.
func (d *detection) environmentToken() (*candidate, error) {
	env := d.host.Getenv
	c := &candidate{d: d, top: d.besides(), source: connector.Source{Description: "the environment (" + envTokenFile + ")"}}
	if env("AWS_ROLE_ARN") == "" {
		return nil, fault.New(fault.Invalid, "%s is set, and AWS_ROLE_ARN is not", envTokenFile).Hint("set both, or neither")
	}
	if d.asked == methodImplicit {
		c.values.Set(implicitSource.Name, sourceWebIdentity)
		c.noteImplicit()
	}
	return c, c.tokenLogin(env(envTokenFile), []profileRole{{arn: env("AWS_ROLE_ARN"), sessionName: env("AWS_ROLE_SESSION_NAME")}})
}

// besides is the profile whose other settings count beside a login of the environment.
func (d *detection) besides() *profile {
	name, _ := d.namedProfile()
	return d.files.profiles[name]
}

// containerLogin takes the keys of the container that this runs in.
func (d *detection) containerLogin() (*candidate, error) {
	c := &candidate{d: d, top: d.besides(), source: connector.Source{Description: "the environment (AWS_CONTAINER_CREDENTIALS_…)"}}
	return c, c.container(nil)
}

// container makes a connector of the keys of the container that this runs in.
func (c *candidate) container(roles []profileRole) error {
	if err := c.choose(methodImplicit); err != nil {
		return err
	}
	env := c.d.host.Getenv
	address := env(envContainerFull)
	if short := env(envContainerShort); short != "" {
		address = "http://" + containerHost + "/" + strings.TrimPrefix(short, "/")
	}
	if address == "" {
		return fault.New(fault.Invalid, "%s takes its keys from the container, and neither %s nor %s is set", c.source.Description, envContainerFull, envContainerShort).
			Hint("run it in the container, or say where the keys are: --set %s=%s", containerURI.Name, containerURI.Example)
	}
	c.values.Set(implicitSource.Name, sourceContainer)
	c.set(containerURI, address)
	if file := env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		c.set(containerTokenFile, file)
	} else if token := env("AWS_CONTAINER_AUTHORIZATION_TOKEN"); token != "" {
		c.values.SetSecret(containerToken.Name, secret.New(token))
	}
	c.noteImplicit()
	return c.roles(roles)
}

// instance makes a connector of the role of the EC2 instance that this runs on.
func (c *candidate) instance(roles []profileRole) error {
	if err := c.choose(methodImplicit); err != nil {
		return err
	}
	c.values.Set(implicitSource.Name, sourceInstance)
	c.setText(metadataEndpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")
	c.noteImplicit()
	return c.roles(roles)
}

// environmentKeys takes the keys of the environment.
func (d *detection) environmentKeys() (*candidate, error) {
	c := &candidate{d: d, top: d.besides(), source: connector.Source{Description: "the environment (" + envKeyID + ")"}}
	if len(d.files.profiles) > 0 {
		c.note("The keys of the environment win over the profiles in %s; to take a profile: --set %s=NAME.", d.places(), profileField.Name)
	}
	k, err := keysOf(d.environmentKey, "the environment")
	if err != nil {
		return nil, err
	}
	return c, c.ownKeys(k, nil)
}

// environmentKey is what profiles have under a key, of the environment.
func (d *detection) environmentKey(key string) string {
	variable := map[string]string{"aws_expiration": "AWS_CREDENTIAL_EXPIRATION", "expiration": "AWS_SESSION_EXPIRATION"}[key]
	if variable == "" {
		variable = strings.ToUpper(key)
	}
	return d.host.Getenv(variable)
}

// keyLogin makes a connector of the keys that a profile has, or ends at.
func (c *candidate) keyLogin(found chain) error {
	if found.origin == fromEnvironment {
		k, err := keysOf(c.d.environmentKey, "the environment, where profile \""+found.base.name+"\" takes its keys from,")
		if err != nil {
			return err
		}
		return c.ownKeys(k, found.roles)
	}
	c.source.File, c.source.Key, c.source.PlainText = found.base.saved, found.base.name, true
	k, err := found.base.keys()
	if err != nil {
		return err
	}
	if err := c.ownKeys(k, found.roles); err != nil {
		return err
	}
	// Other tools open a session with the device; the AWS CLI does not look at it here.
	if c.method == methodSessionToken {
		c.set(mfaSerialField, found.base.values["mfa_serial"])
	}
	return nil
}

// ownKeys makes a connector of keys that are at hand.
func (c *candidate) ownKeys(k keys, roles []profileRole) error {
	if err := c.chooseForKeys(k, roles); err != nil {
		return err
	}
	c.set(accessKeyField, k.id)
	c.values.SetSecret(secretKeyField.Name, k.secret)
	if !k.token.IsEmpty() {
		c.values.SetSecret(sessionTokenField.Name, k.token)
		c.temporary, c.expires = true, k.expires
	}
	if len(roles) == 0 {
		c.set(accountField, k.account)
		return nil
	}
	c.set(mfaSerialField, roles[0].mfaSerial)
	return c.roles(roles)
}

// chooseForKeys chooses the auth method for keys, and refuses those that nobody knows the
// end of.
func (c *candidate) chooseForKeys(k keys, roles []profileRole) error {
	possible := []string{methodSTSToken, methodRole}
	switch {
	case len(roles) > 0:
		possible = []string{methodRole}
	case k.token.IsEmpty():
		possible = []string{methodSessionToken, methodSecretKey, methodFederationToken, methodRole}
	}
	if c.source.Key != "" {
		possible = append(possible, methodImplicit)
	}
	if err := c.choose(possible...); err != nil {
		return err
	}
	if c.method == methodSessionToken && c.d.asked == "" {
		c.note("The keys are long-lived. Auth method %s keeps them and hands out temporary ones, with all rights of their user; %s would hand out the keys themselves, %s and %s hand out keys that can be scoped.",
			methodSessionToken, methodSecretKey, methodRole, methodFederationToken)
	}
	return c.checkEnd(k)
}

// checkEnd refuses keys that are over, and temporary ones that do not say until when they
// are good, unless the person wants to say that.
func (c *candidate) checkEnd(k keys) error {
	end := k.expires.UTC().Format(time.RFC3339)
	switch {
	case k.token.IsEmpty():
	case k.endless() && c.d.asked != methodSTSToken:
		return fault.New(fault.Invalid, "the keys in %s are temporary, and nothing says until when they are good", c.source.Description).
			Hint("take the login that they came from: a profile with --set %s=NAME, or auth method %s or %s\nto store these keys all the same: --auth-method %s --expires-at TIME",
				profileField.Name, methodSSO, methodRole, methodSTSToken)
	case !k.endless() && !k.expires.After(c.d.host.Now()):
		return fault.New(fault.Denied, "the keys in %s have expired: they were good until %s", c.source.Description, end).Hint("log in again where they came from")
	case !k.endless():
		c.note("%s", fmt.Sprintf("The keys are temporary: the connector works until %s.", end))
	}
	return nil
}
