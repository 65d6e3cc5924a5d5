package clientconfig

import "github.com/tailscale/hujson"

// edit turns a file's text into the wanted one and keeps the record in step; nil is
// no file. It runs again, on the new text, when somebody else changes the file.
type edit func(file string, text []byte, r *record) ([]byte, []Change, error)

// onDocument is an edit of a file in JSON.
func onDocument(tool string, change func(*document, *record) ([]Change, error)) edit {
	return func(file string, text []byte, r *record) ([]byte, []Change, error) {
		d, err := parse(file, text)
		if err != nil {
			return nil, nil, err
		}
		r.prune(d)
		changes, err := change(d, r)
		for i := range changes {
			changes[i].Tool, changes[i].File = tool, file
		}
		if err != nil || len(changes) == 0 {
			return text, nil, err
		}
		return d.text(), changes, nil
	}
}

// pointTo leads the places to svcconn.
func pointTo(tool string, places []place) edit {
	return onDocument(tool, func(d *document, r *record) ([]Change, error) {
		var changes []Change
		for _, p := range places {
			before := d.helperAt(p)
			if before == helper {
				continue
			}
			for outer := range p { // objects that hold nothing yet
				if d.hollow(p[:outer]) {
					r.note(p[:outer], d.hollowNotation(p[:outer]))
				}
			}
			r.note(p, d.notation(p))
			d.put(p, hujson.String(helper))
			changes = append(changes, Change{Key: p.key(), Before: before, After: helper})
		}
		return changes, nil
	})
}

// takeBack undoes pointTo at the places that are selected. What leads to svcconn
// without a record (written by hand, or the journal is lost) is removed.
func takeBack(tool string, selected func(place) bool) edit {
	return onDocument(tool, func(d *document, r *record) ([]Change, error) {
		var changes []Change
		for _, p := range d.pointers() {
			if !selected(p) {
				continue
			}
			was, _ := r.take(p)
			if err := d.restore(p, was); err != nil {
				return nil, err
			}
			changes = append(changes, Change{Key: p.key(), Before: helper, After: d.helperAt(p)})
			if err := restoreHollow(d, r, p); err != nil {
				return nil, err
			}
		}
		r.prune(d)
		return changes, nil
	})
}

// restoreHollow puts the objects around p, from the inner to the outer, back to what
// they were, as far as nothing is in them any more.
func restoreHollow(d *document, r *record, p place) error {
	for n := len(p) - 1; n >= 0 && d.hollow(p[:n]); n-- {
		was, known := r.take(p[:n])
		if !known {
			return nil
		}
		if err := d.restore(p[:n], was); err != nil {
			return err
		}
	}
	return nil
}
