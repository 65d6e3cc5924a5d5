package agent

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The formats of `svcconn credential`.
const (
	FormatJSON   = "json"            // all there is, for scripts
	FormatToken  = "token"           // the bare secret
	FormatEnv    = "env"             // assignments for a POSIX shell's eval
	FormatDocker = "docker"          // what docker-credential-svcconn prints
	FormatExec   = "exec-credential" // what kubectl-svcconn prints

	// FormatProcess is what the SDKs of AWS read of their credential_process.
	FormatProcess = "credential-process"

	// FormatGoogle is what the SDKs of Google read of their executable: a token that is
	// exchanged for the credential (see exchange). Not Render makes it, but GoogleToken.
	FormatGoogle = "google-executable"

	// FormatKeyFile is the long-lived secret itself, as the SDKs of Google read it.
	FormatKeyFile = "google-key-file"

	// FormatRedacted is a Description: for describe, with no secret in it.
	FormatRedacted = "redacted"
)

// Formats lists the formats that Render knows.
var formats = []string{FormatJSON, FormatToken, FormatEnv, FormatDocker, FormatExec, FormatProcess, FormatGoogle, FormatKeyFile}

// Formats lists the formats of a credential, for help and completion.
func Formats() []string { return slices.Clone(formats) }

func renderable(format string) error {
	if format == FormatRedacted || slices.Contains(formats, format) {
		return nil
	}
	return fault.New(fault.Invalid, "unknown format %q", format).Hint("--format takes one of: %s", strings.Join(formats, ", "))
}

// Render puts a credential into the form that a native tool or a script reads. A
// form that the credential has none of is fault.Invalid. now is the time.
func Render(grant broker.Grant, format string, now time.Time) (secret.Text, error) {
	if format == FormatRedacted {
		return describe(grant)
	}
	own := func(formats ...string) bool {
		return slices.Contains(append(formats, FormatJSON, FormatToken, FormatEnv), format)
	}
	switch credential := grant.Credential.(type) {
	case connector.RegistryLogin:
		if own(FormatDocker) {
			return renderLogin(credential, format)
		}
	case connector.KubernetesAuth:
		if own(FormatExec) {
			return renderCluster(grant, credential, format, now)
		}
	case connector.AWSKeys:
		if own(FormatProcess) {
			return renderKeys(credential, format)
		}
	case connector.AccessToken:
		if own() {
			return renderToken(credential, format)
		}
	case connector.KeyFile:
		if format == FormatKeyFile {
			return credential.JSON, nil
		}
	}
	return secret.Text{}, fault.New(fault.Invalid, "a credential of resource type %s cannot be shown as %s", grant.ResourceType, format).
		Hint("--format json shows all of it; `svcconn credential --help` tells which format is for what")
}

// Description is a credential without its secrets, and what it is for.
type Description struct {
	Connector    string         `json:"connector"`
	ResourceType string         `json:"resource_type"`
	ResourceName string         `json:"resource_name"`
	Credential   map[string]any `json:"credential"`
}

func describe(grant broker.Grant) (secret.Text, error) {
	out := Description{Connector: grant.Connector.Name, ResourceType: grant.ResourceType, ResourceName: grant.ResourceName,
		Credential: map[string]any{"expires_at": expiresAt(grant.Credential)}}
	switch credential := grant.Credential.(type) {
	case connector.RegistryLogin:
		out.Credential["registry"], out.Credential["username"], out.Credential["password"] = credential.Registry, credential.Username, credential.Secret
	case connector.KubernetesAuth:
		describeCluster(out.Credential, credential)
	case connector.AWSKeys:
		describeKeys(out.Credential, credential)
	case connector.AccessToken:
		describeToken(out.Credential, credential)
	}
	text, err := json.Marshal(out)
	return secret.New(string(text)), err
}

func renderLogin(login connector.RegistryLogin, format string) (secret.Text, error) {
	key := dockerKey(login.Registry)
	switch format {
	case FormatToken:
		return secret.New(login.Secret.Reveal() + "\n"), nil
	case FormatDocker:
		return dockerJSON(key, login)
	case FormatEnv:
		return renderLoginEnv(key, login), nil
	}
	text, err := json.MarshalIndent(loginJSON{login.Registry, login.Username, login.Secret.Reveal(), expiresAt(login)}, "", "  ")
	return secret.New(string(text) + "\n"), err
}

// loginJSON is the JSON of a registry login.
type loginJSON struct {
	Registry string     `json:"registry"`
	Username string     `json:"username"`
	Password string     `json:"password"`
	Expires  *time.Time `json:"expires_at"`
}

// renderLoginEnv uses DOCKER_AUTH_CONFIG, which docker reads before its helpers:
// https://docs.docker.com/reference/cli/docker/#environment-variables
func renderLoginEnv(key string, login connector.RegistryLogin) secret.Text {
	pair := base64.StdEncoding.EncodeToString([]byte(login.Username + ":" + login.Secret.Reveal()))
	config, _ := json.Marshal(map[string]any{"auths": map[string]any{key: map[string]string{"auth": pair}}})
	return secret.New("export DOCKER_AUTH_CONFIG=" + shellQuote(string(config)) + "\n")
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func dockerKey(registry string) string {
	name, err := registryname.Parse(registry)
	if err != nil {
		return registry
	}
	return name.DockerKey()
}

func expiresAt(c connector.Credential) *time.Time {
	at := c.Expiry().UTC()
	if c.Expiry().IsZero() {
		return nil
	}
	return &at
}
