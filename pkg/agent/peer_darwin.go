package agent

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/fault"
)

// peerOf returns who is at the other end of a unix socket, if that is our user.
func peerOf(conn net.Conn) (Peer, error) {
	var cred *unix.Xucred
	var pid int
	err := control(conn, func(fd int) (err error) {
		if cred, err = unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED); err == nil {
			pid, err = unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
		}
		return err
	})
	if err != nil {
		return Peer{}, err
	}
	if int(cred.Uid) != os.Getuid() {
		return Peer{}, fault.New(fault.Denied, "the peer is user %d", cred.Uid)
	}
	return Peer{PID: pid}, nil
}

// parentOf is not told on macOS without cgo.
func parentOf(int) string { return "" }

// parentProcess is the process that ran another one.
func parentProcess(pid int) process {
	child, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return process{}
	}
	parent, err := unix.SysctlKinfoProc("kern.proc.pid", int(child.Eproc.Ppid))
	if err != nil {
		return process{}
	}
	started := parent.Proc.P_starttime
	return process{int(child.Eproc.Ppid), uint64(started.Sec)*1_000_000 + uint64(started.Usec)}
}

// harden keeps the memory out of core dumps and away from debuggers (ptrace(2),
// PT_DENY_ATTACH).
func harden() error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	if err := unix.PtraceDenyAttach(); err != nil {
		return fault.New(fault.Failed, "cannot protect the agent's memory: %w", err)
	}
	return nil
}
