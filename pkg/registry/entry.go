package registry

import (
	"errors"
	"io/fs"
	"os"
	"reflect"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/tomlfile"
)

// entry is what one file said when it was last read. It does not change.
type entry struct {
	name      string
	connector Connector
	err       error          // why there is no connector
	stamp     tomlfile.Stamp // zero when the file could not be read
	link      bool           // the content may be changed through another folder
}

// unsure reports whether the entry may change without its folder noticing.
func (e *entry) unsure() bool { return e.link || e.stamp == tomlfile.Stamp{} }

// equal reports whether two entries, each possibly nil, say the same.
func (e *entry) equal(other *entry) bool {
	if e == nil || other == nil {
		return e == other
	}
	if e.unsure() != other.unsure() {
		return false
	}
	if e.err != nil || other.err != nil {
		return e.err != nil && other.err != nil && e.err.Error() == other.err.Error()
	}
	return reflect.DeepEqual(e.connector, other.connector)
}

// lookAt reads a file unless it certainly is what it was. It returns nil for a file
// that is not there.
func (d *Dir) lookAt(l look) *entry {
	path := d.fileOf(l.name)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	link := err == nil && isLink(info)
	if link {
		info, err = os.Stat(path)
	}
	if err == nil && !l.forced && l.before != nil && l.before.link == link && l.before.stamp.Matches(info) {
		return l.before
	}
	e := &entry{name: l.name, link: link}
	e.connector, e.stamp, e.err = d.read(l.name)
	if errors.Is(e.err, fs.ErrNotExist) && !link {
		return nil
	}
	return e
}

func (d *Dir) read(name string) (Connector, tomlfile.Stamp, error) {
	if err := CheckName(name); err != nil {
		return Connector{}, tomlfile.Stamp{}, err
	}
	read := d.now()
	data, info, err := tomlfile.Read(d.fileOf(name), shownAs(name))
	if err != nil {
		return Connector{}, tomlfile.Stamp{}, err
	}
	c, err := decode(name, data, info.ModTime())
	return c, tomlfile.NewStamp(info, read), fault.WithHint(err, "correct %s", d.fileOf(name))
}
