package registry

import (
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/svcconn/svcconn/pkg/fault"
)

// TestWatchingIsReal sees to it that the other tests of watching do not just look.
func TestWatchingIsReal(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.put(t, "a", described("1"))
	d.snapshot(t)
	if d.watch != nil {
		t.Fatal("the first snapshot starts a watcher")
	}
	d.looked = watchAfter
	d.snapshot(t)
	if d.watch == nil {
		t.Skip("the temporary folder is not on a local disk")
	}
	looked := d.looked
	d.put(t, "a", described("2"))
	d.put(t, "b", described("1"))
	if got := summary(d.snapshot(t)); got != "a=2 b=1" || d.looked != looked {
		t.Errorf("got %s after looking at %d files", got, d.looked-looked)
	}
}

// TestManyFilesAreWatched sees to it that a large folder is not looked through again
// and again.
func TestManyFilesAreWatched(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	d.put(t, "a", described("1"))
	for range watchAfter {
		d.snapshot(t)
	}
	if d.watch == nil && isLocal(d.path) {
		t.Error("no watcher was started")
	}
}

func TestEventsAreLost(t *testing.T) {
	t.Parallel()
	d := open(t, modes["watching"])
	for _, name := range []string{"a", "b", "c"} {
		d.put(t, name, described("1"))
	}
	d.snapshot(t)
	watch := d.watch
	// The kernel merges an event with the one before only where they are the same.
	for i := range 10_000 {
		must(t, os.Chmod(d.fileOf("a"), 0o600|os.FileMode(i&1)))
		must(t, os.Chmod(d.fileOf("b"), 0o600|os.FileMode(i&1)))
	}
	d.put(t, "c", described("2"))
	if got := summary(d.snapshot(t)); got != "a=1 b=1 c=2" {
		t.Errorf("got %s", got)
	}
	if watch != nil && d.watch == watch {
		t.Skip("the kernel's queue takes more than 20,000 events")
	}
	d.put(t, "c", described("3"))
	if got := summary(d.snapshot(t)); got != "a=1 b=1 c=3" {
		t.Errorf("got %s", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	event := func(mask uint32, name string) []byte {
		size := (len(name) + 4) &^ 3
		b := make([]byte, unix.SizeofInotifyEvent+size)
		binary.NativeEndian.PutUint32(b[4:], mask)
		binary.NativeEndian.PutUint32(b[12:], uint32(size))
		copy(b[unix.SizeofInotifyEvent:], name)
		return b
	}
	tests := []struct {
		name   string
		events [][]byte
		want   []string
		all    bool
	}{
		{"none", nil, nil, true},
		{"files", [][]byte{event(unix.IN_MODIFY, "a.toml"), event(unix.IN_MOVED_TO, "bb.toml")}, []string{"a.toml", "bb.toml"}, true},
		{"the folder's own permissions", [][]byte{event(unix.IN_ATTRIB, "")}, nil, true},
		{"overflow", [][]byte{event(unix.IN_MODIFY, "a.toml"), event(unix.IN_Q_OVERFLOW, "")}, []string{"a.toml"}, false},
		{"folder removed", [][]byte{event(unix.IN_DELETE_SELF, ""), event(unix.IN_IGNORED, "")}, nil, false},
		{"cut off", [][]byte{event(unix.IN_MODIFY, "a.toml")[:20]}, nil, false},
	}
	for _, test := range tests {
		var buffer []byte
		for _, e := range test.events {
			buffer = append(buffer, e...)
		}
		got, all := events(buffer)
		if diff := cmp.Diff(test.want, got); diff != "" || all != test.all {
			t.Errorf("%s: all %v %s", test.name, all, diff)
		}
	}
}

func TestNothingToWatch(t *testing.T) {
	t.Parallel()
	if w, err := newWatcher(t.TempDir() + "/nowhere"); err == nil {
		w.close()
		t.Error("a folder that is not there is watched")
	}
	if w, err := newWatcher("/proc"); err == nil {
		w.close()
		t.Error("/proc is taken for a local disk")
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	const folder = "/proc/svcconn" // not even root can make it
	_, err := Open(folder, time.Now).Create(t.Context(), Connector{Name: "hub", Type: "docker"})
	pinErr := OpenPins(folder, time.Now).Set(t.Context(), Pin{"r", "a", "c", ""})
	_, pendingErr := OpenPending(folder).Begin(SecretKey{"keyring", "a/b"})
	for _, err := range []error{err, pinErr, pendingErr} {
		if !fault.Is(err, fault.Failed) {
			t.Errorf("got %v", err)
		}
	}
}
