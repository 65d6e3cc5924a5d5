package agent

import (
	"net"
	"unsafe"

	"golang.org/x/sys/windows"
)

// peerOf leaves the check to the access list of the user's profile folder that the
// socket is in: Windows does not tell the peer of a unix socket.
func peerOf(net.Conn) (Peer, error) { return Peer{}, nil }

// parentOf is not told on Windows.
func parentOf(int) string { return "" }

// parentProcess is the process that ran another one.
func parentProcess(pid int) process {
	parent := parentPID(pid)
	handle, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, parent)
	if err != nil {
		return process{}
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(handle, &created, &exited, &kernel, &user); err != nil {
		return process{}
	}
	return process{int(parent), uint64(created.Nanoseconds())}
}

// parentPID looks a process up in a snapshot of all; 0 is unknown.
func parentPID(pid int) uint32 {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	var entry windows.ProcessEntry32
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if entry.ProcessID == uint32(pid) {
			return entry.ParentProcessID
		}
	}
	return 0
}

// harden has nothing to do: Windows writes no core dumps unless an administrator
// asks for them.
func harden() error { return nil }
