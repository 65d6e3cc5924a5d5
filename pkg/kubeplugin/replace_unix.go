//go:build !windows

package kubeplugin

import (
	"syscall"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
)

// replace runs svcconn in our place; it returns only when that fails.
func replace(svcconn string, args []string, w proc.World) (int, error) {
	err := syscall.Exec(svcconn, append([]string{"svcconn"}, args...), w.Env)
	return proc.Failed, fault.New(fault.Failed, "cannot run %s: %w", svcconn, err)
}
