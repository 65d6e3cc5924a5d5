package kubernetes

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/secret"
)

// extension is where a kubeconfig keeps what its plugins want to know of a cluster.
const extension = "client.authentication.k8s.io/exec"

// secretArgument matches arguments that look as if they were secrets.
var secretArgument = regexp.MustCompile(`(?i)(secret|password|token|key)=.`)

// exec takes over another credential plugin.
func (c *candidate) exec(plugin *clientcmdapi.ExecConfig, cluster *clientcmdapi.Cluster) error {
	program := strings.TrimSuffix(filepath.Base(plugin.Command), ".exe")
	_, extended := cluster.Extensions[extension]
	switch {
	case program == "kubectl-svcconn" || program == "svcconn":
		return refuse("it gets its credentials from svcconn already")
	case plugin.InteractiveMode == clientcmdapi.AlwaysExecInteractiveMode:
		return refuse("its plugin %s asks a person every time, and nobody is there to be asked", program)
	case plugin.ProvideClusterInfo && extended:
		return refuse("its plugin wants the cluster's extension %s, which it does not get from svcconn", extension)
	case slices.ContainsFunc(plugin.Args, func(arg string) bool { return strings.TrimSpace(arg) != arg || arg == "" }):
		return refuse("its plugin has an argument that is empty or has spaces around it")
	}
	c.method = methodExec
	c.values.Set(execCommand.Name, plugin.Command)
	if plugin.APIVersion != "" {
		c.values.Set(execVersion.Name, plugin.APIVersion)
	}
	if len(plugin.Args) > 0 {
		c.values.Set(execArgs.Name, slices.Clone(plugin.Args))
	}
	if plugin.ProvideClusterInfo {
		c.values.Set(execClusterInfo.Name, true)
	}
	if slices.ContainsFunc(plugin.Args, secretArgument.MatchString) {
		c.note("has a plugin with an argument that looks secret; it is in plain text in the connector's file, as it is in the kubeconfig")
	}
	return c.variables(plugin.Env)
}

// variables takes over a plugin's variables, the secret ones into the secret store.
func (c *candidate) variables(env []clientcmdapi.ExecEnvVar) error {
	var plain, hidden []string
	for _, variable := range env {
		text := variable.Name + "=" + variable.Value
		switch {
		case strings.ContainsAny(variable.Value, "\r\n") || strings.TrimSpace(text) != text:
			return refuse("its plugin has a variable with a line break in it, or spaces around it")
		case looksSecret(variable.Name) && variable.Value != "":
			hidden = append(hidden, text)
		default:
			plain = append(plain, text)
		}
	}
	if len(plain) > 0 {
		c.values.Set(execEnv.Name, plain)
	}
	if len(hidden) > 0 {
		c.values.SetSecret(execSecretEnv.Name, secret.New(strings.Join(hidden, "\n")))
		c.source.PlainText = true
	}
	return nil
}
