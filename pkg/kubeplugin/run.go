// Package kubeplugin is kubectl-svcconn, which kubectl runs for two reasons: as its
// credential plugin, where bytes go to the agent and back, and as `kubectl svcconn` for
// a person, where it hands over to svcconn, with clusters first.
//
// It refuses to do any of svcconn's work itself: kubectl starts it for every command,
// so it links the standard library only. What KUBERNETES_EXEC_INFO means, which
// connector serves a cluster and what an ExecCredential looks like is the agent's
// business.
package kubeplugin

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/wire"
)

// Name is the binary's name: kubectl finds it by the part after "kubectl-".
const Name = "kubectl-svcconn"

const usage = `Usage: kubectl svcconn COMMAND [ARGUMENTS]

Commands:
  list-resources   what your connectors reach, clusters first (--all lists everything)
  login            point kubectl at svcconn for a cluster
  logout           undo that
  credential       print a credential: kubectl runs it, with what it wants in its environment
  version          the version of this plugin

Everything else is svcconn's: svcconn --help
`

// clusters is the resource type that kubectl's user means.
const clusters = "kubernetes-cluster"

// Run carries out one command and returns the exit code.
func Run(ctx context.Context, w proc.World) int {
	command := "help"
	if len(w.Args) > 0 {
		command = w.Args[0]
	}
	switch command {
	case "help", "--help", "-h":
		fmt.Fprint(w.Stdout, usage)
		return proc.Done
	case "version", "--version":
		fmt.Fprintf(w.Stdout, "%s %s %s\n", Name, wire.Release, runtime.Version())
		return proc.Done
	case "credential":
		return credential(ctx, w, w.Args[1:])
	case "login", "logout":
		return handOver(w, append([]string{command, "kubectl"}, w.Args[1:]...))
	case "list-resources":
		return handOver(w, listResources(w.Args[1:]))
	}
	proc.PrintError(w.Stderr, Name, fault.New(fault.Invalid, "unknown command %q", command).Hint("kubectl svcconn help"))
	return proc.Usage
}

// listResources is svcconn's command of that name, narrowed to clusters unless told
// otherwise.
func listResources(args []string) []string {
	if at := slices.Index(args, "--all"); at >= 0 {
		return append([]string{"list-resources"}, slices.Delete(slices.Clone(args), at, at+1)...)
	}
	for _, arg := range args {
		if strings.HasPrefix(strings.ReplaceAll(arg, "_", "-"), "--resource-type") {
			return append([]string{"list-resources"}, args...)
		}
	}
	return append([]string{"list-resources", "--resource-type", clusters}, args...)
}

// handOver replaces this process by svcconn.
func handOver(w proc.World, args []string) int {
	svcconn, err := agentclient.FindSvcconn()
	if err == nil {
		var code int
		if code, err = replace(svcconn, args, w); err == nil {
			return code
		}
	}
	proc.PrintError(w.Stderr, Name, err)
	return proc.ExitCode(err)
}
