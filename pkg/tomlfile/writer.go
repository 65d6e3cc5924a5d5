package tomlfile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Writer builds a file, key by key. The same calls give the same bytes. go-toml's
// own encoder is not used because it writes certificates as one endless line and
// chooses between two kinds of quotes by content, which makes poor diffs.
//
// The zero value is ready to use; the first value that TOML cannot hold is the
// error of Bytes.
type Writer struct {
	buffer bytes.Buffer
	header string // of the current table, until its first key
	err    error
}

// Comment writes text, if there is any, as comment lines.
func (w *Writer) Comment(text string) {
	if text == "" {
		return
	}
	for line := range strings.Lines(text) {
		w.buffer.WriteString(strings.TrimSpace("# "+line) + "\n")
	}
	w.buffer.WriteByte('\n')
}

// Table begins the table of that name; it is left out if no key follows.
func (w *Writer) Table(path ...string) { w.begin("[", path, "]") }

// Element begins an element of an array of tables.
func (w *Writer) Element(path ...string) { w.begin("[[", path, "]]") }

func (w *Writer) begin(open string, path []string, end string) {
	quoted := make([]string, len(path))
	for i, key := range path {
		quoted[i] = quoteKey(key)
	}
	w.header = open + strings.Join(quoted, ".") + end
}

// SetAll writes all keys of a map, sorted.
func SetAll[V any](w *Writer, values map[string]V) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		w.Set(key, values[key])
	}
}

// SetNonZero writes a key unless its value is the zero value, which is what a
// reader takes for a key that is not there.
func SetNonZero[V comparable](w *Writer, key string, value V) {
	var zero V
	if value != zero {
		w.Set(key, value)
	}
}

// Set writes a key: string, bool, int64, []string, time.Time or time.Duration.
func (w *Writer) Set(key string, value any) {
	text, err := w.value(value)
	if err == nil && !utf8.ValidString(key) {
		err = fmt.Errorf("the key is not UTF-8")
	}
	if err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("key %q: %w", key, err)
		}
		return
	}
	if w.header != "" {
		if w.buffer.Len() > 0 && !bytes.HasSuffix(w.buffer.Bytes(), []byte("\n\n")) {
			w.buffer.WriteByte('\n')
		}
		w.buffer.WriteString(w.header + "\n")
		w.header = ""
	}
	fmt.Fprintf(&w.buffer, "%s = %s\n", quoteKey(key), text)
}

// Bytes returns the file.
func (w *Writer) Bytes() ([]byte, error) { return w.buffer.Bytes(), w.err }

func (w *Writer) value(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return quoteText(value)
	case bool:
		return strconv.FormatBool(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
	case []string:
		return quoteList(value)
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano), nil
	case time.Duration:
		return quoteText(FormatDuration(value))
	}
	return "", fmt.Errorf("a value of type %T cannot be written", value)
}

// FormatDuration is Go's text for a duration without its idle zeros: "15m", not
// "15m0s".
func FormatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// lineWidth is where a list is broken into lines.
const lineWidth = 80

func quoteList(items []string) (string, error) {
	quoted := make([]string, len(items))
	for i, item := range items {
		if !utf8.ValidString(item) {
			return "", errNotUTF8
		}
		quoted[i] = quoteLine(item)
	}
	line := "[" + strings.Join(quoted, ", ") + "]"
	if len(line) <= lineWidth {
		return line, nil
	}
	return "[\n  " + strings.Join(quoted, ",\n  ") + ",\n]", nil
}

func quoteKey(key string) string {
	if key == "" || strings.ContainsFunc(key, needsQuotes) {
		return quoteLine(key)
	}
	return key
}

func needsQuotes(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '_' && r != '-'
}

var errNotUTF8 = fmt.Errorf("the text is not UTF-8")

// quoteText writes a text of several lines as such.
func quoteText(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errNotUTF8
	}
	if !strings.Contains(text, "\n") {
		return quoteLine(text), nil
	}
	// Three quotes in a row would end it, and one at its end would make them four.
	end := `"""`
	if body, ok := strings.CutSuffix(text, `"`); ok {
		text, end = body, `\"`+end
	}
	return "\"\"\"\n" + strings.ReplaceAll(escape(text, "\t\n"), `"""`, `""\"`) + end, nil
}

func quoteLine(text string) string {
	return `"` + strings.ReplaceAll(escape(text, ""), `"`, `\"`) + `"`
}

// escape escapes backslashes and the control characters that are not in keep.
func escape(text, keep string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
