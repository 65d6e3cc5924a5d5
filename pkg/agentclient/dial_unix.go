//go:build !windows

package agentclient

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// socketConn is a blocking unix socket. Package net would cost a front-end its poller:
// an epoll descriptor, a thread, wake-ups, a tenth of its start-up; all it does here is
// to write once and read twice.
type socketConn struct {
	fd   int
	once sync.Once
}

// dial connects to a unix socket.
func dial(path string) (connection, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	for {
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	return &socketConn{fd: fd}, nil
}

// newSocket makes a socket that children do not inherit.
func newSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

func (c *socketConn) Read(b []byte) (int, error) {
	for len(b) > 0 {
		n, err := syscall.Read(c.fd, b)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN): // SO_RCVTIMEO
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
	return 0, nil
}

func (c *socketConn) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		n, err := syscall.Write(c.fd, b[written:])
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return written, os.NewSyscallError("write", err)
		}
		written += n
	}
	return written, nil
}

// readFor bounds every read from now on.
func (c *socketConn) readFor(limit time.Duration) {
	tv := syscall.NsecToTimeval(int64(limit))
	_ = syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
}

// interrupt ends a read that waits in another goroutine.
func (c *socketConn) interrupt() { _ = syscall.Shutdown(c.fd, syscall.SHUT_RDWR) }

func (c *socketConn) Close() error {
	c.once.Do(func() { _ = syscall.Close(c.fd) })
	return nil
}
