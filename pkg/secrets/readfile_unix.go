//go:build !windows

package secrets

import (
	"io/fs"
	"syscall"

	"github.com/svcconn/svcconn/pkg/fault"
)

// openNonblocking keeps a pipe that nobody writes to from hanging in open.
const openNonblocking = syscall.O_NONBLOCK

// checkMode refuses a file on which others than its owner have a permission.
func checkMode(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	mode := info.Mode().Perm()
	if mode&forbidden == 0 {
		return nil
	}
	can := "use"
	if forbidden == writable {
		can = "change"
	}
	return fault.New(fault.Failed, "%s is not safe to use: others than its owner can %s it (permissions %04o)", path, can, mode).
		Hint("chmod %04o %s", mode&^forbidden, path)
}
