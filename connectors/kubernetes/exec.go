package kubernetes

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	// pluginPatience bounds one run of a plugin where the caller sets no deadline.
	pluginPatience = 30 * time.Second
	// pluginKept is the life of what a plugin hands out without an expiry. client-go
	// keeps it for as long as one command runs.
	pluginKept = 5 * time.Minute
	// execGroup is the API group of client-go's exec protocol, with the slash behind it.
	execGroup = "client.authentication.k8s.io/"
	// execInfo is the variable in which a plugin is told what is wanted.
	execInfo = "KUBERNETES_EXEC_INFO"
)

// The fields of auth method exec.
var (
	execCommand = field.String{
		Name: "command", Title: "plugin", Required: true, Example: "/usr/local/bin/aws",
		Help: "The credential plugin to run. A name is looked up in PATH when the connector is registered, " +
			"and the absolute path is kept: what PATH says later does not matter.",
		Check: absoluteCommand,
	}
	execArgs = field.List{
		Name: "args", Title: "arguments", Example: "eks,get-token,--cluster-name,production",
		Help: "The arguments of the plugin, separated by commas. Where one has a comma in it, write the list into the connector's file.",
	}
	execEnv = field.List{
		Name: "env", Title: "environment", Example: "AWS_PROFILE=dev",
		Help: "Variables for the plugin, each NAME=VALUE, separated by commas. They are stored in plain text: secret ones go into secret_env. " +
			"Beside them the plugin sees what the agent has: HOME, PATH, the language, and how to reach keyring, display and proxy. " +
			"Nothing else of the shell that you happen to be in reaches it, so a profile or a project that it needs is given here.",
		Check: checkVariable,
	}
	execSecretEnv = field.Secret{
		Name: "secret_env", Title: "secret environment", Multiline: true,
		Help:  "Variables for the plugin whose values are secret, each NAME=VALUE on a line of its own: --set secret_env=@FILE.",
		Check: checkSecretVariables,
	}
	execVersion = field.String{
		Name: "api_version", Title: "version of the protocol", Default: "v1", Example: "v1beta1",
		Help:  "The version that the plugin is asked for and has to answer in, v1 or v1beta1: what apiVersion in the kubeconfig says behind " + execGroup + ".",
		Check: canonicalVersion,
	}
	execClusterInfo = field.Bool{
		Name: "provide_cluster_info", Title: "cluster information",
		Help: "Tell the plugin which cluster it is for: its server and certificate authority.",
	}
)

// plugin is a credential plugin of somebody else.
type plugin struct {
	host        connector.Host
	command     string
	args        []string
	env         []string
	secretEnv   []variable
	apiVersion  string
	clusterInfo bool
}

func execMethod() method {
	return method{open: openPlugin, AuthMethod: connector.AuthMethod{
		Name:      methodExec,
		Title:     "Credential plugin",
		Temporary: true,
		Fields:    field.Set{execCommand, execArgs, execEnv, execSecretEnv, execVersion, execClusterInfo},
		Doc: `Runs a credential plugin that you have already, such as aws eks get-token, gke-gcloud-auth-plugin or kubelogin, and hands out what it answers. Such plugins take from 20 to 500 milliseconds, for every command of kubectl; here the agent runs it once, keeps the answer in memory until shortly before its expiry, and gets a new one ahead of that.

The plugin runs in your home folder, in the agent: without a terminal and without your shell's environment, so what it needs is given in the fields env and secret_env. A plugin that wants to ask something cannot, and fails: log in with its own command first, such as aws sso login. It has 30 seconds.

What a plugin hands out without an expiry is kept for 5 minutes. This method takes no expiration: the plugin decides.`,
	}}
}

func openPlugin(host connector.Host, settings connector.Settings) (authenticator, error) {
	secrets, err := variables(execSecretEnv.Get(settings.Values))
	if err != nil {
		return nil, err
	}
	return &plugin{
		host: host, command: execCommand.Get(settings.Values), args: execArgs.Get(settings.Values), env: execEnv.Get(settings.Values),
		secretEnv: secrets, apiVersion: execGroup + execVersion.Get(settings.Values), clusterInfo: execClusterInfo.Get(settings.Values),
	}, nil
}

// prove implements authenticator: it runs the plugin.
func (p *plugin) prove(ctx context.Context, c *client, lifetime time.Duration) (proof, error) {
	if lifetime != 0 {
		return proof{}, fault.New(fault.Invalid, "the lifetime is what the plugin decides, and cannot be asked for")
	}
	info, err := p.info(c.endpoint)
	if err != nil {
		return proof{}, err
	}
	finished, err := p.run(ctx, info)
	if err != nil {
		return proof{}, err
	}
	return p.read(finished.Stdout, c.now())
}

