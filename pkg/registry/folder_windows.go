package registry

import (
	"io/fs"

	"github.com/svcconn/svcconn/pkg/fault"
)

// checkFolder leaves permissions alone: a folder in the user's profile inherits
// access lists that keep other users out.
func checkFolder(path string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fault.New(fault.Invalid, "%s is not a folder", path).Hint("move it away")
	}
	return nil
}

// isLink reports whether a file's content may be changed through another folder.
func isLink(info fs.FileInfo) bool { return info.Mode()&fs.ModeSymlink != 0 }
