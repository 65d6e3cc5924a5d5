//go:build !windows

package registry

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/svcconn/svcconn/pkg/fault"
)

// checkFolder refuses a folder that somebody else may write to: whoever changes a
// connector's address has its secrets sent there.
func checkFolder(path string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fault.New(fault.Invalid, "%s is not a folder", path).Hint("move it away")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fault.New(fault.Denied, "%s may be written to by other users", path).Hint("chmod go-w %s", path)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fault.New(fault.Denied, "%s belongs to another user (uid %d)", path, stat.Uid).
			Hint("chown %d %s, or point SVCCONN_CONFIG_DIR to a folder of your own", os.Geteuid(), path)
	}
	return nil
}

// isLink reports whether a file's content may be changed through another folder: a
// symbolic link, or one of several hard links. (The kernel does not tell a watcher of
// the folder that a file in it was given a second name elsewhere: that is seen with
// the next change of the file by its own name.)
func isLink(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode()&fs.ModeSymlink != 0 || ok && stat.Nlink > 1
}
