package tomlfile

import (
	"io/fs"
	"syscall"
)

// inode is what changes when a file is replaced or its modification time is set
// back.
type inode struct {
	device, number uint64
	changed        syscall.Timespec
}

func inodeOf(info fs.FileInfo) inode {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return inode{uint64(s.Dev), s.Ino, s.Ctim}
	}
	return inode{}
}
