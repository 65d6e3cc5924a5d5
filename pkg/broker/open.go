package broker

import (
	"context"
	"path/filepath"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/settings"
)

// open reads a connector's secrets and opens a session. env has the values of its
// env: references, by field.
func (b *Broker) open(ctx context.Context, c registry.Connector, env map[string]secret.Text) (connector.Session, error) {
	values, err := b.secretValues(ctx, c, env)
	if err != nil {
		return nil, err
	}
	return b.openWith(c, values)
}

func (b *Broker) openWith(c registry.Connector, values map[string]secret.Text) (connector.Session, error) {
	settings, err := b.settingsOf(c, values)
	if err != nil {
		return nil, err
	}
	return b.session(settings)
}

// session opens a session of checked settings, if the auth method is allowed here.
func (b *Broker) session(checked connector.Settings) (connector.Session, error) {
	current, err := b.settings.Current()
	if err == nil {
		err = b.allowed(checked, current)
	}
	if err != nil {
		return nil, err
	}
	return checked.Type.Open(b.host, checked)
}

// allowed refuses auth methods that take an identity that nobody gave to svcconn, unless
// the settings allow them: for what is minted, and for what is kept.
func (b *Broker) allowed(checked connector.Settings, current settings.Settings) error {
	if !checked.Method.IsAmbient(checked.Values) || current.Connectors.AllowImplicit {
		return nil
	}
	how := "takes"
	if !checked.Method.Ambient {
		how = "takes, with these fields,"
	}
	return fault.New(fault.Denied, "the auth method %s %s the identity of this machine, and that is not allowed here", checked.Method.Name, how).
		Hint("to allow it, write allow_implicit = true in the section [connectors] of %s; or use an auth method with secrets of its own", filepath.Join(b.dirs.Config, "config.toml"))
}

func (b *Broker) settingsOf(c registry.Connector, values map[string]secret.Text) (connector.Settings, error) {
	spec := c.Spec()
	for name, value := range values {
		spec.Values.SetSecret(name, value)
	}
	return b.types.Check(spec)
}

// secretValues reads the bundle and follows the references of a connector.
func (b *Broker) secretValues(ctx context.Context, c registry.Connector, env map[string]secret.Text) (map[string]secret.Text, error) {
	values, err := b.bundle(ctx, c)
	if err != nil {
		return nil, err
	}
	for field, text := range c.Secrets.References {
		if value, ok := env[field]; ok {
			values[field] = value
			continue
		}
		if values[field], err = b.follow(ctx, text); err != nil {
			return nil, fault.Within(err, "field %s", field)
		}
	}
	return values, nil
}

// bundle reads the secrets that are stored for a connector.
func (b *Broker) bundle(ctx context.Context, c registry.Connector) (map[string]secret.Text, error) {
	if c.Secrets.Store == "" {
		return map[string]secret.Text{}, nil
	}
	store, err := b.secrets.Named(c.Secrets.Store)
	if err != nil {
		return nil, err
	}
	text, err := store.Get(ctx, c.Secrets.Key)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Failed, "its secrets are not in the secret store %q: %w", c.Secrets.Store, err).
			Hint("store them anew: svcconn update %s %s", c.Name, setFlags(c.Secrets.Fields))
	}
	if err != nil {
		return nil, err
	}
	return secrets.DecodeBundle(text)
}

func setFlags(fields []string) string {
	flags := ""
	for _, field := range fields {
		if flags != "" {
			flags += " "
		}
		flags += "--set " + field + "=@FILE"
	}
	return flags
}

// environment asks the caller for the variables that env: references name. They are
// the caller's own: the agent's environment never counts.
func (b *Broker) environment(ctx context.Context, c registry.Connector) (map[string]secret.Text, error) {
	var env map[string]secret.Text
	for field, text := range c.Secrets.References {
		ref, err := secrets.ParseReference(text)
		if err != nil {
			return nil, fault.Within(err, "field %s", field)
		}
		if ref.Scheme != secrets.FromEnv {
			continue
		}
		value, err := b.resolveReference(ctx, ref)
		if err != nil {
			return nil, fault.Within(err, "field %s", field)
		}
		if env == nil {
			env = map[string]secret.Text{}
		}
		env[field] = value
	}
	return env, nil
}

func (b *Broker) follow(ctx context.Context, text string) (secret.Text, error) {
	ref, err := secrets.ParseReference(text)
	if err != nil {
		return secret.Text{}, err
	}
	return b.resolveReference(ctx, ref)
}

func (b *Broker) resolveReference(ctx context.Context, ref secrets.Reference) (secret.Text, error) {
	lookup := CallerOf(ctx).LookupEnv
	if lookup == nil {
		lookup = func(context.Context, string) (secret.Text, bool, error) { return secret.Text{}, false, nil }
	}
	return secrets.Resolve(ctx, ref, secrets.Sources{LookupEnv: lookup, Env: b.env})
}
