package clientconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/svcconn/svcconn/pkg/fault"
)

// helper is the value that leads a tool to docker-credential-svcconn.
const helper = "svcconn"

// The members of docker's and podman's file that matter here.
const (
	memberHelpers = "credHelpers"
	memberStore   = "credsStore"
	memberAuths   = "auths"
)

// document is a JSON file of docker or podman whose every byte stays what it is
// unless it is edited. A file that is absent or blank counts as an empty object.
type document struct {
	file  string
	read  []byte // the text as it was read; nil for no file
	value hujson.Value
	root  *hujson.Object
	style style
	whole *string // overrides value when the file as a whole went back to what it was
	gone  bool    // the file is to be deleted
}

// parse refuses what docker would misread or overwrite. Its errors name file and
// line and never quote the file, which may hold passwords.
func parse(file string, text []byte) (*document, error) {
	d := &document{file: file, read: text}
	source := text
	if len(bytes.TrimSpace(text)) == 0 {
		source = []byte("{}\n")
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return nil, d.invalid(1, "it begins with a byte order mark, which docker and podman do not read")
	}
	if line := syntaxError(source); line > 0 {
		return nil, d.invalid(line, "it is not valid JSON")
	}
	var err error
	if d.value, err = hujson.Parse(source); err != nil { // unreachable after the check above
		return nil, d.invalid(1, "it is not valid JSON")
	}
	root, ok := d.value.Value.(*hujson.Object)
	if !ok {
		return nil, d.invalid(lineAt(source, d.value.StartOffset), "it is not a JSON object")
	}
	d.root, d.style = root, styleOf(root, text)
	return d, d.check(source)
}

// syntaxError returns the line of the first violation of RFC 8259, or 0.
func syntaxError(text []byte) int {
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &syntax):
		return 1
	case syntax.Offset >= int64(len(text)): // it ends too early
		return lineAt(text, len(text))
	}
	return lineAt(text, int(syntax.Offset)-1)
}

func lineAt(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), len(text))], []byte("\n"))
}

func (d *document) invalid(line int, format string, args ...any) error {
	return fault.New(fault.Invalid, "%s, line %d: %s", d.file, line, fmt.Sprintf(format, args...)).
		Hint("mend the file by hand and try again; svcconn changes nothing in a file that it does not fully understand")
}

// check finds what is valid JSON and still no configuration of docker or podman.
func (d *document) check(source []byte) error {
	for value := range d.value.All() {
		if object, ok := value.Value.(*hujson.Object); ok {
			if again := repeated(object, object == d.root); again != nil {
				return d.invalid(lineAt(source, again.StartOffset), "a key is there twice")
			}
		}
	}
	for _, want := range []struct{ name, kinds, entries string }{
		{memberHelpers, `{n`, `"n`},
		{memberAuths, `{n`, `{n`},
		{memberStore, `"n`, ``},
	} {
		v := d.member(d.root, want.name)
		if v != nil && misfit(*v, want.kinds) {
			return d.invalid(lineAt(source, v.StartOffset), "%s has a value of the wrong type", want.name)
		}
		for _, m := range members(d.object(want.name)) {
			if misfit(m.Value, want.entries) {
				return d.invalid(lineAt(source, m.Value.StartOffset), "%s has an entry of the wrong type", want.name)
			}
		}
	}
	return nil
}

// misfit also finds names that are not UTF-8: no program has them, and the journal
// could not keep them.
func misfit(v hujson.Value, kinds string) bool {
	text, _ := v.Value.(hujson.Literal)
	return !isKind(v, kinds) || !utf8.Valid(text)
}

func isKind(v hujson.Value, kinds string) bool {
	return strings.IndexByte(kinds, byte(v.Value.Kind())) >= 0
}

// repeated returns the second of two equal names. At the top, docker's decoder takes
// names that differ in case alone for the same.
func repeated(object *hujson.Object, top bool) *hujson.Value {
	seen := make(map[string]bool, len(object.Members))
	for i := range object.Members {
		name := nameOf(object.Members[i])
		if top {
			name = strings.ToLower(strings.ToUpper(name)) // as EqualFold has it
		}
		if seen[name] {
			return &object.Members[i].Name
		}
		seen[name] = true
	}
	return nil
}

func nameOf(m hujson.ObjectMember) string { return literal(m.Name) }

// literal is the text of a string, and "" for every other value.
func literal(v hujson.Value) string {
	if text, ok := v.Value.(hujson.Literal); ok && text.Kind() == '"' {
		return text.String()
	}
	return ""
}

func members(object *hujson.Object) []hujson.ObjectMember {
	if object == nil {
		return nil
	}
	return object.Members
}

// index finds a member by name, at the top whatever its case, as docker's and
// podman's decoder do; -1 if there is none.
func (d *document) index(object *hujson.Object, name string) int {
	return slices.IndexFunc(members(object), func(m hujson.ObjectMember) bool {
		if object == d.root {
			return strings.EqualFold(nameOf(m), name)
		}
		return nameOf(m) == name
	})
}

func (d *document) member(object *hujson.Object, name string) *hujson.Value {
	if i := d.index(object, name); i >= 0 {
		return &object.Members[i].Value
	}
	return nil
}

// object returns a member of the top that is an object, or nil.
func (d *document) object(name string) *hujson.Object {
	if v := d.member(d.root, name); v != nil {
		object, _ := v.Value.(*hujson.Object)
		return object
	}
	return nil
}

// text is the file's new content; nil is no file.
func (d *document) text() []byte {
	switch {
	case d.gone:
		return nil
	case d.whole != nil:
		return []byte(*d.whole)
	}
	return d.value.Pack()
}
