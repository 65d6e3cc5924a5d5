package tomlfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// Table is a table of a file that is being read. Its methods return the zero value
// for a key that is not there and for one with a mistake; the first mistake in any
// table of the file is what Err returns. It is not safe for concurrent use.
type Table struct {
	doc    *document
	path   []string // from the root; "[n]" is an element of an array
	values map[string]any
	known  []string // the keys that were asked for
	open   bool     // any key will do
	inner  []*Table
}

// document is what the tables of one file share.
type document struct {
	name string
	data []byte
	err  error
}

// Value returns what the key holds as TOML has it: string, bool, int64, float64,
// time.Time, one of go-toml's local dates and times, []any, map[string]any, or nil
// when the key is not there.
func (t *Table) Value(key string) any {
	if !t.open {
		t.known = append(t.known, key)
	}
	return t.values[key]
}

// Keys takes whatever keys the table has: all of them become known. They come
// sorted.
func (t *Table) Keys() []string {
	t.open = true
	return slices.Sorted(maps.Keys(t.values))
}

// Has reports whether the key is there.
func (t *Table) Has(key string) bool { return t.Value(key) != nil }

// Require makes it a mistake that the key is not there or is an empty text.
func (t *Table) Require(key string) {
	switch t.Value(key) {
	case nil:
		t.Mistake(key, fault.New(fault.Invalid, "is missing").Hint("add a line `%s = …`", quoteKey(key)))
	case "":
		t.Mistake(key, fault.New(fault.Invalid, "is empty"))
	}
}

// String reads text.
func (t *Table) String(key string) string { return read[string](t, key, "a string") }

// Int reads a whole number.
func (t *Table) Int(key string) int64 { return read[int64](t, key, "a whole number") }

func read[T any](t *Table, key, kind string) T {
	value := t.Value(key)
	typed, ok := value.(T)
	if !ok && value != nil {
		t.wrongKind(key, kind, value)
	}
	return typed
}

// Duration reads a span of time: Go's text ("15m") or a number of seconds.
func (t *Table) Duration(key string) time.Duration {
	value := t.Value(key)
	if n, ok := value.(int64); ok {
		value = fmt.Sprint(n)
	}
	text, ok := value.(string)
	if !ok {
		if value != nil {
			t.wrongKind(key, `a duration such as "15m"`, value)
		}
		return 0
	}
	d, err := field.ParseDuration(text)
	t.Mistake(key, err)
	return d
}

// Time reads a moment, a date with time and offset, and returns it in UTC. The same
// as text is accepted too.
func (t *Table) Time(key string) time.Time {
	value := t.Value(key)
	if text, ok := value.(string); ok {
		if parsed, err := time.Parse(time.RFC3339, text); err == nil {
			value = parsed
		}
	}
	moment, ok := value.(time.Time)
	if !ok {
		if value != nil {
			t.wrongKind(key, "a date with time and offset such as 2026-01-31T12:00:00Z", value)
		}
		return time.Time{}
	}
	moment = moment.UTC()
	if moment.Year() < 1970 || moment.Year() > 9999 {
		t.Mistake(key, fault.New(fault.Invalid, "must be between the years 1970 and 9999"))
		return time.Time{}
	}
	return moment
}

// Strings reads a list of strings.
func (t *Table) Strings(key string) []string {
	items := read[[]any](t, key, "a list of strings")
	if items == nil {
		return nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			t.wrongKind(key, "a list of strings", items)
			return nil
		}
		list[i] = text
	}
	return list
}

// Table reads a table. It is never nil: one that is not there is empty.
func (t *Table) Table(key string) *Table {
	return t.add([]string{key}, read[map[string]any](t, key, "a table"))
}

// Tables reads an array of tables ("[[key]]").
func (t *Table) Tables(key string) []*Table {
	items := read[[]any](t, key, "an array of tables")
	tables := make([]*Table, 0, len(items))
	for i, item := range items {
		values, ok := item.(map[string]any)
		if !ok {
			t.wrongKind(key, "an array of tables", items)
			return nil
		}
		tables = append(tables, t.add([]string{key, element(i)}, values))
	}
	return tables
}

func element(i int) string { return fmt.Sprintf("[%d]", i) }

func (t *Table) add(path []string, values map[string]any) *Table {
	inner := &Table{doc: t.doc, path: slices.Concat(t.path, path), values: values}
	t.inner = append(t.inner, inner)
	return inner
}

func (t *Table) wrongKind(key, kind string, value any) {
	t.Mistake(key, fault.New(fault.Invalid, "must be %s, not %s", kind, kindOf(value)))
}

// kindOf adds to field.KindOf the kinds that only TOML has.
func kindOf(value any) string {
	switch value := value.(type) {
	case time.Time:
		return "a date with time and offset"
	case toml.LocalDate, toml.LocalDateTime:
		return "a date without offset"
	case toml.LocalTime:
		return "a time of day"
	case []any:
		for _, item := range value {
			if _, ok := item.(string); !ok {
				return "a list with " + field.KindOf(item) + " in it"
			}
		}
	}
	return field.KindOf(value)
}

// Mistake records what is wrong with the key, unless err is nil or there is an
// earlier mistake. It becomes fault.Invalid whatever it was, and keeps its hint.
func (t *Table) Mistake(key string, err error) {
	if err == nil || t.doc.err != nil {
		return
	}
	path := append(slices.Clone(t.path), key)
	where := t.doc.name
	if line := lineOf(t.doc.data, path); line > 0 {
		where = fmt.Sprintf("%s:%d", where, line)
	}
	found := fault.New(fault.Invalid, "%s: key %s: %w", where, dotted(path), err)
	if hint := fault.HintOf(err); hint != "" {
		found = found.Hint("%s", hint)
	}
	t.doc.err = found
}

// dotted writes a path as a person would, without the positions in arrays: the line
// tells them.
func dotted(path []string) string {
	var parts []string
	for _, key := range path {
		if !strings.HasPrefix(key, "[") {
			parts = append(parts, quoteKey(key))
		}
	}
	return strings.Join(parts, ".")
}

// Err returns the first mistake in the file; a key that nobody asked for is one.
func (t *Table) Err() error {
	t.findUnknown()
	return t.doc.err
}

func (t *Table) findUnknown() {
	var unknown []string
	for key := range t.values {
		if !t.open && !slices.Contains(t.known, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		first := slices.Min(unknown)
		t.Mistake(first, t.unknown(first))
	}
	for _, inner := range t.inner {
		inner.findUnknown()
	}
}

func (t *Table) unknown(key string) error {
	known := slices.Compact(slices.Sorted(slices.Values(t.known)))
	err := fault.New(fault.Invalid, "there is no such key")
	if near := field.Nearest(key, known); near != "" {
		return err.Hint("did you mean %q? The keys are: %s", near, strings.Join(known, ", "))
	}
	return err.Hint("the keys are: %s", strings.Join(known, ", "))
}
