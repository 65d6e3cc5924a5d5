package secrets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// lockPatience is how long another process's work on the store is waited for.
const lockPatience = 30 * time.Second

// makeFolder makes the folder of the secret stores, and refuses one in which others
// can replace files.
func makeFolder(dir string) error {
	if err := atomicfile.MakeDir(dir); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fault.New(fault.Failed, "cannot use %s: %w", dir, reason(err))
	}
	return checkMode(dir, info, writable)
}

// namesIn lists the files of a folder that begin and end so; a folder that is not
// there has none.
func namesIn(dir, prefix, suffix string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Failed, "cannot list %s: %w", dir, reason(err))
	}
	var names []string
	for _, file := range files {
		if name := file.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names, nil
}

// lockFile makes the folder and takes a lock in it.
func lockFile(ctx context.Context, dir, name string) (release func(), err error) {
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	lock, err := filelock.Acquire(ctx, filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return lock.Release, nil
}
