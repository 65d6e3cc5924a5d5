package clientconfig

import "errors"

// Pointer is an entry that leads a tool to svcconn.
type Pointer struct {
	Tool string // Docker or Containers
	File string // the file itself, symbolic links resolved
	Key  string // the registry as the tool spells it; "" is every registry without an entry
}

// Pointers lists what leads to svcconn now, in the files that the tools read and in
// those that a login has changed. Files that cannot be read are in the error, beside
// the pointers of the others.
func Pointers(env Env) ([]Pointer, error) {
	var pointers []Pointer
	var broken []error
	seen := make(map[string]bool)
	for _, f := range env.pointerFiles() {
		d, err := open(f.path)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if seen[d.file] {
			continue
		}
		seen[d.file] = true
		for _, p := range d.pointers() {
			pointers = append(pointers, Pointer{Tool: f.tool, File: d.file, Key: p.key()})
		}
	}
	return pointers, errors.Join(broken...)
}
