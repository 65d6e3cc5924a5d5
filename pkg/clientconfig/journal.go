package clientconfig

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
)

// errNotation is found when a journal holds what this package never writes.
var errNotation = errors.New("an entry is damaged")

const journalVersion = 1

// record is the journal of one file: what logout needs to take back what login did.
// It never holds the file's content, so never a secret.
//
// A login is recorded before the file is changed and a logout after it. What is
// recorded for a place counts only while the file leads to svcconn there: a record
// whose change did not happen, or was undone by others, has no effect.
type record struct {
	Version  int           `json:"version"`
	Tool     string        `json:"tool"`
	File     string        `json:"file"`               // links resolved
	Folders  []string      `json:"folders,omitempty"`  // made for the file, outermost first
	Replaced []replacement `json:"replaced,omitempty"` // each place once
}

// replacement is what was at a place before: the name of a helper or of a context, an
// object or list with nothing in it, or nothing (nil). For a section of ~/.aws/config it
// is the line ends that set the section off.
type replacement struct {
	Place place   `json:"place"`
	Was   *string `json:"was"`
}

func (r *record) empty() bool { return len(r.Folders) == 0 && len(r.Replaced) == 0 }

// note remembers what was at p, which is not known yet.
func (r *record) note(p place, was *string) {
	r.Replaced = append(r.Replaced, replacement{slices.Clone(p), was})
}

// take forgets what was at p and returns it.
func (r *record) take(p place) (was *string, known bool) {
	i := slices.IndexFunc(r.Replaced, func(old replacement) bool { return slices.Equal(old.Place, p) })
	if i < 0 {
		return nil, false
	}
	was = r.Replaced[i].Was
	r.Replaced = slices.Delete(r.Replaced, i, i+1)
	return was, true
}

// prune forgets the places that lead nowhere near svcconn any more.
func (r *record) prune(d *document) {
	pointers := d.pointers()
	r.Replaced = slices.DeleteFunc(r.Replaced, func(old replacement) bool {
		return !slices.ContainsFunc(pointers, func(p place) bool { return p.within(old.Place) })
	})
}

func (r *record) clone() *record {
	c := *r
	c.Folders, c.Replaced = slices.Clone(r.Folders), slices.Clone(r.Replaced)
	return &c
}

func (r *record) equal(other *record) bool { return reflect.DeepEqual(r, other) }

func (r *record) addFolders(folders []string) {
	for _, dir := range folders {
		if !slices.Contains(r.Folders, dir) {
			r.Folders = append(r.Folders, dir)
		}
	}
	slices.Sort(r.Folders) // an outer folder is a prefix of the inner one
}

// removeFolders deletes the folders that were made for the file, innermost first,
// as far as nothing else is in them, and forgets them.
func (r *record) removeFolders() {
	for _, dir := range slices.Backward(r.Folders) {
		if os.Remove(dir) != nil {
			break // in use by now
		}
	}
	r.Folders = nil
}

// journal is the folder with a record for each file that login has changed.
type journal string

func (e Env) journal() journal { return journal(filepath.Join(e.State, "clients")) }

func (j journal) lock() string { return filepath.Join(string(j), "lock") }

func (j journal) path(file string) string {
	sum := sha256.Sum256([]byte(file))
	return filepath.Join(string(j), fmt.Sprintf("%x.json", sum[:8]))
}

// load returns the record of a file, an empty one if there is none.
func (j journal) load(tool, file string) (*record, error) {
	path := j.path(file)
	r := &record{Version: journalVersion, Tool: tool, File: file}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, r)
	}
	if err == nil && (r.Version != journalVersion || r.File != file) {
		err = fmt.Errorf("it is of version %d for %s", r.Version, r.File)
	}
	if err != nil {
		return nil, j.damaged(file, err)
	}
	return r, nil
}

func (j journal) damaged(file string, err error) error {
	return fault.New(fault.Failed, "cannot use the journal %s of %s: %w", j.path(file), file, err).
		Hint("if no other version of svcconn wrote it, delete it; logout then removes our entries without restoring what they replaced")
}

// save writes a record if it differs from the kept one; an empty one is deleted.
func (j journal) save(r *record) error {
	path := j.path(r.File)
	if r.empty() {
		return atomicfile.Remove(path)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fault.New(fault.Failed, "cannot encode the journal of %s: %w", r.File, err)
	}
	if kept, err := os.ReadFile(path); err == nil && bytes.Equal(kept, text) {
		return nil
	}
	return atomicfile.Write(path, text, atomicfile.FileMode)
}

// files lists the files of a tool that have a record.
func (j journal) files(tool string) []string {
	entries, err := os.ReadDir(string(j))
	if err != nil {
		return nil // no login yet; one whose records cannot be read says so in load
	}
	var files []string
	for _, entry := range entries {
		var r record
		text, err := os.ReadFile(filepath.Join(string(j), entry.Name()))
		if err == nil && json.Unmarshal(text, &r) == nil && r.Tool == tool {
			files = append(files, r.File)
		}
	}
	return files
}
