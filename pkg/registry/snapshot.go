package registry

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// Snapshot is the state of the registered connectors at one moment. It does not
// change and is safe for concurrent use; the maps, lists and pointers inside its
// connectors are shared and must not be changed.
type Snapshot struct {
	version uint64
	good    []*entry // sorted by name
	broken  []Broken // sorted by name
	unsure  []*entry
	byID    map[string]*entry
}

// emptySnapshot is that of a folder that nobody has looked at or that is not there.
var emptySnapshot = &Snapshot{}

// Broken is a file that has no usable connector.
type Broken struct {
	Name string // the file's name without .toml
	Path string
	Err  error // names file, line and key
}

func newSnapshot(version uint64, path string, entries []*entry) *Snapshot {
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
	s := &Snapshot{version: version, byID: make(map[string]*entry, len(entries)), good: make([]*entry, 0, len(entries))}
	for _, e := range entries {
		if e.unsure() {
			s.unsure = append(s.unsure, e)
		}
		err := e.err
		if first := s.byID[e.connector.ID]; err == nil && first != nil {
			err = sameID(first.name, e.name)
		}
		if err != nil {
			s.broken = append(s.broken, Broken{Name: e.name, Path: filepath.Join(path, e.name+extension), Err: err})
			continue
		}
		s.good = append(s.good, e)
		s.byID[e.connector.ID] = e
	}
	return s
}

// sameID is what is wrong with a copied file. After a rename that died half-way it
// is wrong with one of the two names.
func sameID(first, second string) error {
	return fault.New(fault.Invalid, "%s: key id: connector %s has the same id", shownAs(second), first).
		Hint("if %s is a copy of %s, remove its `id` line; if it was left behind by a rename, delete it", shownAs(second), shownAs(first))
}

// Version tells one state from another: it grows with every change of a connector
// or of what is wrong with one. Versions of different Dirs say nothing to each
// other.
func (s *Snapshot) Version() uint64 { return s.version }

// All returns the connectors, sorted by name. The list is the caller's own; to make
// it takes a millisecond for 10,000, so a frequent user keeps what it made of it, by
// Version.
func (s *Snapshot) All() []Connector {
	all := make([]Connector, len(s.good))
	for i, e := range s.good {
		all[i] = e.connector
	}
	return all
}

// Broken returns the files that have no usable connector, sorted by name.
func (s *Snapshot) Broken() []Broken { return slices.Clone(s.broken) }

// Get returns the connector of that exact name.
func (s *Snapshot) Get(name string) (Connector, bool) {
	i, ok := slices.BinarySearchFunc(s.good, name, func(e *entry, name string) int { return cmp.Compare(e.name, name) })
	if !ok {
		return Connector{}, false
	}
	return s.good[i].connector, true
}

// ByID returns the connector of that exact id.
func (s *Snapshot) ByID(id string) (Connector, bool) {
	if e := s.byID[id]; e != nil {
		return e.connector, true
	}
	return Connector{}, false
}

// minPrefix is how many characters of a name or an id stand for the whole.
const minPrefix = 3

// Lookup finds the connector that a person means: by exact name, else by id, else by
// a prefix of either, of at least three characters, that no other connector has. The
// error is that of the file where it is broken, fault.Ambiguous where several
// connectors are meant, and else fault.NotFound.
func (s *Snapshot) Lookup(given string) (Connector, error) {
	if c, ok := s.Get(given); ok {
		return c, nil
	}
	for _, b := range s.broken {
		if b.Name == given {
			return Connector{}, b.Err
		}
	}
	if c, ok := s.ByID(strings.ToLower(given)); ok {
		return c, nil
	}
	if len(given) < minPrefix {
		return Connector{}, s.notFound(given)
	}
	return s.byPrefix(given)
}

func (s *Snapshot) byPrefix(prefix string) (Connector, error) {
	var names []string
	var found Connector
	var err error
	for _, e := range s.good {
		if strings.HasPrefix(e.name, prefix) || strings.HasPrefix(e.connector.ID, strings.ToLower(prefix)) {
			names, found = append(names, e.name), e.connector
		}
	}
	for _, b := range s.broken {
		if strings.HasPrefix(b.Name, prefix) {
			names, err = append(names, b.Name), b.Err
		}
	}
	switch len(names) {
	case 0:
		return Connector{}, s.notFound(prefix)
	case 1:
		return found, err
	}
	return Connector{}, fault.New(fault.Ambiguous, "%q is the beginning of several connectors: %s", prefix, list(names)).
		Hint("give more of the name")
}

// maxListed is how many names an error lists.
const maxListed = 10

func list(names []string) string {
	slices.Sort(names)
	if len(names) > maxListed {
		names = append(names[:maxListed:maxListed], "…")
	}
	return strings.Join(names, ", ")
}

func (s *Snapshot) notFound(given string) error {
	names := make([]string, 0, len(s.good)+len(s.broken))
	for _, e := range s.good {
		names = append(names, e.name)
	}
	for _, b := range s.broken {
		names = append(names, b.Name)
	}
	err := fault.New(fault.NotFound, "there is no connector %q", given)
	if near := field.Nearest(given, names); near != "" {
		return err.Hint("did you mean %s? `svcconn list` lists the connectors", near)
	}
	return err.Hint("`svcconn list` lists the connectors")
}
