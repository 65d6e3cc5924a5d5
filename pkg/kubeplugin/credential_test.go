package kubeplugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/wire"
)

func TestFlagsOfCredential(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want wire.KubernetesExecArgs
		err  string
	}{
		{nil, wire.KubernetesExecArgs{}, ""},
		{[]string{"--connector", "prod"}, wire.KubernetesExecArgs{Connector: "prod"}, ""},
		{[]string{"--connector=prod", "--cluster=a=b"}, wire.KubernetesExecArgs{Connector: "prod", Cluster: "a=b"}, ""},
		{[]string{"-c", "prod", "--cluster", "one"}, wire.KubernetesExecArgs{Connector: "prod", Cluster: "one"}, ""},
		{[]string{"-c=prod"}, wire.KubernetesExecArgs{Connector: "prod"}, ""},
		{[]string{"--cluster=-odd"}, wire.KubernetesExecArgs{Cluster: "-odd"}, ""},
		{[]string{"--connector"}, wire.KubernetesExecArgs{}, "--connector needs a name"},
		{[]string{"--connector="}, wire.KubernetesExecArgs{}, "--connector needs a name"},
		{[]string{"--connector", "--cluster", "x"}, wire.KubernetesExecArgs{}, "--connector needs a name"},
		{[]string{"-c", "a", "--connector", "b"}, wire.KubernetesExecArgs{}, "--connector is given twice"},
		{[]string{"--conector=secret"}, wire.KubernetesExecArgs{}, `credential does not take "--conector"`},
		{[]string{"prod"}, wire.KubernetesExecArgs{}, `credential does not take "prod"`},
		{[]string{"--", "prod"}, wire.KubernetesExecArgs{}, `credential does not take "--"`},
		{[]string{"--help", "--cluster"}, wire.KubernetesExecArgs{}, `credential does not take "--help"`},
	} {
		got, err := parse(tc.args)
		if tc.err != "" {
			if !fault.Is(err, fault.Invalid) || err.Error() != tc.err || fault.HintOf(err) == "" {
				t.Errorf("%q: %v, want %q and a hint", tc.args, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", tc.args, err, diff)
		}
	}
}

func TestCredentialFailsOnStderrAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		env  []string
		args []string
		code int
		text string
	}{
		"unknown flag":      {nil, []string{"--context", "x"}, proc.Usage, `credential does not take "--context"`},
		"enormous variable": {[]string{execInfo + "=" + strings.Repeat("x", maxExecInfo+1)}, nil, proc.Usage, "has more than 1 MiB"},
	} {
		var stdout, stderr bytes.Buffer
		w := proc.World{Args: append([]string{"credential"}, tc.args...), Env: append(tc.env, "SVCCONN_CONFIG_DIR="+dir), Stdout: &stdout, Stderr: &stderr}
		if code := Run(t.Context(), w); code != tc.code || stdout.Len() != 0 || !strings.Contains(stderr.String(), tc.text) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", name, code, &stdout, &stderr)
		}
	}
}
