package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// The connector type that docker login's secrets go to, its auth method and fields,
// and the label that marks what docker login made and docker logout may remove.
const (
	dockerType     = "docker"
	passwordMethod = "password"
	usernameField  = "username"
	passwordField  = "password"
	registryField  = "registry"
	managedBy      = "managed-by"
	dockerLogin    = "docker-login"
)

// dockerCredential is the JSON of docker's credential-helper protocol.
type dockerCredential struct {
	ServerURL string
	Username  string
	Secret    string
}

// dockerGet answers `get`. Nobody serving the address is Absent, which docker takes
// as leave to go on anonymously; every other failure is an error of its own words.
func dockerGet(ctx context.Context, c *call, current settings.Settings) (wire.Reply, secret.Text, error) {
	server := c.body.Reveal()
	if registryname.IsWebLogin(server) {
		return wire.Reply{Absent: true}, secret.Text{}, nil
	}
	located, err := c.server.broker.Locate(ctx, broker.DockerRegistry, server)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if located == nil {
		return wire.Reply{Absent: true}, secret.Text{}, nil
	}
	grant, err := c.server.broker.CredentialFor(ctx, located, broker.Request{})
	if err != nil {
		if current.Docker.AnonymousFallback {
			c.notice(fmt.Sprintf("going on anonymously (docker.anonymous_fallback): %v", err))
			return wire.Reply{Absent: true}, secret.Text{}, nil
		}
		return wire.Reply{}, secret.Text{}, explainable(err, server)
	}
	login, err := loginOf(grant)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	c.server.echoes.remember(located.ResourceName, login.Username, login.Secret)
	body, err := dockerJSON(server, login)
	return wire.Reply{}, body, err
}

func explainable(err error, server string) error {
	return fault.WithHint(err, "`svcconn explain %s` tells the whole decision", server)
}

func loginOf(grant broker.Grant) (connector.RegistryLogin, error) {
	login, ok := grant.Credential.(connector.RegistryLogin)
	if !ok {
		return login, fault.New(fault.Invalid, "connector %s does not log in to registries", grant.Connector.Name)
	}
	return login, nil
}

func dockerJSON(server string, login connector.RegistryLogin) (secret.Text, error) {
	text, err := json.Marshal(dockerCredential{server, login.Username, login.Secret.Reveal()})
	return secret.New(string(text)), err
}

// dockerList answers `list` from local data: bare hosts, since podman refuses keys
// with a scheme.
func dockerList(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	logins, err := c.server.broker.Logins(ctx)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	out := make(map[string]string, len(logins))
	for _, login := range logins {
		out[login.Registry] = login.Username
	}
	text, err := json.Marshal(out)
	return wire.Reply{}, secret.New(string(text)), err
}

// dockerStore answers `store`, which docker login runs: also with what we have just
// handed out, and even after the registry refused it.
func dockerStore(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	given, err := parseStore(c.body)
	if err != nil || registryname.IsWebLogin(given.ServerURL) {
		return wire.Reply{}, secret.Text{}, err
	}
	host, _, err := registryname.Address(given.ServerURL)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	b := c.server.broker
	located, err := b.Locate(ctx, broker.DockerRegistry, given.ServerURL)
	if err != nil {
		return wire.Reply{}, secret.Text{}, err
	}
	login := connector.RegistryLogin{Registry: host, Username: given.Username, Secret: secret.New(given.Secret)}
	switch {
	case located == nil:
		err = register(ctx, b, login)
	case c.server.echoes.known(located.ResourceName, login.Username, login.Secret):
	case located.Connector.Type != dockerType:
		err = fault.New(fault.Failed, "%s is served by connector %s, so what docker login was given is not stored", host, located.Connector.Name).
			Hint("nothing needs to be logged in to: docker gets its credential from %[1]s. To use another login: svcconn delete %[1]s", located.Connector.Name)
	default:
		err = replaceLogin(ctx, b, located, login)
	}
	return wire.Reply{}, secret.Text{}, err
}

