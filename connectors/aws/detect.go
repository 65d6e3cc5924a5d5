package aws

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// detection is one run of auto-configuration. The environment is the person's own here,
// and never looked at again.
type detection struct {
	host                connector.Host
	asked               string            // the auth method; "" is the one that suits
	hints               map[string]string // those that are fields of the connector
	profile             string            // "" is what the environment says
	config, credentials string
	files               *sharedFiles
}

// detect finds the login that the AWS CLI would use on this machine, and stores it as the
// auth method that it is. The hints profile_name, config_file and shared_credentials_file
// say where to look; all others are fields of the connector.
func detect(_ context.Context, host connector.Host, hints map[string]string) ([]connector.Detected, error) {
	d := &detection{host: host, hints: maps.Clone(hints)}
	if err := d.take(); err != nil {
		return nil, err
	}
	var err error
	if d.files, err = readShared(d.config, d.credentials); err != nil {
		return nil, err
	}
	c, err := d.login()
	if err != nil {
		return nil, err
	}
	found, err := c.detected()
	if err != nil {
		return nil, err
	}
	return []connector.Detected{found}, nil
}

// take takes the hints that say where to look.
func (d *detection) take() error {
	d.asked = d.hint(connector.HintMethod)
	d.profile = d.hint(profileField.Name)
	for _, file := range []struct {
		into                  *string
		hint, variable, usual string
	}{
		{&d.config, configFileField.Name, "AWS_CONFIG_FILE", usualConfig(d.host.Home)},
		{&d.credentials, credentialsFileField.Name, "AWS_SHARED_CREDENTIALS_FILE", usualCredentials(d.host.Home)},
	} {
		named := d.hint(file.hint)
		path := named
		if path == "" {
			path = d.host.Getenv(file.variable)
		}
		if path == "" {
			path = file.usual
		}
		absolute, err := d.absolute(path)
		if err == nil && named != "" {
			_, err = os.Stat(absolute)
		}
		if err != nil {
			return fault.New(fault.NotFound, "field %s: %w", file.hint, err).Hint("give the path of a file that is there")
		}
		*file.into = absolute
	}
	return nil
}

// hint takes a hint away.
func (d *detection) hint(name string) string {
	text := strings.TrimSpace(d.hints[name])
	delete(d.hints, name)
	return text
}

// absolute is a path as the agent can use it, wherever that runs.
func (d *detection) absolute(path string) (string, error) {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(path), "~/"); ok {
		path = filepath.Join(d.host.Home, rest)
	}
	return filepath.Abs(path)
}

// The variables that have a login. https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
const (
	envKeyID          = "AWS_ACCESS_KEY_ID"
	envSecretKey      = "AWS_SECRET_ACCESS_KEY"
	envTokenFile      = "AWS_WEB_IDENTITY_TOKEN_FILE"
	envContainerFull  = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	envContainerShort = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
)

// login finds the login, in the order in which the AWS SDKs look for it. A profile that
// was named is the only one that counts.
func (d *detection) login() (*candidate, error) {
	env := d.host.Getenv
	switch {
	case d.profile != "":
		return d.profileLogin(d.profile)
	case env(envKeyID) != "" || env(envSecretKey) != "":
		return d.environmentKeys()
	case env(envTokenFile) != "":
		return d.environmentToken()
	}
	name, named := d.namedProfile()
	c, err := d.profileLogin(name)
	switch {
	case err == nil || named || !fault.Is(err, fault.NotFound):
		return c, err
	case env(envContainerFull) != "" || env(envContainerShort) != "":
		return d.containerLogin()
	}
	return nil, d.nothing(err)
}

// namedProfile is the profile of the environment, or else the default one.
func (d *detection) namedProfile() (name string, named bool) {
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name := d.host.Getenv(variable); name != "" {
			return name, true
		}
	}
	return defaultProfile, false
}

// nothing is the error where nothing was found; why says what is wrong with the default
// profile.
func (d *detection) nothing(why error) error {
	err := fault.New(fault.NotFound, "no login to AWS was found: %s, %s, %s and %s are not set, and %w",
		envKeyID, envTokenFile, envContainerFull, envContainerShort, why)
	hint := "make a profile with `aws configure` or `aws configure sso`"
	if names := slices.Sorted(maps.Keys(d.files.profiles)); len(names) > 0 {
		hint = "name a profile with --set profile_name=NAME; there are: " + hop.OneLine(strings.Join(names, ", "))
	}
	return err.Hint("%s\nwithout --auto-configure: the fields that `svcconn describe-type %s` lists; on an EC2 instance, --auth-method %s --set %s=%s",
		hint, typeName, methodImplicit, implicitSource.Name, sourceInstance)
}

// note is a sentence for the person.
func (c *candidate) note(format string, args ...any) {
	c.notes = append(c.notes, hop.OneLine(fmt.Sprintf(format, args...)))
}

// detected makes a connector that could be registered as it is.
func (c *candidate) detected() (connector.Detected, error) {
	if err := c.common(); err != nil {
		return connector.Detected{}, err
	}
	t := Type()
	method, err := t.Method(c.method)
	if err != nil {
		return connector.Detected{}, err
	}
	if err := c.apply(method.Fields); err != nil {
		return connector.Detected{}, err
	}
	spec := connector.Spec{Type: typeName, Method: c.method, Values: c.values, Expiration: c.expiration}
	settings, err := connector.Types{t}.Check(spec)
	if err == nil {
		_, err = open(c.d.host, settings)
	}
	return connector.Detected{Spec: spec, Source: c.source, Notes: c.notes, Temporary: c.temporary, Expires: c.expires},
		fault.Within(err, "%s", c.source.Description)
}

// apply sets the fields that were given as hints.
func (c *candidate) apply(fields field.Set) error {
	where := "auto-configuration of connector type " + typeName
	for _, name := range slices.Sorted(maps.Keys(c.d.hints)) {
		f, ok := fields.Find(name)
		if !ok {
			return slices.Concat(field.Set{profileField, configFileField, credentialsFileField}, fields).Unknown(name, where)
		}
		value, err := f.Parse(c.d.hints[name])
		if err != nil {
			return fault.Within(err, "field %s", name)
		}
		c.values.Set(f.Info().Name, value)
	}
	if region := c.values.Plain()[regionField.Name]; region == nil {
		return fault.New(fault.Invalid, "%s says no region", c.source.Description).
			Hint("say which: --set %s=%s", regionField.Name, regionField.Example)
	}
	return nil
}
