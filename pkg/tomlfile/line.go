package tomlfile

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lineOf returns the line, from 1, on which a key was written, or that of the
// innermost table around it that is written down, or 0. It reads the text anew:
// lines are wanted only when there is a mistake.
func lineOf(data []byte, path []string) int {
	f := finder{want: path}
	f.parser.Reset(data)
	f.file()
	if f.depth == 0 {
		return 0
	}
	return 1 + bytes.Count(data[:f.offset], []byte("\n"))
}

// finder walks over a file and keeps the place that matches most of a path.
type finder struct {
	parser unstable.Parser
	want   []string
	depth  int // how many of want the best place matches
	offset int // of the best place
}

func (f *finder) file() {
	var table []string
	elements := map[string]int{}
	for f.parser.NextExpression() {
		e := f.parser.Expression()
		switch e.Kind {
		case unstable.Table:
			table = keysOf(nil, e)
			f.consider(table, e)
		case unstable.ArrayTable:
			table = keysOf(nil, e)
			name := strings.Join(table, "\x00")
			table = append(table, element(elements[name]))
			elements[name]++
			f.consider(table, e)
		case unstable.KeyValue:
			f.pair(table, e)
		}
	}
}

// pair looks at a key and, if it is on the path, inside its value.
func (f *finder) pair(table []string, e *unstable.Node) {
	path := keysOf(table, e)
	if f.consider(path, e) {
		f.value(path, e.Value(), e)
	}
}

// value looks for keys inside a value; around is the expression that names it.
func (f *finder) value(path []string, value, around *unstable.Node) {
	items := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for items.Next() {
			f.pair(path, items.Node())
		}
	case unstable.Array:
		for i := 0; items.Next(); i++ {
			if inner := append(slices.Clip(path), element(i)); f.consider(inner, around) {
				f.value(inner, items.Node(), around)
			}
		}
	}
}

// keysOf returns the path of an expression inside table.
func keysOf(table []string, e *unstable.Node) []string {
	path := slices.Clone(table)
	for keys := e.Key(); keys.Next(); {
		path = append(path, string(keys.Node().Data))
	}
	return path
}

// consider takes the place of an expression if it matches more than those before,
// and reports whether all of its path is wanted.
func (f *finder) consider(path []string, e *unstable.Node) bool {
	n := 0
	for n < len(path) && n < len(f.want) && path[n] == f.want[n] {
		n++
	}
	if n > f.depth {
		keys := e.Key()
		keys.Next()
		f.depth, f.offset = n, int(keys.Node().Raw.Offset)
	}
	return n == len(path)
}
