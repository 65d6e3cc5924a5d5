package kubeplugin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// execInfo is the variable in which client-go tells a plugin what it wants; without it,
// the answer is that for old clients.
const execInfo = "KUBERNETES_EXEC_INFO"

// maxExecInfo is more than any system passes in one variable, in bytes.
const maxExecInfo = 1 << 20

const credentialUsage = `Usage: ` + Name + ` credential [--connector NAME] [--cluster NAME]

A credential plugin for kubectl, helm and every other client of clusters: they run it,
with what they want in KUBERNETES_EXEC_INFO, and read an ExecCredential from its stdout.
Without the variable it answers in version v1beta1.

Flags:
  -c, --connector NAME   the connector to use
      --cluster NAME     the cluster, where the connector reaches several
Without flags the cluster's address tells, which needs provideClusterInfo: true.

To point kubectl at it:  svcconn login kubectl
`

// credential is the exec plugin: it carries the question to the agent and the answer
// back. Nobody is asked anything, and nothing but the answer goes to stdout.
func credential(ctx context.Context, w proc.World, args []string) int {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		fmt.Fprint(w.Stdout, credentialUsage)
		return proc.Done
	}
	answer, err := ask(ctx, w, args)
	if err == nil {
		_, err = io.WriteString(w.Stdout, answer.Reveal())
	}
	if err != nil {
		proc.PrintError(w.Stderr, Name, err)
	}
	return proc.ExitCode(err)
}

func ask(ctx context.Context, w proc.World, args []string) (secret.Text, error) {
	wanted, err := parse(args)
	if err != nil {
		return secret.Text{}, err
	}
	info := w.Getenv(execInfo)
	if len(info) > maxExecInfo {
		return secret.Text{}, fault.New(fault.Invalid, "%s has more than %d MiB", execInfo, maxExecInfo>>20)
	}
	client, err := agentclient.New(w, Name)
	if err != nil {
		return secret.Text{}, err
	}
	client.Watch = func(reply wire.Reply) error {
		if reply.Event == wire.Notice {
			fmt.Fprintf(w.Stderr, "%s: %s\n", Name, reply.Text)
		}
		return nil
	}
	answer, err := client.Call(ctx, wire.KubernetesExec, wanted, secret.New(info))
	return answer.Body, err
}

// parse reads the flags. It is done by hand because there are two of them, and this
// program is started for every command of kubectl.
func parse(args []string) (wire.KubernetesExecArgs, error) {
	var out wire.KubernetesExecArgs
	for len(args) > 0 {
		name, value, given := strings.Cut(args[0], "=")
		args = args[1:]
		var target *string
		switch name {
		case "--connector", "-c":
			target = &out.Connector
		case "--cluster":
			target = &out.Cluster
		default:
			return out, usageError("credential does not take %q", name)
		}
		if !given && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		switch {
		case value == "" || !given && strings.HasPrefix(value, "-"):
			return out, usageError("%s needs a name", name)
		case *target != "":
			return out, usageError("%s is given twice", name)
		}
		*target = value
	}
	return out, nil
}

func usageError(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).Hint("%s credential --help", Name)
}
