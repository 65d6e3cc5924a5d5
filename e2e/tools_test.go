//go:build e2e && linux

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// packages says where each tool of the tests comes from.
var packages = map[string]string{
	"docker":          "apt-get install docker.io",
	"dockerd":         "apt-get install docker.io iptables",
	"docker-registry": "apt-get install docker-registry",
	"podman":          "apt-get install podman",
	"buildah":         "apt-get install buildah",
	"skopeo":          "apt-get install skopeo",
	"nsenter":         "apt-get install util-linux",
	"unshare":         "apt-get install util-linux",
	"bats":            "apt-get install bats",
	"jq":              "apt-get install jq",
	"crane":           "built from the module proxy",
	"helm":            "built from the module proxy",
	"kube-apiserver":  "built from the module proxy",
	"etcd":            "apt-get install etcd-server",
	"kubectl":         "apt-get install kubernetes-client",
	"kubectl-debian":  "unpacked from Debian's kubernetes-client",
	"kubectl-1.36":    "built from the module proxy",
	"node":            "apt-get install nodejs",
	debianAWS:         "apt-get install awscli",
	"gcloud":          "https://cloud.google.com/sdk/docs/install",

	"aws-iam-authenticator":  "built from the module proxy",
	"gke-gcloud-auth-plugin": "gcloud components install gke-gcloud-auth-plugin",
}

// need returns the path of a tool, or ends the test: skipped with the command that
// installs it, failed where CI=true.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		missing(t, "%s is not installed: make e2e-deps installs it (%s)", tool, packages[tool])
	}
	return path
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if suite.inCI {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

var versionNumber = regexp.MustCompile(`v?[0-9]+\.[0-9]+[.0-9]*`)

// versionOf asks a tool for its version: the first number it prints.
func versionOf(path string, args ...string) string {
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		return ""
	}
	return versionNumber.FindString(string(out))
}

// dockerCLIs are the different docker CLIs of this machine: version → path.
var dockerCLIs = sync.OnceValue(func() map[string]string {
	found := map[string]string{}
	first, _ := exec.LookPath("docker")
	for _, path := range []string{first, "/usr/local/bin/docker", "/usr/bin/docker"} {
		if version := versionOf(path, "--version"); version != "" && found[version] == "" {
			found[version] = path
		}
	}
	return found
})

// toolVersions lists what the run used, for its record.
func toolVersions() []string {
	var list []string
	for version := range dockerCLIs() {
		list = append(list, "docker "+version)
	}
	for version := range kubectlVersions() {
		list = append(list, "kubectl "+version)
	}
	for version := range awsCLIs() {
		list = append(list, "aws "+version)
	}
	for tool, args := range map[string][]string{
		"dockerd": {"--version"}, "docker-registry": {"--version"}, "podman": {"--version"}, "buildah": {"--version"},
		"skopeo": {"--version"}, "crane": {"version"}, "helm": {"version", "--short"}, "gnome-keyring-daemon": {"--version"},
		"kube-apiserver": {"--version"}, "etcd": {"--version"}, "node": {"--version"},
		"gcloud": {"--version"}, "gke-gcloud-auth-plugin": {"--version"},
	} {
		if path, err := exec.LookPath(tool); err == nil {
			list = append(list, filepath.Base(path)+" "+versionOf(path, args...))
		}
	}
	slices.Sort(list)
	return list
}
