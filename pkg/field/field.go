// Package field declares the configuration keys of auth methods and settings. A
// declaration is a Go variable that documents, prompts for, validates and reads
// its key: `region.Get(values)` can not be spelled differently from what the help
// says, and a key that is removed no longer compiles.
//
// It refuses to read files, environment or terminals: where a value comes from is
// the caller's business.
package field

import (
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Kind is how a value is written, for documentation and completion.
type Kind string

// The kinds of value. In TOML a Duration is a string such as "15m", a List an
// array of strings.
const (
	KindString   Kind = "string"
	KindSecret   Kind = "secret"
	KindBool     Kind = "boolean"
	KindInt      Kind = "integer"
	KindDuration Kind = "duration"
	KindList     Kind = "list"
)

// Info describes a field for help, prompts, completion and example files.
type Info struct {
	Name     string // the key, in lower case with underscores
	Title    string // a few words, for prompts and tables
	Help     string // sentences, for documentation
	Kind     Kind
	Required bool
	Default  string   // as a person would type it; "" is none
	Example  string   // a value that is accepted
	Choices  []string // the only values accepted, if not empty
}

// Secret reports whether the value belongs in the secret store.
func (i Info) Secret() bool { return i.Kind == KindSecret }

// Field is one declared key. The types of this package are its only
// implementations.
type Field interface {
	// Info describes the field.
	Info() Info
	// Parse reads a value as a person types it into a flag, prompt or file.
	// Secrets are not parsed: see Secret.Check.
	Parse(text string) (any, error)
	// Accept checks a value decoded from TOML and returns its canonical form:
	// string, bool, int64 or []string.
	Accept(value any) (any, error)
}

// Set is the fields of one auth method or of one section of settings, in the
// order in which a person is asked for them.
type Set []Field

// Find returns the field of that name; dashes count as underscores.
func (s Set) Find(name string) (Field, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	for _, f := range s {
		if f.Info().Name == name {
			return f, true
		}
	}
	return nil, false
}

// Names lists the names in order.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Info().Name
	}
	return names
}

// Unknown is the error for a key that the set does not have, with the likely
// intended one or all that there are.
func (s Set) Unknown(name, where string) error {
	err := fault.New(fault.Invalid, "%s has no field %q", where, name)
	if near := Nearest(name, s.Names()); near != "" {
		return err.Hint("did you mean %q? The fields are: %s", near, strings.Join(s.Names(), ", "))
	}
	if len(s) == 0 {
		return err.Hint("it takes no fields")
	}
	return err.Hint("the fields are: %s", strings.Join(s.Names(), ", "))
}

// Complete checks values against the set and returns them in canonical form, with
// defaults filled in. where names the owner of the fields in errors ("auth method
// password of connector type docker"). Unknown keys, missing required ones and
// malformed values are errors of kind fault.Invalid that name the key.
func (s Set) Complete(values Values, where string) (Values, error) {
	out := Values{}
	for _, name := range values.names() {
		f, ok := s.Find(name)
		if !ok {
			return Values{}, s.Unknown(name, where)
		}
		if err := out.take(f, values, name); err != nil {
			return Values{}, fault.Within(err, "field %s", name)
		}
	}
	for _, f := range s {
		info := f.Info()
		if out.Has(info.Name) {
			continue
		}
		if info.Required {
			return Values{}, fault.New(fault.Invalid, "%s needs the field %q (%s)", where, info.Name, info.Title).Hint("%s", howToSet(info))
		}
		if info.Default != "" {
			value, err := f.Parse(info.Default)
			if err != nil {
				return Values{}, fmt.Errorf("default of field %s: %w", info.Name, err)
			}
			out.Set(info.Name, value)
		}
	}
	return out, nil
}

func howToSet(info Info) string {
	if info.Secret() {
		return fmt.Sprintf("give it with --set %[1]s=@FILE, --set %[1]s=- (stdin), --set %[1]s=env:NAME or --set %[1]s=cmd:COMMAND; on a terminal it is asked for", info.Name)
	}
	example := info.Example
	if example == "" {
		example = "VALUE"
	}
	return fmt.Sprintf("give it with --set %s=%s", info.Name, example)
}

// CompleteStored is Complete for values whose secrets are in the secret store and
// not at hand: stored names them. A stored secret that the set does not have is an
// error like any other unknown key.
func (s Set) CompleteStored(values Values, stored []string, where string) (Values, error) {
	present := map[string]bool{}
	for _, name := range stored {
		f, ok := s.Find(name)
		if !ok {
			return Values{}, s.Unknown(name, where)
		}
		if !f.Info().Secret() {
			return Values{}, fault.Within(errNotSecret(name), "field %s", name)
		}
		present[f.Info().Name] = true
	}
	rest := make(Set, 0, len(s))
	for _, f := range s {
		if !present[f.Info().Name] {
			rest = append(rest, f)
		}
	}
	return rest.Complete(values, where)
}
