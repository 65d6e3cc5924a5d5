package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Dir is the folder of the connectors' files. It is safe for concurrent use, and
// any number of processes may each have one over the same folder.
type Dir struct {
	path string
	now  func() time.Time

	newWatcher func(folder string) (watcher, error)

	mu      sync.Mutex
	folder  fs.FileInfo // the folder that entries come from
	watch   watcher     // nil while every change has to be looked for
	looked  int         // how many files were looked at to find changes
	whole   bool        // entries were complete when the watcher was last asked
	entries map[string]*entry
	current *Snapshot
}

// watcher tells what changes in a folder.
type watcher interface {
	// changes returns the files that may have changed since the last call, and
	// whether these are all.
	changes() (files []string, all bool)
	close()
}

// Open returns the connectors in a folder, CONFIG/connectors. Nothing is read
// before the first Snapshot and nothing made before the first write. now tells the
// time for timestamps, and is compared with the files' modification times.
func Open(path string, now func() time.Time) *Dir {
	return &Dir{path: path, now: now, newWatcher: newWatcher, entries: map[string]*entry{}, current: emptySnapshot}
}

// Close gives up what the kernel keeps for the Dir, which stays usable.
func (d *Dir) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unwatch()
}

func (d *Dir) unwatch() {
	if d.watch != nil {
		d.watch.close()
		d.watch = nil
	}
}

// Snapshot returns the present state of the folder: a file that was written before
// the call is in it. The same pointer comes back as long as nothing has changed.
//
// A folder that others may write to is refused with fault.Denied.
func (d *Dir) Snapshot(ctx context.Context) (*Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	folder, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		d.gone()
		return d.current, nil
	}
	if err == nil {
		err = checkFolder(d.path, folder)
	}
	if err != nil {
		return nil, unreadable(d.path, err)
	}
	files, all := d.suspects(folder)
	if err := d.refresh(ctx, files, all); err != nil {
		return nil, unreadable(d.path, err)
	}
	return d.current, nil
}

func unreadable(path string, err error) error {
	if fault.KindOf(err) != fault.Failed {
		return err
	}
	return fault.New(fault.Failed, "cannot read the connectors in %s: %w", path, err).
		Hint("make the folder readable for you, or point SVCCONN_CONFIG_DIR to one that is")
}

// gone notes that the folder is not there.
func (d *Dir) gone() {
	d.unwatch()
	d.folder, d.whole = nil, false
	if len(d.entries) > 0 {
		clear(d.entries)
		d.publish()
	}
}

// watchAfter is how many files are looked at before a watcher is worth it: to end
// one costs the kernel as much as that, a few milliseconds, and a command that
// takes two snapshots of ten files should not pay for it.
const watchAfter = 2000

// suspects returns the files that may have changed, or says that it may be any.
func (d *Dir) suspects(folder fs.FileInfo) (files []string, all bool) {
	if d.folder != nil && !os.SameFile(d.folder, folder) {
		d.unwatch()
		d.whole = false
	}
	d.folder = folder
	if d.watch != nil {
		if files, all = d.watch.changes(); all {
			return files, d.whole
		}
		d.unwatch() // it may have lost its folder
	}
	if d.looked >= watchAfter {
		// What cannot be watched is looked through at every snapshot.
		d.watch, _ = d.newWatcher(d.path)
	}
	return nil, false
}

// refresh brings the entries up to date: with the named files, or with all there
// are. After an error the next snapshot looks at everything.
func (d *Dir) refresh(ctx context.Context, files []string, all bool) error {
	d.whole = false
	var looks []look
	if all {
		looks = d.named(files)
	} else {
		var err error
		if looks, err = d.everything(); err != nil {
			return err
		}
		d.looked += len(looks) + 5 // reading the folder costs about as much as five files
	}
	if err := inParallel(ctx, len(looks), func(i int) { looks[i].now = d.lookAt(looks[i]) }); err != nil {
		return err
	}
	if d.merge(looks) {
		d.publish()
	}
	d.whole = true
	return nil
}

// look is one file to look at.
type look struct {
	name   string
	before *entry // nil for a file that was not there
	forced bool   // to be read even if it looks the same
	now    *entry // nil for a file that is not there
}

// named are the files that the watcher named, and those that it cannot see change.
func (d *Dir) named(files []string) []look {
	var looks []look
	for _, file := range files {
		if name, ok := nameOf(file); ok {
			looks = append(looks, look{name: name, before: d.entries[name], forced: true})
		}
	}
	for _, e := range d.current.unsure {
		looks = append(looks, look{name: e.name, before: d.entries[e.name]})
	}
	return looks
}

// everything is all files that are there, and those that were.
func (d *Dir) everything() ([]look, error) {
	listing, err := readNames(d.path)
	if err != nil {
		return nil, err
	}
	looks := make([]look, 0, max(len(listing), len(d.entries)))
	listed := make(map[string]bool, len(listing))
	for _, file := range listing {
		if name, ok := nameOf(file); ok {
			listed[name] = true
			looks = append(looks, look{name: name, before: d.entries[name]})
		}
	}
	for name, e := range d.entries {
		if !listed[name] {
			looks = append(looks, look{name: name, before: e})
		}
	}
	return looks, nil
}

func readNames(path string) ([]string, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}

// merge takes over what was found and reports whether that changes anything.
func (d *Dir) merge(looks []look) bool {
	changed := false
	for _, l := range looks {
		changed = changed || !l.before.equal(l.now)
		if l.now == nil {
			delete(d.entries, l.name)
		} else {
			d.entries[l.name] = l.now
		}
	}
	return changed
}

func (d *Dir) publish() {
	entries := make([]*entry, 0, len(d.entries))
	for _, e := range d.entries {
		entries = append(entries, e)
	}
	d.current = newSnapshot(d.current.version+1, d.path, entries)
}

// inParallel calls do for every i below n, on all processors, until ctx ends.
func inParallel(ctx context.Context, n int, do func(i int)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// fileOf is where the connector of that name is kept.
func (d *Dir) fileOf(name string) string { return filepath.Join(d.path, name+extension) }
