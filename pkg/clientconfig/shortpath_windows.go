package clientconfig

import (
	"strings"
	"syscall"
)

// withoutSpaces returns the short name of a path that has a space, where the volume
// keeps such names.
func withoutSpaces(path string) string {
	if !strings.Contains(path, " ") {
		return path
	}
	long, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return path
	}
	short := make([]uint16, syscall.MAX_PATH)
	n, err := syscall.GetShortPathName(long, &short[0], uint32(len(short)))
	if err != nil || n == 0 || int(n) > len(short) {
		return path
	}
	return syscall.UTF16ToString(short[:n])
}
