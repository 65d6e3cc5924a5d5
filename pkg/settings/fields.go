package settings

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// section is a table of config.toml.
type section struct {
	name   string
	help   string
	fields field.Set
}

// The names of the sections.
const (
	outputSection  = "output"
	secretsSection = "secrets"
	dockerSection  = "docker"
	kubectlSection = "kubectl"
	kubeletSection = "kubelet"
	awsSection     = "aws"
	gcloudSection  = "gcloud"
	agentSection   = "agent"
	networkSection = "network"

	connectorsSection = "connectors"
)

// sections is config.toml, in the order of config.example.toml.
var sections = []section{
	{outputSection, "How commands print what they list.", field.Set{outputFormat}},
	{secretsSection, "Where the secrets of connectors are kept.", field.Set{secretsBackend, identityFile, secretsTimeout}},
	{dockerSection, "How docker-credential-svcconn answers docker, podman, skopeo and their like.", field.Set{dockerTimeout, anonymousFallback}},
	{kubectlSection, "How kubectl-svcconn answers kubectl, helm and every other client of clusters.", field.Set{kubectlTimeout}},
	{kubeletSection, "How docker-credential-svcconn answers kubelet, on the nodes of a cluster.", field.Set{kubeletTimeout}},
	{awsSection, "How svcconn answers the SDKs of AWS, and aws, that run it as their credential_process.", field.Set{awsTimeout}},
	{gcloudSection, "How svcconn answers gcloud and the SDKs of Google, that run it as the executable of a credential file.", field.Set{gcloudTimeout}},
	{agentSection, "How long the agent keeps what it holds in memory.", field.Set{agentKeep, agentIdle}},
	{networkSection, "How services are talked to.", field.Set{networkTimeout}},
	{connectorsSection, "What connectors may do.", field.Set{allowImplicit}},
}

var outputFormat = field.String{
	Name: "format", Title: "output format", Default: "table", Choices: []string{"table", "json", "yaml", "csv", "name"},
	Help: "The format of everything that lists or describes. The flag -o and the environment variable SVCCONN_OUTPUT override it.",
}

var secretsBackend = field.String{
	Name: "backend", Title: "secret store", Default: "auto", Choices: []string{"auto", "keyring", "file"},
	Help: "The secret store for new secrets: the keyring of the operating system, or a file that is encrypted with age. " +
		"auto takes the keyring where there is one at first use, and keeps to that choice. Secrets are never stored in plain text. " +
		"The environment variable SVCCONN_SECRETS overrides it.",
}

var identityFile = field.String{
	Name: "identity_file", Title: "age identity file", Example: "identity.txt", Check: checkPath,
	Help: "A file with an age identity that encrypts the secret store \"file\". A relative path begins at the folder of config.toml. " +
		"Without it, a passphrase is asked for.",
}

var secretsTimeout = field.Duration{
	Name: "timeout", Title: "keyring timeout", Default: "3s", Min: shortest, Max: time.Hour,
	Help: "How long to wait for the keyring, which may hang while it is locked.",
}

var dockerTimeout = field.Duration{
	Name: "timeout", Title: "docker timeout", Default: "5s", Min: shortest, Max: time.Hour,
	Help: "How long docker may be kept waiting for a credential before it is told what is slow.",
}

var anonymousFallback = field.Bool{
	Name: "anonymous_fallback", Title: "anonymous fallback", Default: "false",
	Help: "Let docker go on without credentials when there are none to be had for a registry that a connector serves. " +
		"It is for hosts with public and private images; a denied or unreachable service then looks like an image that is not there.",
}

var kubeletTimeout = field.Duration{
	Name: "timeout", Title: "kubelet timeout", Default: "30s", Min: shortest, Max: time.Minute,
	Help: "How long kubelet may be kept waiting for a credential. It gives up after a minute by itself.",
}

var awsTimeout = field.Duration{
	Name: "timeout", Title: "AWS timeout", Default: "30s", Min: shortest, Max: 55 * time.Second,
	Help: "How long an SDK of AWS may be kept waiting for keys before it is told what is slow. SDKs give up after a minute by themselves.",
}

var gcloudTimeout = field.Duration{
	Name: "timeout", Title: "gcloud timeout", Default: "30s", Min: shortest, Max: 110 * time.Second,
	Help: "How long gcloud, or an SDK of Google, may be kept waiting for a token before it is told what is slow. They give up after two minutes by themselves.",
}

var kubectlTimeout = field.Duration{
	Name: "timeout", Title: "kubectl timeout", Default: "10s", Min: shortest, Max: time.Hour,
	Help: "How long kubectl may be kept waiting for a credential before it is told what is slow.",
}

var agentKeep = field.Duration{
	Name: "keep", Title: "keep", Default: "15m", Max: longest,
	Help: "How long a credential that does not expire is kept after it was got. 0s keeps none.",
}

var agentIdle = field.Duration{
	Name: "idle", Title: "idle time", Default: "10m", Max: longest,
	Help: "How long the agent lives after the last credential that it held has expired.",
}

var networkTimeout = field.Duration{
	Name: "timeout", Title: "network timeout", Default: "20s", Min: shortest, Max: time.Hour,
	Help: "How long one call to a service may take.",
}

var allowImplicit = field.Bool{
	Name: "allow_implicit", Title: "allow implicit authentication", Default: "false",
	Help: "Allow auth methods that take the identity of this machine or of somebody's files: profiles, instance roles, web identities. " +
		"Whoever may use such a connector acts as that identity; leave it off where that is not everybody's own.",
}

// The bounds of times: below the one nothing can be answered, and above the other
// somebody meant another unit.
const (
	shortest = 10 * time.Millisecond
	longest  = 30 * 24 * time.Hour
)

func checkPath(path string) (string, error) {
	if strings.HasPrefix(path, "~") {
		return "", fault.New(fault.Invalid, "~ is not expanded here").Hint("write the path from the root, or from the folder of config.toml")
	}
	return filepath.Clean(path), nil
}
