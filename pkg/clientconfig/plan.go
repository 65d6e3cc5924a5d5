package clientconfig

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// Change is one entry of one file.
type Change struct {
	Tool   string // Docker, Containers, Kubectl or AWS
	File   string // the file itself, symbolic links resolved
	Key    string // the registry as the tool spells it, "" is every registry without an entry; the context; the profile
	Before string // the helper or connector that is named, PlainText, or "" for none
	After  string
}

// PlainText stands in a Change for a login that the file itself holds.
const PlainText = "plain-text login"

// Plan is what a login or a logout is going to do. It changes nothing before Apply.
// A Plan is used by one goroutine.
type Plan struct {
	journal journal
	steps   []step
	files   []preview
	notices []string
}

// step is the edit of one file.
type step struct {
	tool string
	path string // as the tool names it
	undo bool   // takes back: the journal forgets after the file is written
	edit edit
	lock string // the file that the tool locks it with; "" is none

	redacted func(snapshotText) []byte // the file for a diff; nil is for one in docker's JSON
}

// preview is what a step comes to, as things are now.
type preview struct {
	before, after snapshotText
	changes       []Change
	settles       bool // the record changes as well
}

// snapshotText is a file's text at one of the two ends of a change.
type snapshotText struct {
	path string
	text []byte // nil: no file
}

// newPlan previews the steps; of several for one file the first counts.
func newPlan(env Env, steps ...step) (*Plan, error) {
	p := &Plan{journal: env.journal()}
	for _, s := range steps {
		found, err := read(s.path)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(p.files, func(f preview) bool { return f.before.path == found.path }) {
			continue
		}
		result, err := s.run(p.journal, found)
		if err != nil {
			return nil, err
		}
		p.steps = append(p.steps, s)
		p.files = append(p.files, result.preview)
	}
	return p, nil
}

// Changes lists the entries that Apply will change, in the order of the files.
func (p *Plan) Changes() []Change {
	var all []Change
	for _, f := range p.files {
		all = append(all, f.changes...)
	}
	return all
}

// Empty reports whether everything is already as wanted.
func (p *Plan) Empty() bool { return len(p.Changes()) == 0 }

// Notices are what a person should know of the consequences, a sentence each.
func (p *Plan) Notices() []string { return p.notices }

// Apply makes the changes, file by file and each file whole. It works on the files
// as they are by then: entries that others have written since the plan was made
// stay. The error names the file; files before it are done, and logout takes them
// back.
//
// Processes of svcconn wait for one another until ctx ends, and for kubectl's own lock.
// Docker and podman know no lock: should one of them write within the instant between
// our last look and our rename, the later writer wins.
func (p *Plan) Apply(ctx context.Context) error {
	if !slices.ContainsFunc(p.files, func(f preview) bool { return f.settles || len(f.changes) > 0 }) {
		return nil
	}
	if err := atomicfile.MakeDir(string(p.journal)); err != nil {
		return err
	}
	lock, err := filelock.Acquire(ctx, p.journal.lock())
	if err != nil {
		return err
	}
	defer lock.Release()
	var done []string
	for i, s := range p.steps {
		err := s.apply(ctx, p.journal)
		if err != nil && len(done) > 0 {
			return fault.New(fault.KindOf(err), "%w; %s is done already", err, strings.Join(done, ", "))
		}
		if err != nil {
			return err
		}
		if len(p.files[i].changes) > 0 {
			done = append(done, p.files[i].before.path)
		}
	}
	return nil
}

// outcome is what running an edit on a snapshot comes to.
type outcome struct {
	preview
	record *record
}

func (s step) run(j journal, found snapshot) (outcome, error) {
	r, err := j.load(s.tool, found.path)
	if err != nil {
		return outcome{}, err
	}
	kept := r.clone()
	text, changes, err := s.edit(found.path, found.text, r)
	if errors.Is(err, errNotation) {
		return outcome{}, j.damaged(found.path, err)
	}
	if err != nil {
		return outcome{}, err
	}
	switch {
	case found.text == nil && text != nil:
		r.addFolders(found.missingFolders())
	case text != nil && len(r.Replaced) == 0:
		r.Folders = nil // the file stays, whoever made its folder
	}
	return outcome{preview{
		before:  snapshotText{found.path, found.text},
		after:   snapshotText{found.path, text},
		changes: changes,
		settles: !r.equal(kept),
	}, r}, nil
}

// attempts is how often a file is read anew because somebody else writes it too.
const attempts = 20

func (s step) apply(ctx context.Context, j journal) error {
	for range attempts {
		if err := ctx.Err(); err != nil {
			return fault.New(fault.KindOf(err), "stopped before %s was written: %w", s.path, err)
		}
		found, err := read(s.path)
		if err == nil {
			err = s.write(ctx, j, found)
		}
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return fault.New(fault.Unavailable, "another program keeps writing %s", s.path).
		Hint("try again when it has finished")
}

// write brings file and journal from one whole state to the next, so that logout is
// right wherever this is cut off.
func (s step) write(ctx context.Context, j journal, found snapshot) error {
	result, err := s.run(j, found)
	if err != nil {
		return err
	}
	if !s.undo {
		if err := j.save(result.record); err != nil {
			return err
		}
	}
	atomicfile.Sweep(found.path)
	if after := result.after.text; (after == nil) != (found.text == nil) || !bytes.Equal(after, found.text) {
		if err := s.replace(ctx, found, after); err != nil {
			return err
		}
	}
	if !s.undo {
		return nil
	}
	if result.after.text == nil {
		result.record.removeFolders()
	}
	return j.save(result.record)
}

// replace writes the file, under the tool's own lock if it has one.
func (s step) replace(ctx context.Context, found snapshot, text []byte) error {
	if s.lock == "" {
		return found.replace(text)
	}
	if err := found.writable(); err != nil {
		return err
	}
	release, err := lockLikeKubectl(ctx, s.lock)
	if err != nil {
		return err
	}
	defer release()
	return found.replace(text)
}
