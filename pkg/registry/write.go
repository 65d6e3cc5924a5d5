package registry

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
	"github.com/svcconn/svcconn/pkg/tomlfile"
)

// Create registers a connector and returns it as stored: with an id, if it has
// none, and timestamps. Of any number of processes that take one name, exactly one
// succeeds; to the others, and for names that differ from a taken one only in
// upper and lower case, the error is fault.Failed.
func (d *Dir) Create(ctx context.Context, c Connector) (Connector, error) {
	if err := CheckName(c.Name); err != nil {
		return Connector{}, err
	}
	if c.ID == "" {
		c.ID = NewID()
	}
	c.CreatedAt = d.now().UTC().Truncate(time.Second)
	c.UpdatedAt = c.CreatedAt
	data, err := storable(c, heading)
	if err != nil {
		return Connector{}, err
	}
	return c, d.change(ctx, func(s *Snapshot) error {
		if err := s.freeName(c.Name); err != nil {
			return err
		}
		if err := s.freeID(c.ID); err != nil {
			return err
		}
		return atomicfile.Write(d.fileOf(c.Name), data, atomicfile.FileMode)
	})
}

// Replace stores changed in the place of stored, which is how it was when the
// caller decided on the change; name and all else may differ, but not the id. The
// error is fault.Failed, and nothing is changed, if somebody else changed it since.
// Comments at the beginning of the file stay.
//
// Killed between the two steps of a rename, one of the two states is in force and
// the other file is reported as broken.
func (d *Dir) Replace(ctx context.Context, stored, changed Connector) (Connector, error) {
	if err := CheckName(changed.Name); err != nil {
		return Connector{}, err
	}
	changed.ID, changed.CreatedAt = stored.ID, stored.CreatedAt.Truncate(time.Second)
	changed.UpdatedAt = d.now().UTC().Truncate(time.Second)
	if _, err := storable(changed, heading); err != nil {
		return Connector{}, err
	}
	return changed, d.change(ctx, func(s *Snapshot) error {
		if err := s.unchanged(stored); err != nil {
			return err
		}
		if changed.Name == stored.Name {
			return d.rewrite(changed)
		}
		if err := s.freeName(changed.Name); err != nil {
			return err
		}
		return d.rename(stored.Name, changed)
	})
}

// Delete removes a connector. The error is fault.NotFound if it is not there any
// more, and fault.Failed if somebody changed it since the caller saw it.
func (d *Dir) Delete(ctx context.Context, c Connector) error {
	return d.change(ctx, func(s *Snapshot) error {
		if err := s.unchanged(c); err != nil {
			return err
		}
		return atomicfile.Remove(d.fileOf(c.Name))
	})
}

// change does something with the folder while nobody else does.
func (d *Dir) change(ctx context.Context, do func(*Snapshot) error) error {
	if err := atomicfile.MakeDir(d.path); err != nil {
		return err
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(d.path, ".lock"))
	if err != nil {
		return err
	}
	defer lock.Release()
	s, err := d.Snapshot(ctx)
	if err != nil {
		return err
	}
	return do(s)
}

// rewrite replaces the file of a connector, through symbolic links.
func (d *Dir) rewrite(c Connector) error {
	path := throughLinks(d.fileOf(c.Name))
	return d.write(c, path, path)
}

// throughLinks returns the file that a path leads to, so that replacing it leaves
// the links of who keeps his configuration elsewhere; the path itself where it leads
// to nothing.
func throughLinks(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// rename stores a connector in a new file and removes the old one.
func (d *Dir) rename(old string, c Connector) error {
	if err := d.write(c, d.fileOf(old), d.fileOf(c.Name)); err != nil {
		return err
	}
	return atomicfile.Remove(d.fileOf(old))
}

// write stores a connector at path, with the comment that its old file begins with.
func (d *Dir) write(c Connector, old, path string) error {
	before, _, err := tomlfile.Read(old, shownAs(c.Name))
	if err != nil {
		return err
	}
	data, err := encode(c, tomlfile.LeadingComment(before))
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, atomicfile.FileMode)
}

// freeName reports whether no other file has the name, in whatever case: file
// systems of macOS and Windows do not tell upper from lower case.
func (s *Snapshot) freeName(name string) error {
	for _, e := range s.good {
		if strings.EqualFold(e.name, name) {
			return taken(e.name, name)
		}
	}
	for _, b := range s.broken {
		if strings.EqualFold(b.Name, name) {
			return fault.New(fault.Failed, "a connector named %s exists, with a mistake in its file: %w", b.Name, b.Err).
				Hint("correct or remove %s", b.Path)
		}
	}
	return nil
}

func taken(name, wanted string) error {
	what := ""
	if name != wanted {
		what = ", and names must differ in more than upper and lower case"
	}
	return fault.New(fault.Failed, "a connector named %s exists%s", name, what).
		Hint("choose another name, change it with `svcconn update %s`, or delete it with `svcconn delete %s`", name, name)
}

func (s *Snapshot) freeID(id string) error {
	if other, ok := s.ByID(id); ok {
		return fault.New(fault.Failed, "the connector %s has the id %s already", other.Name, id).
			Hint("leave the id out: a new one is made")
	}
	return nil
}

// unchanged reports whether a connector is stored as the caller knows it.
func (s *Snapshot) unchanged(c Connector) error {
	now, ok := s.Get(c.Name)
	if !ok {
		return s.notFound(c.Name)
	}
	if !same(now, c) {
		return fault.New(fault.Failed, "the connector %s was changed by somebody else in the meantime; nothing was done", c.Name).
			Hint("look at it with `svcconn describe %s` and try again", c.Name)
	}
	return nil
}
