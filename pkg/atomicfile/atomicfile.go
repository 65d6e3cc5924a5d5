// Package atomicfile replaces whole files so that, killed at any instant, the old
// or the new content is there, whole: temp file in the same folder, fsync, rename,
// fsync of the folder.
//
// It refuses to append or to edit in place: nothing that svcconn keeps is worth
// half a line.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Private permissions: what svcconn keeps is for its owner alone.
const (
	FileMode fs.FileMode = 0o600
	DirMode  fs.FileMode = 0o700
)

// Write replaces path with data. The folder must exist. The error names the path
// and, where the cause is known (read-only folder, full disk), what to do.
func Write(path string, data []byte, mode fs.FileMode) error {
	return explain(path, write(path, data, mode, func(string) error { return nil }))
}

// Replace is Write for a file that others own and write as well: last gets the name
// of the finished temp file just before the rename, to give it its owner and to see
// that path has not changed meanwhile. An error of last calls the replacement off
// and comes back as it is.
func Replace(path string, data []byte, mode fs.FileMode, last func(temp string) error) error {
	var refused error
	err := write(path, data, mode, func(temp string) error {
		refused = last(temp)
		return refused
	})
	if refused != nil {
		return refused
	}
	return explain(path, err)
}

// Sweep removes the temp files that killed writers have left beside path. Only who
// holds the lock that all its writers take may call it.
func Sweep(path string) {
	dir, prefix := filepath.Dir(path), tempPrefix(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // nothing there to sweep, or not for us to see
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, tempSuffix) {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
}

const tempSuffix = ".tmp"

func tempPrefix(path string) string { return "." + filepath.Base(path) + "." }

func write(path string, data []byte, mode fs.FileMode, last func(temp string) error) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, tempPrefix(path)+"*"+tempSuffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if err = temp.Chmod(mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = last(temp.Name()); err != nil {
		return err
	}
	if err = rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// Remove deletes path durably. A path that is not there is no error.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return explain(path, err)
}

// SyncDir makes durable what was created in a folder or removed from it by other
// means than Write and Remove.
func SyncDir(path string) error { return explain(path, syncDir(path)) }

// MakeDir makes a private folder with its parents.
func MakeDir(path string) error { return explain(path, os.MkdirAll(path, DirMode)) }

func explain(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.New(fault.Failed, "cannot write %s: %w", path, cause(err)).
			Hint("make the folder writable, or point SVCCONN_CONFIG_DIR (and SVCCONN_STATE_DIR) to one that is")
	case errors.Is(err, syscall.ENOSPC):
		return fault.New(fault.Failed, "cannot write %s: %w; nothing was changed", path, cause(err)).
			Hint("free some space on the disk that holds %s and try again", filepath.Dir(path))
	}
	return fault.New(fault.Failed, "cannot write %s: %w", path, cause(err))
}

// cause drops the temporary name that os puts into its errors: it tells the
// person nothing.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}
