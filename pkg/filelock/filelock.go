// Package filelock is an advisory lock between processes on a file that exists
// for nothing else. The kernel drops it when its holder dies, however it dies.
//
// It exists beside the libraries because the thin front-ends need one that links
// the standard library only and gives up when told to.
package filelock

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Lock is a held lock.
type Lock struct{ file *os.File }

// errHeld is what tryLock returns when another process, or another Lock of this
// one, holds the lock.
var errHeld = errors.New("the lock is held")

// Acquire waits for the exclusive lock on path until ctx ends. The file is made
// if it is not there (its folder must be) and stays afterwards.
func Acquire(ctx context.Context, path string) (*Lock, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		lock, err := Try(path)
		if lock != nil || err != nil {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fault.New(fault.Unavailable, "another svcconn process holds the lock %s: %w", path, context.Cause(ctx)).
				Hint("try again; if it stays locked, look for a hanging svcconn process")
		case <-time.After(wait):
		}
	}
}

// Try takes the exclusive lock if it is free, and returns nil, nil if it is not.
func Try(path string) (*Lock, error) {
	file, err := open(path)
	if errors.Is(err, errHeld) {
		return nil, nil
	}
	if err == nil {
		if err = tryLock(file); err == nil {
			return &Lock{file}, nil
		}
		_ = file.Close()
		if errors.Is(err, errHeld) {
			return nil, nil
		}
	}
	return nil, fault.New(fault.Failed, "cannot lock %s: %w", path, err).
		Hint("make its folder writable, or point SVCCONN_CONFIG_DIR (and SVCCONN_STATE_DIR, SVCCONN_RUNTIME_DIR) to one that is")
}

// Release gives the lock up. A second call does nothing.
func (l *Lock) Release() {
	if l != nil && l.file != nil {
		unlock(l.file)
		_ = l.file.Close()
		l.file = nil
	}
}
