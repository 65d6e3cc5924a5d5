//go:build !windows

package clientconfig

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file the owner and group of the one that it replaces, so
// that `sudo svcconn login` takes nobody's file away.
func keepOwner(temp string, replaced fs.FileInfo) error {
	if replaced == nil {
		return nil
	}
	info, err := os.Stat(temp)
	if err != nil {
		return err
	}
	old, known := replaced.Sys().(*syscall.Stat_t)
	now, knownNow := info.Sys().(*syscall.Stat_t)
	if known && knownNow && (old.Uid != now.Uid || old.Gid != now.Gid) {
		return os.Chown(temp, int(old.Uid), int(old.Gid))
	}
	return nil
}
