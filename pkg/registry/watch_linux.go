package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/fault"
)

// inotify is a watcher that costs one system call when nothing has changed. It does
// not block and needs no goroutine: events wait in the kernel until they are asked
// for.
type inotify struct {
	fd     int
	buffer []byte
}

// The changes that matter: of content, of names, of permissions (the change time is
// part of a file's stamp), and of the folder itself.
const watched = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB |
	unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// The events after which names do not tell what changed.
const uncertain = unix.IN_Q_OVERFLOW | unix.IN_IGNORED | unix.IN_UNMOUNT | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF

// newWatcher watches a folder. Folders that another machine may change behind the
// kernel's back are refused.
func newWatcher(folder string) (watcher, error) {
	if !isLocal(folder) {
		return nil, fault.New(fault.Failed, "%s is not on a local disk", folder)
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if _, err := unix.InotifyAddWatch(fd, folder, watched); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &inotify{fd: fd, buffer: make([]byte, 16<<10)}, nil
}

const zfsMagic = 0x2fc12fc1 // not in package unix

func isLocal(folder string) bool {
	var fs unix.Statfs_t
	if unix.Statfs(folder, &fs) != nil {
		return false
	}
	return slices.Contains([]int64{
		unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.OVERLAYFS_SUPER_MAGIC, zfsMagic,
	}, int64(fs.Type))
}

// maxReads bounds what is read at once: whoever changes files faster than they are
// read gets a look at all of them.
const maxReads = 64

func (w *inotify) changes() (files []string, all bool) {
	all = true
	for range maxReads {
		n, err := unix.Read(w.fd, w.buffer)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			slices.Sort(files)
			return slices.Compact(files), all
		case err != nil || n <= 0:
			return nil, false
		}
		some, certain := events(w.buffer[:n])
		files, all = append(files, some...), all && certain
	}
	return nil, false
}

// events reads the names out of a buffer of struct inotify_event.
func events(buffer []byte) (files []string, all bool) {
	all = true
	for len(buffer) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(buffer[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buffer[12:]))
		if end > len(buffer) {
			return nil, false
		}
		name, _, _ := bytes.Cut(buffer[unix.SizeofInotifyEvent:end], []byte{0})
		if mask&uncertain != 0 {
			all = false
		} else if len(name) > 0 {
			files = append(files, string(name))
		}
		buffer = buffer[end:]
	}
	return files, all
}

func (w *inotify) close() { _ = unix.Close(w.fd) }
