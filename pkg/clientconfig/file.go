package clientconfig

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
)

// errChanged says that somebody else wrote the file since it was read.
var errChanged = errors.New("the file has changed meanwhile")

// maxFile is far beyond any client configuration, in bytes.
const maxFile = 16 << 20

// snapshot is a file as it was when it was read.
type snapshot struct {
	path string      // links resolved
	text []byte      // nil: there is no such file
	info fs.FileInfo // nil: there is no such file
}

func read(path string) (snapshot, error) {
	target, err := resolve(path, maxLinks)
	if err != nil {
		return snapshot{}, unreadable(path, err)
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return snapshot{path: target}, nil
	case err != nil:
		return snapshot{}, unreadable(target, err)
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return snapshot{}, fault.New(fault.Invalid, "%s is not a configuration file: it is no regular file, or larger than 16 MiB", target)
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return snapshot{}, unreadable(target, err)
	}
	return snapshot{path: target, text: text, info: info}, nil
}

func unreadable(path string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fault.New(fault.Failed, "cannot read %s: %w", path, err).
		Hint("make %s readable for you, as the tools that use it need it, and try again", path)
}

const maxLinks = 40

// resolve follows symbolic links as docker does when it writes: also one that leads
// to a file that is not there yet, and those in the existing part of the way.
func resolve(path string, links int) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if link, err := os.Readlink(path); err == nil && links > 0 {
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		return resolve(link, links-1)
	}
	if filepath.Dir(path) == path {
		return path, nil
	}
	dir, err := resolve(filepath.Dir(path), links)
	return filepath.Join(dir, filepath.Base(path)), err
}

// missingFolders lists the folders that have to be made for the file, outermost
// first.
func (s snapshot) missingFolders() []string {
	var missing []string
	for dir := filepath.Dir(s.path); filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	return missing
}

// replace writes the new text, nil for no file, unless somebody changed the file
// since the snapshot (errChanged). Permissions and owner stay.
func (s snapshot) replace(text []byte) error {
	if text == nil {
		if err := s.unchanged(); err != nil {
			return err
		}
		return adviseWrite(s.path, atomicfile.Remove(s.path))
	}
	if err := s.writable(); err != nil {
		return err
	}
	return adviseWrite(s.path, atomicfile.Replace(s.path, text, s.mode(), func(temp string) error {
		if err := keepOwner(temp, s.info); err != nil {
			return fault.New(fault.Failed, "cannot write %s for its owner: %w", s.path, err)
		}
		return s.unchanged()
	}))
}

func (s snapshot) mode() fs.FileMode {
	if s.info != nil {
		return s.info.Mode().Perm()
	}
	return atomicfile.FileMode
}

// writable makes the file's folder, and refuses a file that nobody may write.
func (s snapshot) writable() error {
	if s.mode()&0o222 == 0 {
		return adviseWrite(s.path, fault.New(fault.Failed, "cannot write %s: %w", s.path, errReadOnly))
	}
	return adviseWrite(s.path, atomicfile.MakeDir(filepath.Dir(s.path)))
}

func (s snapshot) unchanged() error {
	now, err := read(s.path)
	if err != nil {
		return err
	}
	if (now.text == nil) != (s.text == nil) || !bytes.Equal(now.text, s.text) {
		return errChanged
	}
	return nil
}

// errReadOnly is what a file says that nobody, its owner included, may write. A
// rename would get round that, and so would root.
var errReadOnly = errors.New("the file is read-only")

// adviseWrite replaces the advice of atomicfile, which is about our own folders.
func adviseWrite(path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) && !errors.Is(err, errReadOnly) {
		return err
	}
	return fault.New(fault.KindOf(err), "%w", err).
		Hint("make the file and its folder %s writable for you, or change it by hand as --dry-run shows", filepath.Dir(path))
}
