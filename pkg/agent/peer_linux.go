package agent

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/fault"
)

// peerOf returns who is at the other end of a unix socket, if that is our user.
func peerOf(conn net.Conn) (Peer, error) {
	var cred *unix.Ucred
	err := control(conn, func(fd int) (err error) {
		cred, err = unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return err
	})
	if err != nil {
		return Peer{}, err
	}
	if int(cred.Uid) != os.Getuid() {
		return Peer{}, fault.New(fault.Denied, "the peer is user %d", cred.Uid)
	}
	return Peer{PID: int(cred.Pid)}, nil
}

// parentOf names the executable that ran a process, as far as /proc tells.
func parentOf(pid int) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", parentPID(pid)))
	if err != nil {
		return ""
	}
	return path
}

// parentProcess is the process that ran another one, as far as /proc tells.
func parentProcess(pid int) process {
	parent := parentPID(pid)
	started, err := strconv.ParseUint(statField(parent, 22), 10, 64)
	if err != nil {
		return process{}
	}
	return process{parent, started}
}

func parentPID(pid int) int {
	parent, _ := strconv.Atoi(statField(pid, 4))
	return parent
}

// statField is a field of /proc/PID/stat as proc(5) numbers them, from 3 on.
func statField(pid, number int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// "PID (COMM) STATE PPID …", where COMM may contain anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < number-2 {
		return ""
	}
	return fields[number-3]
}

// harden keeps the memory out of core dumps and away from other processes of the
// same user (prctl(2), PR_SET_DUMPABLE).
func harden() error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fault.New(fault.Failed, "cannot protect the agent's memory: %w", err)
	}
	return nil
}
