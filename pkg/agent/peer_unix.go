//go:build linux || darwin

package agent

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/fault"
)

// control runs f with the descriptor of a unix socket.
func control(conn net.Conn, f func(fd int) error) error {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("not a unix socket")
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func noCoreDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fault.New(fault.Failed, "cannot switch off core dumps: %w", err)
	}
	return nil
}