// parseStore reads docker's JSON. The texts for what is missing are the protocol's.
func parseStore(body secret.Text) (dockerCredential, error) {
	var given dockerCredential
	if err := json.Unmarshal([]byte(body.Reveal()), &given); err != nil {
		return given, fault.New(fault.Invalid, "stdin is not the JSON that docker sends").
			Hint(`it must be {"ServerURL":"…","Username":"…","Secret":"…"}`)
	}
	switch {
	case strings.TrimSpace(given.ServerURL) == "":
		return given, fault.New(fault.Invalid, "no credentials server URL")
	case given.Username == "":
		return given, fault.New(fault.Invalid, "no credentials username")
	case given.Secret == "":
		return given, fault.New(fault.Invalid, "the secret for %s is empty", given.ServerURL).Hint("docker login %s", given.ServerURL)
	}
	return given, nil
}

// register makes a connector of what docker login was given. Docker has asked the
// registry already; asking again would need what only docker knows (its insecure
// registries, its certificates).
func register(ctx context.Context, b *broker.Broker, login connector.RegistryLogin) error {
	var values field.Values
	values.Set(usernameField, login.Username)
	values.Set(registryField, login.Registry)
	values.SetSecret(passwordField, login.Secret)
	name, err := freeName(ctx, b, login.Registry)
	if err != nil {
		return err
	}
	_, err = b.Register(ctx, broker.Draft{
		Name: name, Description: "made by docker login",
		Spec:   connector.Spec{Type: dockerType, Method: passwordMethod, Values: values},
		Labels: map[string]string{managedBy: dockerLogin},
	}, false)
	return err
}

// freeName makes a connector's name of a registry's host.
func freeName(ctx context.Context, b *broker.Broker, host string) (string, error) {
	base := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, host), "-.")
	base = base[:min(len(base), 90)]
	snapshot, err := b.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	name := base
	for n := 2; ; n++ {
		if _, taken := snapshot.Get(name); !taken {
			return name, nil
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}

// replaceLogin gives a docker connector what docker login was given, unless that is
// what it has.
func replaceLogin(ctx context.Context, b *broker.Broker, located *broker.Located, login connector.RegistryLogin) error {
	old := located.Connector
	if text, ok := old.Secrets.References[passwordField]; ok {
		return fault.New(fault.Failed, "connector %s takes its password from %s, so what docker login was given is not stored", old.Name, text).
			Hint("change the password there, or: svcconn update %s --set password=@FILE", old.Name)
	}
	if grant, err := b.CredentialFor(ctx, located, broker.Request{}); err == nil {
		if has, err := loginOf(grant); err == nil && has.Username == login.Username && has.Secret.Equal(login.Secret) {
			return nil
		}
	}
	draft := broker.DraftOf(old)
	draft.Keep = nil
	draft.Spec.Values.Set(usernameField, login.Username)
	draft.Spec.Values.SetSecret(passwordField, login.Secret)
	_, err := b.Update(ctx, old, draft, false)
	return err
}

// dockerErase answers `erase`, which docker logout runs for several spellings of
// the registry: what docker login made goes, what a person registered stays.
func dockerErase(ctx context.Context, c *call, _ settings.Settings) (wire.Reply, secret.Text, error) {
	server := c.body.Reveal()
	if registryname.IsWebLogin(server) {
		return wire.Reply{}, secret.Text{}, nil
	}
	b := c.server.broker
	located, err := b.Locate(ctx, broker.DockerRegistry, server)
	if err != nil || located == nil {
		return wire.Reply{}, secret.Text{}, err
	}
	if located.Connector.Type == dockerType && located.Connector.Labels[managedBy] == dockerLogin {
		return wire.Reply{}, secret.Text{}, b.Delete(ctx, located.Connector)
	}
	b.Forget(ctx, located.Connector.ID)
	c.server.echoes.forget(located.ResourceName)
	if c.server.echoes.firstErase(located.ResourceName, c.server.now()) {
		c.notice(fmt.Sprintf("connector %[1]s goes on serving %[2]s; to end that: svcconn logout docker %[2]s, or svcconn delete %[1]s",
			located.Connector.Name, located.ResourceName))
	}
	return wire.Reply{}, secret.Text{}, nil
}