func (p *plugin) String() string { return "plugin " + filepath.Base(p.command) }

func (p *plugin) run(ctx context.Context, info string) (connector.Finished, error) {
	if p.host.Run == nil {
		return connector.Finished{}, fault.New(fault.Failed, "%s cannot be run: no programs may be run here", p)
	}
	env := append([]string{}, p.env...)
	for _, v := range p.secretEnv {
		env = append(env, v.name+"="+v.value.Reveal())
	}
	limited, cancel := context.WithTimeout(ctx, pluginPatience)
	defer cancel()
	finished, err := p.host.Run(limited, connector.Command{
		Program: p.command, Args: p.args, Env: append(env, execInfo+"="+info), Dir: p.host.Home,
	})
	said := p.said(finished)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return finished, fault.New(fault.Interrupted, "%s: %w", p, context.Canceled)
	case limited.Err() != nil:
		return finished, fault.New(fault.Unavailable, "%s did not answer in time%s", p, said).
			Hint("run %s by hand: it must end by itself, without asking anything; log in with its own command if it wants that", p.command)
	case err != nil:
		return finished, fault.New(fault.Failed, "%s cannot be run: %w", p, err).
			Hint("install it, or say where it is: svcconn update NAME --set command=PATH")
	case finished.Failure != "":
		return finished, fault.New(fault.Failed, "%s: %s%s", p, finished.Failure, said).
			Hint("it may need a login of its own, or variables that it does not get here: svcconn update NAME --set env=NAME=VALUE")
	}
	return finished, nil
}

// saidLines is how many of the last lines of stderr are repeated.
const saidLines = 3

// said is the end of what the plugin wrote to stderr, for an error: without secrets of
// ours, and without what it wrote to stdout too.
func (p *plugin) said(finished connector.Finished) string {
	var lines []string
	for line := range strings.Lines(string(finished.Stderr)) {
		line = strings.TrimSpace(line)
		if line != "" && (len(line) < 8 || !strings.Contains(string(finished.Stdout), line)) {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines[max(0, len(lines)-saidLines):], "; ")
	for _, v := range p.secretEnv {
		text = hop.Scrubbed(text, v.value)
	}
	if text = hop.OneLine(text); text == "" {
		return ""
	}
	return ": " + text
}

// absoluteCommand finds the plugin that a name means here and now.
func absoluteCommand(text string) (string, error) {
	if filepath.IsAbs(text) {
		return filepath.Clean(text), nil
	}
	found, err := exec.LookPath(text)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", fault.New(fault.Invalid, "the program %s is not in PATH", hop.OneLine(text)).Hint("install it, or give its absolute path")
	}
	return found, nil
}

func canonicalVersion(text string) (string, error) {
	version := strings.TrimPrefix(text, execGroup)
	if version != "v1" && version != "v1beta1" {
		return "", fault.New(fault.Invalid, "%q is neither v1 nor v1beta1", text).Hint("no kubectl since 1.24 knows another one")
	}
	return version, nil
}

// variable is one of an environment.
type variable struct {
	name  string
	value secret.Text
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// secretName matches names of variables whose values are secrets, not where to find
	// them.
	secretName = regexp.MustCompile(`(?i)(SECRET|PASSWORD|PASSWD|TOKEN|_KEY)[A-Z0-9]*$`)
)

// looksSecret tells variables that belong in secret_env by their names.
func looksSecret(name string) bool { return secretName.MatchString(name) }

func checkVariable(text string) (string, error) {
	name, value, found := strings.Cut(text, "=")
	switch {
	case !found || !variableName.MatchString(name):
		return "", fault.New(fault.Invalid, "a variable is not written as NAME=VALUE").Hint("separate several by commas: --set env=A=1,B=2")
	case name == execInfo:
		return "", fault.New(fault.Invalid, "%s is set by svcconn", execInfo)
	case looksSecret(name) && value != "":
		return "", fault.New(fault.Invalid, "%s is stored in plain text here, and its name says that it is a secret", name).
			Hint("put it into a file as %s=VALUE, and give that with --set secret_env=@FILE", name)
	}
	return text, nil
}

func checkSecretVariables(text secret.Text) error {
	_, err := variables(text)
	return err
}

// variables reads lines of NAME=VALUE; blank ones do not count.
func variables(text secret.Text) ([]variable, error) {
	var out []variable
	for line := range strings.Lines(text.Reveal()) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || !variableName.MatchString(name) || value == "" || strings.ContainsRune(value, 0) {
			return nil, fault.New(fault.Invalid, "a line of it is not NAME=VALUE")
		}
		out = append(out, variable{name, secret.New(value)})
	}
	return out, nil
}
