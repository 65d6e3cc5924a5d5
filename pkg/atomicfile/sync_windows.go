package atomicfile

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const errSharingViolation = syscall.Errno(32)

// rename retries while a virus scanner or another reader holds the target open
// without allowing deletion: such holds last milliseconds.
func rename(from, to string) error {
	var err error
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		err = os.Rename(from, to)
		if !errors.Is(err, errSharingViolation) && !errors.Is(err, syscall.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(wait)
	}
	return err
}

// syncDir does nothing: Windows makes renames durable with the file system's
// journal, and folders cannot be flushed.
func syncDir(string) error { return nil }
