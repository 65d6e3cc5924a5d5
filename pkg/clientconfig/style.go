package clientconfig

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// style is how a file is laid out. What is added follows it; docker's own style
// (tabs, a line for each member) is the one of a file that shows none.
type style struct {
	newline     string
	unit        string // one level of indentation
	beforeColon string
	afterColon  string
	lines       bool // members stand on lines of their own
}

func styleOf(root *hujson.Object, text []byte) style {
	s := style{newline: "\n", unit: "\t", afterColon: " ", lines: true}
	if bytes.Contains(text, []byte("\r\n")) {
		s.newline = "\r\n"
	}
	if len(root.Members) == 0 {
		return s
	}
	first := root.Members[0]
	s.lines = broken(first.Name.BeforeExtra)
	s.unit = indent(first.Name.BeforeExtra)
	if !broken(first.Name.AfterExtra) && !broken(first.Value.BeforeExtra) {
		s.beforeColon, s.afterColon = string(first.Name.AfterExtra), string(first.Value.BeforeExtra)
	}
	return s
}

// add appends a member to object, whose closing brace is indented by outer.
func (s style) add(object *hujson.Object, name string, value hujson.ValueTrimmed, outer string) {
	before := hujson.Extra(s.afterColon) // a compact file has no space after commas either
	switch n := len(object.Members); {
	case n > 0 && broken(object.Members[n-1].Name.BeforeExtra):
		before = hujson.Extra(s.newline + indent(object.Members[n-1].Name.BeforeExtra))
	case n > 1:
		before = slices.Clone(object.Members[n-1].Name.BeforeExtra)
	case n == 0 && s.lines:
		before = hujson.Extra(s.newline + outer + s.unit)
		object.AfterExtra = hujson.Extra(s.newline + outer)
	case n == 0:
		before, object.AfterExtra = nil, nil
	}
	object.Members = append(object.Members, hujson.ObjectMember{
		Name:  hujson.Value{BeforeExtra: before, Value: hujson.String(name), AfterExtra: hujson.Extra(s.beforeColon)},
		Value: hujson.Value{BeforeExtra: hujson.Extra(s.afterColon), Value: value},
	})
}

// remove deletes a member so that a removed addition leaves no trace.
func remove(object *hujson.Object, i int) {
	gone := object.Members[i]
	object.Members = slices.Delete(object.Members, i, i+1)
	if len(object.Members) == 0 {
		object.AfterExtra = nil
		return
	}
	if i == 0 {
		object.Members[0].Name.BeforeExtra = gone.Name.BeforeExtra
	}
	// hujson would write a comma after a last value that has space behind it.
	object.Members[len(object.Members)-1].Value.AfterExtra = nil
}

func broken(space hujson.Extra) bool { return bytes.ContainsRune(space, '\n') }

// indent is the indentation of the line that follows space; "" on the same line.
func indent(space hujson.Extra) string {
	if i := strings.LastIndexByte(string(space), '\n'); i >= 0 {
		return string(space[i+1:])
	}
	return ""
}
