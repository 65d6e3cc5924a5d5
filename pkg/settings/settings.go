// Package settings reads CONFIG/config.toml. Each setting is declared once, with
// package field: the declaration documents, validates and reads it, and
// config.example.toml is made from it.
//
// It refuses keys that it does not know, and to write: the file is a person's.
package settings

import (
	"path/filepath"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/tomlfile"
)

// Settings are the contents of config.toml, complete: what the file leaves out has
// its default.
type Settings struct {
	Output  Output
	Secrets Secrets
	Docker  Docker
	Kubectl Kubectl
	Kubelet Kubelet
	AWS     AWS
	Gcloud  Gcloud
	Agent   Agent
	Network Network

	Connectors Connectors
}

// Output is how commands print what they list.
type Output struct {
	Format string // table, json, yaml, csv or name
}

// Secrets is where the secrets of connectors are kept.
type Secrets struct {
	Backend      string        // auto, keyring or file
	IdentityFile string        // absolute path of an age identity for the file; "" is a passphrase
	Timeout      time.Duration // for one call to the keyring
}

// Docker is how docker-credential-svcconn answers.
type Docker struct {
	Timeout           time.Duration // for one answer
	AnonymousFallback bool          // let docker go on without credentials where there are none to be had
}

// AWS is how svcconn answers the SDKs of AWS that run it.
type AWS struct {
	Timeout time.Duration // for one answer
}

// Gcloud is how svcconn answers gcloud and the SDKs of Google that run it.
type Gcloud struct {
	Timeout time.Duration // for one answer
}

// Kubelet is how docker-credential-svcconn answers kubelet.
type Kubelet struct {
	Timeout time.Duration // for one answer
}

// Kubectl is how kubectl-svcconn answers.
type Kubectl struct {
	Timeout time.Duration // for one answer
}

// Agent is how long the agent keeps things.
type Agent struct {
	Keep time.Duration // a credential without expiry, after its mint
	Idle time.Duration // itself, after its last credential has expired
}

// Connectors is what connectors may do.
type Connectors struct {
	AllowImplicit bool // auth methods that take the identity of the machine
}

// Network is how services are talked to.
type Network struct {
	Timeout time.Duration // for one call
}

// fileName is the file inside the configuration folder, and what errors call it.
const fileName = "config.toml"

// Load reads the settings in a configuration folder. A file that is not there is
// all defaults; a mistake in it is fault.Invalid with file, line and key.
func Load(config string) (Settings, error) {
	return NewFile(config, func() time.Time { return time.Time{} }).Current()
}

// File is config.toml, read anew only when it has changed. It is safe for
// concurrent use.
type File struct{ cached tomlfile.Cached[Settings] }

// NewFile returns the file in a configuration folder. Nothing is read before the
// first use. now is compared with the file's modification time.
func NewFile(config string, now func() time.Time) *File {
	return &File{tomlfile.Cached[Settings]{
		Path: filepath.Join(config, fileName), Name: fileName, Now: now,
		Decode: func(data []byte) (Settings, error) { return decode(config, data) },
	}}
}

// Current returns the settings as the file has them now, as Load does.
func (f *File) Current() (Settings, error) { return f.cached.Get() }

func decode(config string, data []byte) (Settings, error) {
	root, err := tomlfile.Parse(fileName, data)
	if err != nil {
		return Settings{}, err
	}
	values := make(map[string]field.Values, len(sections))
	for _, s := range sections {
		values[s.name] = s.read(root.Table(s.name))
	}
	if err := root.Err(); err != nil {
		return Settings{}, err
	}
	return assemble(config, values), nil
}

// read returns the values of a section, defaults included.
func (s section) read(t *tomlfile.Table) field.Values {
	var values field.Values
	for _, f := range s.fields {
		info := f.Info()
		given := t.Value(info.Name)
		if given == nil || given == "" && info.Default == "" {
			given = info.Default
		}
		if given == "" {
			continue
		}
		value, err := f.Accept(given)
		t.Mistake(info.Name, err)
		values.Set(info.Name, value)
	}
	return values
}

func assemble(config string, values map[string]field.Values) Settings {
	identity := identityFile.Get(values[secretsSection])
	if identity != "" && !filepath.IsAbs(identity) {
		identity = filepath.Join(config, identity)
	}
	return Settings{
		Output: Output{Format: outputFormat.Get(values[outputSection])},
		Secrets: Secrets{
			Backend:      secretsBackend.Get(values[secretsSection]),
			IdentityFile: identity,
			Timeout:      secretsTimeout.Get(values[secretsSection]),
		},
		Docker: Docker{
			Timeout:           dockerTimeout.Get(values[dockerSection]),
			AnonymousFallback: anonymousFallback.Get(values[dockerSection]),
		},
		Kubectl: Kubectl{Timeout: kubectlTimeout.Get(values[kubectlSection])},
		Kubelet: Kubelet{Timeout: kubeletTimeout.Get(values[kubeletSection])},
		AWS:     AWS{Timeout: awsTimeout.Get(values[awsSection])},
		Gcloud:  Gcloud{Timeout: gcloudTimeout.Get(values[gcloudSection])},
		Agent: Agent{
			Keep: agentKeep.Get(values[agentSection]),
			Idle: agentIdle.Get(values[agentSection]),
		},
		Network: Network{Timeout: networkTimeout.Get(values[networkSection])},

		Connectors: Connectors{AllowImplicit: allowImplicit.Get(values[connectorsSection])},
	}
}

// WithEnv returns the settings with those that environment variables override:
// SVCCONN_OUTPUT and SVCCONN_SECRETS. An empty variable overrides nothing; one with
// a value that the setting does not take is fault.Invalid.
func (s Settings) WithEnv(getenv func(string) string) (Settings, error) {
	for _, override := range []struct {
		variable string
		field    field.String
		setting  *string
	}{
		{"SVCCONN_OUTPUT", outputFormat, &s.Output.Format},
		{"SVCCONN_SECRETS", secretsBackend, &s.Secrets.Backend},
	} {
		text := getenv(override.variable)
		if text == "" {
			continue
		}
		value, err := override.field.Parse(text)
		if err != nil {
			return Settings{}, fault.Within(err, "environment variable %s", override.variable)
		}
		*override.setting = value.(string)
	}
	return s, nil
}
