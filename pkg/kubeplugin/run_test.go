package kubeplugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/proc"
)

func TestListResourcesMeansClustersUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ args, want []string }{
		{nil, []string{"list-resources", "--resource-type", "kubernetes-cluster"}},
		{[]string{"-o", "json"}, []string{"list-resources", "--resource-type", "kubernetes-cluster", "-o", "json"}},
		{[]string{"--resource-type", "docker-registry"}, []string{"list-resources", "--resource-type", "docker-registry"}},
		{[]string{"--resource_type=docker-registry"}, []string{"list-resources", "--resource_type=docker-registry"}},
		{[]string{"--all", "-o", "json"}, []string{"list-resources", "-o", "json"}},
	} {
		if diff := cmp.Diff(tc.want, listResources(tc.args)); diff != "" {
			t.Errorf("listResources(%q): -want +got\n%s", tc.args, diff)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{nil, proc.Done, "Usage: kubectl svcconn", ""},
		{[]string{"--help"}, proc.Done, "Usage: kubectl svcconn", ""},
		{[]string{"version"}, proc.Done, "kubectl-svcconn devel", ""},
		{[]string{"nonsense"}, proc.Usage, "", `unknown command "nonsense"`},
	} {
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), proc.World{Args: tc.args, Stdout: &stdout, Stderr: &stderr})
		if code != tc.code || !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", tc.args, code, &stdout, &stderr)
		}
	}
}
