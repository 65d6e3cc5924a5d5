//go:build e2e && linux

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// debianPython is the one that Debian's python3-kubernetes is for.
const debianPython = "/usr/bin/python3"

// kubeClient is a program that reads a kubeconfig and runs the exec plugin in it.
type kubeClient struct {
	name       string
	prepare    func(w *world)
	namespaces func(w *world, kubeconfig string) *call // prints the cluster's namespaces
}

// kubeClients are all that this machine should have; a missing one shows when it is
// prepared.
func kubeClients() []kubeClient {
	list := []kubeClient{pythonClient(), scriptClient(), helmClient(), goClient()}
	for version, path := range kubectlVersions() {
		list = append(list, kubeClient{
			name:    "kubectl-" + version,
			prepare: func(*world) {},
			namespaces: func(w *world, config string) *call {
				return w.cmd(path, "--kubeconfig", config, "get", "namespaces", "-o", "name")
			},
		})
	}
	return list
}

// kubectlVersions are the different kubectls of this machine: version → path.
var kubectlVersions = sync.OnceValue(func() map[string]string {
	found := map[string]string{}
	for _, name := range []string{"kubectl", "kubectl-debian", "kubectl-1.36"} {
		path, err := exec.LookPath(name)
		if version := versionOf(path, "version", "--client"); err == nil && version != "" && found[version] == "" {
			found[version] = path
		}
	}
	return found
})

// kubectls are the paths of all kubectls, Debian's old one among them.
func kubectls(t *testing.T) (paths []string) {
	t.Helper()
	need(t, "kubectl-debian")
	for _, path := range kubectlVersions() {
		paths = append(paths, path)
	}
	return paths
}

// toolDir is where e2e-deps.sh puts its tools.
var toolDir = sync.OnceValue(func() string {
	out, _ := exec.Command("sh", "tools-dir.sh").Output()
	return strings.TrimSpace(string(out))
})

func pythonClient() kubeClient {
	return kubeClient{
		name: "python",
		prepare: func(w *world) {
			if exec.Command(debianPython, "-c", "import kubernetes").Run() != nil {
				missing(w.t, "Python's client is not installed: make e2e-deps installs it (apt-get install python3-kubernetes)")
			}
		},
		namespaces: func(w *world, config string) *call {
			return w.cmd(debianPython, testdata("namespaces.py")).setenv("KUBECONFIG=" + config)
		},
	}
}

func scriptClient() kubeClient {
	return kubeClient{
		name: "javascript",
		prepare: func(w *world) {
			if matches, _ := filepath.Glob(toolDir() + "/node_modules/@kubernetes/client-node"); need(w.t, "node") == "" || matches == nil {
				missing(w.t, "JavaScript's client is not installed: make e2e-deps installs it (npm install @kubernetes/client-node)")
			}
		},
		namespaces: func(w *world, config string) *call {
			return w.cmd("node", testdata("namespaces.js")).setenv("KUBECONFIG="+config, "NODE_PATH="+toolDir()+"/node_modules")
		},
	}
}

// helmClient reads the namespaces from within a template.
func helmClient() kubeClient {
	return kubeClient{
		name:    "helm",
		prepare: func(w *world) { need(w.t, "helm") },
		namespaces: func(w *world, config string) *call {
			return w.cmd("helm", "--kubeconfig", config, "template", "probe", testdata("chart"), "--dry-run=server", "--show-only", "templates/namespaces.yaml")
		},
	}
}

// goClient is client-go itself, in a program of ours.
func goClient() kubeClient {
	return kubeClient{
		name:       "client-go",
		prepare:    func(*world) {},
		namespaces: func(w *world, config string) *call { return w.cmd(w.kubeProgram("watch"), "-kubeconfig", config) },
	}
}

var kubePrograms sync.Map // name → what builds it

// kubeProgram is a program in e2e/kube, built when it is first needed: in seconds,
// since e2e-deps.sh has left its packages in the build cache.
func (w *world) kubeProgram(name string) string {
	w.t.Helper()
	path := filepath.Join(suite.dir, name)
	build, _ := kubePrograms.LoadOrStore(name, sync.OnceValue(func() error { return goBuild("-C", "kube", "-trimpath", "-o", path, "./"+name) }))
	must(w.t, build.(func() error)())
	return path
}

func testdata(name string) string {
	path, _ := filepath.Abs(filepath.Join("testdata", name))
	return path
}
