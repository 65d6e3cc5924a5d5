package clientconfig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/connector"
)

// KubePointer is a user of a kubeconfig that leads to svcconn.
type KubePointer struct {
	File string // the file itself, symbolic links resolved
	User string
	// Connector and Cluster are what its arguments name; "" where it leaves that to the
	// address.
	Connector, Cluster string
}

// KubePointers lists the users in kubeconfigs that lead to svcconn, in the files that
// kubectl reads and in those that a login has changed. Files that cannot be read are in
// the error, beside the pointers of the others.
func KubePointers(env Env) ([]KubePointer, error) {
	var pointers []KubePointer
	var broken []error
	seen := map[string]bool{}
	for _, path := range env.kubePointerFiles() {
		k, err := openKube(path)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if seen[k.file] {
			continue
		}
		seen[k.file] = true
		for _, name := range ownNames(k.config) {
			user := k.config.AuthInfos[name]
			pointers = append(pointers, KubePointer{File: k.file, User: name,
				Connector: argument(user, execConnector), Cluster: argument(user, execCluster)})
		}
	}
	return pointers, errors.Join(broken...)
}

func openKube(path string) (*kubeFile, error) {
	found, err := read(path)
	if err != nil {
		return nil, err
	}
	return parseKube(found.path, found.text)
}

// KubeSubject is what a context or a server comes to in kubectl's files.
type KubeSubject struct {
	Server    string // of the cluster
	Cluster   string // that the user of ours names; "" if it names none
	Connector string // that the user of ours names, if the subject is a context
	Findings  []Finding
}

// ExplainKube tells whether kubectl comes to svcconn for a context of its
// configuration, or for the server of a cluster, and by which entry. Nil means that no
// file of kubectl's has to do with the subject. A file that cannot be read is a
// finding, since kubectl stumbles over it too.
func ExplainKube(env Env, subject string) *KubeSubject {
	merged, broken := env.mergedKube()
	out := KubeSubject{Findings: broken}
	found := false
	for name, c := range merged.Contexts {
		cluster := merged.Clusters[c.Cluster]
		address := cluster != nil && strings.Contains(subject, "://") && sameServer(cluster.Server, subject)
		if name != subject && !address {
			continue
		}
		found = true
		out.Findings = append(out.Findings, explainContext(merged, name))
		if user := merged.AuthInfos[c.AuthInfo]; leadsHere(user) {
			out.Cluster = argument(user, execCluster)
			if name == subject {
				out.Connector = argument(user, execConnector)
			}
		}
		if cluster != nil && (out.Server == "" || name == subject) {
			out.Server = cluster.Server
		}
	}
	if !found {
		return nil
	}
	return &out
}

// NoKubeContext is the finding for a cluster that no context of kubectl's files is for.
func NoKubeContext(env Env, subject string) []Finding {
	return []Finding{{Tool: Kubectl, File: env.kubeDefault(), Key: subject, Reason: "no context is for it, in this nor in any other kubeconfig that is read"}}
}

// mergedKube is one configuration of all files, the first that has a name winning.
func (e Env) mergedKube() (*clientcmdapi.Config, []Finding) {
	merged := clientcmdapi.NewConfig()
	var broken []Finding
	for _, path := range e.KubeFiles() {
		k, err := openKube(path)
		if err != nil {
			broken = append(broken, Finding{Tool: Kubectl, File: path, Reason: err.Error()})
			continue
		}
		for name, c := range k.config.Contexts {
			if _, taken := merged.Contexts[name]; !taken {
				c.LocationOfOrigin = k.file
				merged.Contexts[name] = c
			}
		}
		adopt(merged.Clusters, k.config.Clusters)
		adopt(merged.AuthInfos, k.config.AuthInfos)
	}
	return merged, broken
}

func adopt[T any](into, from map[string]T) {
	for name, value := range from {
		if _, taken := into[name]; !taken {
			into[name] = value
		}
	}
}

func explainContext(config *clientcmdapi.Config, name string) Finding {
	c := config.Contexts[name]
	f := Finding{Tool: Kubectl, File: c.LocationOfOrigin, Key: name}
	user := config.AuthInfos[c.AuthInfo]
	switch {
	case user == nil:
		f.Reason = fmt.Sprintf("context %s names the user %q, which does not exist", name, c.AuthInfo)
	case !leadsHere(user):
		f.Reason = fmt.Sprintf("context %s: user %s %s", name, c.AuthInfo, credentialOf(user))
	case user.Token != "" || user.TokenFile != "" || user.Username != "" || len(user.ClientCertificateData) > 0 || user.ClientCertificate != "":
		f.Reason = fmt.Sprintf("context %s: user %s names %s, but has a credential of its own too, which comes first", name, c.AuthInfo, KubePlugin)
	case missing(user.Exec.Command):
		f.Reason = fmt.Sprintf("context %s: user %s runs %s, which is not there", name, c.AuthInfo, user.Exec.Command)
	default:
		f.Leads = true
		f.Reason = fmt.Sprintf("context %s: user %s runs %s for %s", name, c.AuthInfo, KubePlugin, leadsTo(user))
	}
	return f
}

// missing reports whether an absolute path leads nowhere.
func missing(command string) bool {
	if !filepath.IsAbs(command) {
		return false
	}
	_, err := os.Stat(command)
	return err != nil
}

// credentialOf says what a user that is not ours has.
func credentialOf(user *clientcmdapi.AuthInfo) string {
	switch {
	case user.Exec != nil:
		return "runs " + filepath.Base(user.Exec.Command)
	case user.AuthProvider != nil:
		return "has an auth provider"
	case user.Token != "" || user.TokenFile != "":
		return "has a token of its own"
	case len(user.ClientCertificateData) > 0 || user.ClientCertificate != "":
		return "has a client certificate of its own"
	case user.Username != "":
		return "has a password of its own"
	}
	return "has no credential"
}

// sameServer compares the addresses of API servers.
func sameServer(a, b string) bool {
	x, err := connector.ServerURL(a)
	if err != nil {
		return false
	}
	y, err := connector.ServerURL(b)
	return err == nil && x == y
}
