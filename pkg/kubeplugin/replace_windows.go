package kubeplugin

import (
	"errors"
	"os/exec"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
)

// replace runs svcconn and passes its exit code on: Windows cannot replace a process.
func replace(svcconn string, args []string, w proc.World) (int, error) {
	cmd := exec.Command(svcconn, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.Env, w.Stdin, w.Stdout, w.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return proc.Failed, fault.New(fault.Failed, "cannot run %s: %w", svcconn, err)
	}
	return proc.Done, nil
}
