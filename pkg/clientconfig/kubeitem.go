package clientconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/connector"
)

// KubePlugin is the program that the users which svcconn writes run.
const KubePlugin = "kubectl-svcconn"

// What a user that svcconn writes says to kubectl. It is never interactive: a login
// that needs a person is for `svcconn verify`, and a background program must not open
// a browser.
const (
	execVersion     = "client.authentication.k8s.io/v1"
	execVersionOld  = "client.authentication.k8s.io/v1beta1"
	execInteractive = "Never"
	execVerb        = "credential"
	execConnector   = "--connector"
	execCluster     = "--cluster"
	installHint     = KubePlugin + " is missing. It comes with svcconn, and belongs into the same folder: https://github.com/svcconn/svcconn"
)

// largestProvided bounds the certificates that kubectl passes on in an environment
// variable; Linux allows 128 KiB, Windows 32 Ki characters.
const largestProvided = 16 << 10

// kubeItem is an entry of one of the lists of a kubeconfig. The fields are those of
// the format, in kubectl's order; one of the three has a value.
type kubeItem struct {
	Cluster *kubeCluster `yaml:"cluster,omitempty" json:"cluster,omitempty"`
	Context *kubeContext `yaml:"context,omitempty" json:"context,omitempty"`
	Name    string       `yaml:"name" json:"name"`
	User    *kubeUser    `yaml:"user,omitempty" json:"user,omitempty"`
}

type kubeCluster struct {
	CertificateAuthorityData string `yaml:"certificate-authority-data,omitempty" json:"certificate-authority-data,omitempty"`
	Insecure                 bool   `yaml:"insecure-skip-tls-verify,omitempty" json:"insecure-skip-tls-verify,omitempty"`
	ProxyURL                 string `yaml:"proxy-url,omitempty" json:"proxy-url,omitempty"`
	Server                   string `yaml:"server" json:"server"`
	TLSServerName            string `yaml:"tls-server-name,omitempty" json:"tls-server-name,omitempty"`
}

type kubeContext struct {
	Cluster string `yaml:"cluster" json:"cluster"`
	User    string `yaml:"user" json:"user"`
}

type kubeUser struct {
	Exec kubeExec `yaml:"exec" json:"exec"`
}

type kubeExec struct {
	APIVersion         string   `yaml:"apiVersion" json:"apiVersion"`
	Args               []string `yaml:"args" json:"args"`
	Command            string   `yaml:"command" json:"command"`
	InstallHint        string   `yaml:"installHint,omitempty" json:"installHint,omitempty"`
	InteractiveMode    string   `yaml:"interactiveMode" json:"interactiveMode"`
	ProvideClusterInfo bool     `yaml:"provideClusterInfo" json:"provideClusterInfo"`
}

// KubeLogin is one cluster that kubectl shall be led to.
type KubeLogin struct {
	Name      string // of the context, the user and the cluster in the kubeconfig
	Connector string // that has the credentials
	Endpoint  connector.KubernetesEndpoint
	Command   string // how kubectl calls KubePlugin: an absolute path, or the bare name
	Old       bool   // for a kubectl older than 1.22, which knows v1beta1 of the exec protocol alone
}

// items are the entries for a login, by list.
func (l KubeLogin) items() map[string]kubeItem {
	e := l.Endpoint
	cluster := kubeCluster{Insecure: e.Insecure, ProxyURL: e.ProxyURL, Server: e.Server, TLSServerName: e.TLSServerName}
	if !e.Insecure { // client-go takes one of the two
		cluster.CertificateAuthorityData = base64.StdEncoding.EncodeToString([]byte(e.CertificateAuthority))
	}
	version := execVersion
	if l.Old {
		version = execVersionOld
	}
	exec := kubeExec{
		APIVersion: version, Command: l.Command, InstallHint: installHint, InteractiveMode: execInteractive,
		Args:               []string{execVerb, execConnector, l.Connector, execCluster, e.Cluster},
		ProvideClusterInfo: len(cluster.CertificateAuthorityData) <= largestProvided,
	}
	return map[string]kubeItem{
		memberClusters: {Name: l.Name, Cluster: &cluster},
		memberContexts: {Name: l.Name, Context: &kubeContext{Cluster: l.Name, User: l.Name}},
		memberUsers:    {Name: l.Name, User: &kubeUser{exec}},
	}
}

// itemOf is what a config has under a name, as far as svcconn writes it; nil is
// nothing.
func itemOf(config *clientcmdapi.Config, list, name string) *kubeItem {
	switch list {
	case memberClusters:
		if c := config.Clusters[name]; c != nil {
			return &kubeItem{Name: name, Cluster: &kubeCluster{
				CertificateAuthorityData: base64.StdEncoding.EncodeToString(c.CertificateAuthorityData),
				Insecure:                 c.InsecureSkipTLSVerify, ProxyURL: c.ProxyURL, Server: c.Server, TLSServerName: c.TLSServerName,
			}}
		}
	case memberContexts:
		if c := config.Contexts[name]; c != nil {
			return &kubeItem{Name: name, Context: &kubeContext{Cluster: c.Cluster, User: c.AuthInfo}}
		}
	case memberUsers:
		if u := config.AuthInfos[name]; u != nil && u.Exec != nil {
			return &kubeItem{Name: name, User: &kubeUser{kubeExec{
				APIVersion: u.Exec.APIVersion, Args: u.Exec.Args, Command: u.Exec.Command, InstallHint: u.Exec.InstallHint,
				InteractiveMode: string(u.Exec.InteractiveMode), ProvideClusterInfo: u.Exec.ProvideClusterInfo,
			}}}
		} else if u != nil {
			return &kubeItem{Name: name}
		}
	}
	return nil
}

// leadsHere reports whether a user of a kubeconfig runs our plugin, wherever it is.
func leadsHere(user *clientcmdapi.AuthInfo) bool {
	if user == nil || user.Exec == nil || len(user.Exec.Args) == 0 || user.Exec.Args[0] != execVerb {
		return false
	}
	name := filepath.Base(strings.ReplaceAll(user.Exec.Command, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(name), ".exe") == KubePlugin
}

// argument is the value of a flag in the arguments of our plugin.
func argument(user *clientcmdapi.AuthInfo, flag string) string {
	for i, arg := range user.Exec.Args {
		if value, joined := strings.CutPrefix(arg, flag+"="); joined {
			return value
		}
		if arg == flag && i+1 < len(user.Exec.Args) {
			return user.Exec.Args[i+1]
		}
	}
	return ""
}

// inBlock writes entries as kubectl does, a line for each value.
func inBlock(entries []kubeItem, indent int, newline string) string {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	_ = encoder.Encode(entries) // plain structs always encode
	text := strings.TrimSuffix(out.String(), "\n")
	return spaces(indent) + strings.ReplaceAll(text, "\n", newline+spaces(indent)) + newline
}

// inFlow writes entries as JSON, which is YAML too, without the brackets around them.
func inFlow(entries []kubeItem) string {
	return strings.TrimSuffix(strings.TrimPrefix(jsonText(entries), "["), "]")
}

func jsonText(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // plain structs and strings always encode
	return strings.TrimSuffix(out.String(), "\n")
}

// yamlText writes a string so that it stays one.
func yamlText(text string) string {
	out, _ := yaml.Marshal(text)
	if line := strings.TrimSuffix(string(out), "\n"); !strings.Contains(line, "\n") {
		return line
	}
	return jsonText(text)
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// ownNames are the names of the users that lead here, sorted.
func ownNames(config *clientcmdapi.Config) []string {
	var names []string
	for name, user := range config.AuthInfos {
		if leadsHere(user) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
