package tomlfile

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Stamp tells one state of a file from another without reading it. The zero value
// matches nothing.
type Stamp struct {
	size     int64
	modified time.Time
	inode    inode
	settled  bool
}

// unsettled is how fresh a modification is too fresh to tell it from the next one:
// the coarsest clock of a file system (FAT) ticks every two seconds.
const unsettled = 2 * time.Second

// NewStamp makes the stamp of a file whose description was taken right before it
// was read, at the time read.
func NewStamp(info fs.FileInfo, read time.Time) Stamp {
	return Stamp{
		size:     info.Size(),
		modified: info.ModTime(),
		inode:    inodeOf(info),
		settled:  info.ModTime().Before(read.Add(-unsettled)),
	}
}

// Matches reports whether the file is certainly what it was. A file that was
// modified within two seconds of being read is never certain.
func (s Stamp) Matches(info fs.FileInfo) bool {
	return s.settled && s.size == info.Size() && s.modified.Equal(info.ModTime()) && s.inode == inodeOf(info)
}

// Cached is what one file was decoded to, until the file changes. Get costs one
// look at the file's description. It is safe for concurrent use; its fields are set
// before the first.
type Cached[T any] struct {
	Path   string
	Name   string // what errors call the file
	Decode func(data []byte) (T, error)
	Now    func() time.Time

	mu     sync.Mutex
	stamp  Stamp
	absent bool // the file was not there
	value  T
	err    error
}

// Get returns the decoded file, or what was wrong with it. A file that is not there
// is an empty one.
func (c *Cached[T]) Get() (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.Path)
	if err == nil && c.stamp.Matches(info) || c.absent && errors.Is(err, fs.ErrNotExist) {
		return c.value, c.err
	}
	c.value, c.err = c.read()
	return c.value, c.err
}

func (c *Cached[T]) read() (T, error) {
	c.stamp, c.absent = Stamp{}, false
	read := c.Now()
	data, info, err := Read(c.Path, c.Name)
	if errors.Is(err, fs.ErrNotExist) {
		c.absent = true
		return c.Decode(nil)
	}
	if err != nil {
		var zero T
		return zero, err
	}
	c.stamp = NewStamp(info, read)
	value, err := c.Decode(data)
	return value, fault.WithHint(err, "correct %s", c.Path)
}
