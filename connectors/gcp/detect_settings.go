package gcp

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// detected makes a connector that could be registered as it is.
func (c *candidate) detected(ctx context.Context) (connector.Detected, error) {
	c.settings()
	fields, err := c.fields()
	if err != nil {
		return connector.Detected{}, err
	}
	if err := c.apply(fields); err != nil {
		return connector.Detected{}, err
	}
	s, err := c.open()
	if err != nil {
		return connector.Detected{}, err
	}
	if c.method == methodImplicit && principalField.Get(c.values) == "" {
		c.set(principalField, s.source.identity().principal)
	}
	out := connector.Detected{Source: c.source}
	if c.d.asked == methodToken {
		t, err := s.tokenFor(ctx, purpose{})
		if err != nil {
			return connector.Detected{}, fault.Within(err, "%s", c.source.Description)
		}
		c.keepToken(t)
		out.Source.PlainText = false
		out.Temporary, out.Expires = true, t.expires
	}
	out.Spec, out.Notes = c.spec(), c.notes
	return out, nil
}

// settings takes over what the login itself does not tell.
func (c *candidate) settings() {
	c.set(projectField, c.knownProject())
	if c.configuration != nil {
		c.gcloudSettings()
		return
	}
	c.set(quotaProjectField, c.d.host.Getenv(envQuotaProject))
	c.set(universeField, c.d.host.Getenv(envUniverse))
}

func (c *candidate) spec() connector.Spec {
	return connector.Spec{Type: typeName, Method: c.method, Values: c.values}
}

// open opens the connector, which finds out whether it could be registered.
func (c *candidate) open() (*session, error) {
	settings, err := connector.Types{Type()}.Check(c.spec())
	if err != nil {
		return nil, fault.Within(err, "%s", c.source.Description)
	}
	clients, err := newClients(c.d.host, settings.Values)
	if err != nil {
		return nil, err
	}
	s, err := openWith(clients, settings)
	return s, fault.Within(err, "%s", c.source.Description)
}

// fields are those that hints may set.
func (c *candidate) fields() (field.Set, error) {
	method, err := Type().Method(c.method)
	if err != nil {
		return nil, err
	}
	return method.Fields, nil
}

// apply sets the fields that were given as hints.
func (c *candidate) apply(fields field.Set) error {
	for _, name := range slices.Sorted(maps.Keys(c.d.hints)) {
		f, ok := fields.Find(name)
		if !ok {
			return slices.Concat(steering, fields).Unknown(name, "auto-configuration of connector type "+typeName)
		}
		value, err := f.Parse(c.d.hints[name])
		if err != nil {
			return fault.Within(err, "field %s", name)
		}
		c.values.Set(f.Info().Name, value)
	}
	switch {
	case projectField.Get(c.values) == "":
		return fault.New(fault.Invalid, "%s says no project", c.source.Description).
			Hint("say which: --set %s=%s; or give gcloud one: gcloud config set project %s", projectField.Name, projectField.Example, projectField.Example)
	case c.method == methodImpersonation && targetField.Get(c.values) == "":
		return fault.New(fault.Invalid, "%s impersonates nobody, and auth method %s has to know whom", c.source.Description, methodImpersonation).
			Hint("say it: --set %s=%s", targetField.Name, targetField.Example)
	}
	return nil
}

// knownProject is the project that is known without a hint: as Google's libraries have
// it, or for a login of gcloud's as gcloud has it.
func (c *candidate) knownProject() string {
	env := c.d.host.Getenv
	if c.configuration != nil {
		return cmp.Or(env(envGcloudProject), c.configuration.get("core", "project"), c.project, env(envProject))
	}
	other := ""
	if configuration, err := c.d.activeConfiguration(); err == nil { // it is no matter where there is none
		other = configuration.get("core", "project")
	}
	return cmp.Or(env(envProject), c.project, env(envGcloudProject), other)
}

// keepToken makes the connector one of a token, and of what is not about the login that it
// was got with.
func (c *candidate) keepToken(t token) {
	var kept field.Values
	for name, value := range c.values.Plain() {
		if _, common := commonFields(false).Find(name); common {
			kept.Set(name, value)
		}
	}
	kept.SetSecret(tokenField.Name, t.text)
	c.method, c.values, c.notes = methodToken, kept, nil
	c.note("The token is temporary: the connector works until %s.", t.expires.UTC().Format(time.RFC3339))
}
