package kubernetes

import (
	"fmt"
	"os"
	"regexp"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/svcconn/svcconn/pkg/fault"
)

// kubeconfig is what several files say together: of entries of the same name, the
// first one counts, as for kubectl. Each keeps the file that it is from.
type kubeconfig struct {
	current  string
	contexts map[string]*clientcmdapi.Context
	clusters map[string]*clientcmdapi.Cluster
	users    map[string]*clientcmdapi.AuthInfo
}

func readConfigs(files []string) (*kubeconfig, error) {
	all := &kubeconfig{contexts: map[string]*clientcmdapi.Context{}, clusters: map[string]*clientcmdapi.Cluster{}, users: map[string]*clientcmdapi.AuthInfo{}}
	for _, path := range files {
		one, err := readConfig(path)
		if err != nil {
			return nil, err
		}
		if all.current == "" {
			all.current = one.CurrentContext
		}
		keepFirst(all.contexts, one.Contexts)
		keepFirst(all.clusters, one.Clusters)
		keepFirst(all.users, one.AuthInfos)
	}
	return all, nil
}

func keepFirst[T any](all, more map[string]*T) {
	for name, entry := range more {
		if _, ok := all[name]; !ok && entry != nil {
			all[name] = entry
		}
	}
}

// maxConfig is more than any kubeconfig has, in bytes.
const maxConfig = 16 << 20

func readConfig(path string) (*clientcmdapi.Config, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxConfig) {
		return nil, fault.New(fault.Invalid, "%s is not a kubeconfig: it is a folder, a device or far too large", path).Hint("name another file with --set config=PATH")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Failed, "%w", err).Hint("make it readable, or name another file with --set config=PATH")
	}
	config, err := clientcmd.Load(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s is not a kubeconfig%s", path, whereIn(err)).Hint("mend the file, or name another with --set config=PATH")
	}
	for _, entry := range config.Contexts {
		entry.LocationOfOrigin = path
	}
	for _, entry := range config.Clusters {
		entry.LocationOfOrigin = path
	}
	for _, entry := range config.AuthInfos {
		entry.LocationOfOrigin = path
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return nil, fault.New(fault.Failed, "%s: %w", path, err)
	}
	return config, nil
}

var lineNumber = regexp.MustCompile(`line (\d+)`)

// whereIn repeats of a decoder's words no more than the line: they may have a
// password in them.
func whereIn(err error) string {
	if match := lineNumber.FindStringSubmatch(err.Error()); match != nil {
		return fmt.Sprintf(": line %s is wrong", match[1])
	}
	return ""
}
