package prompt

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ typed, want string }{
		"enter":              {"abc\r", "abc"},
		"newline":            {"abc\n", "abc"},
		"empty":              {"\r", ""},
		"backspace":          {"abx\x7fc\r", "abc"},
		"old backspace":      {"abx\bc\r", "abc"},
		"backspace at start": {"\x7f\x7fabc\r", "abc"},
		"wide characters":    {"a鍵\x7fé\x7f🔑\x7fb\r", "ab"},
		"ctrl-u":             {"wrong\x15right\r", "right"},
		"tab is kept":        {"a\tb\r", "a\tb"},
		"spaces are kept":    {" a b \r", " a b "},
		"control ignored":    {"a\x00\x01\x1ab\r", "ab"},
		"arrow keys":         {"a\x1b[A\x1b[1;5Cb\x1bOPc\r", "abc"},
		"alt":                {"a\x1bxb\r", "ab"},
		"pasted in brackets": {"\x1b[200~abc\x1b[201~\r", "abc"},
		"ctrl-d in a line":   {"a\x04b\r", "ab"},
		"invalid utf-8":      {"a\xffb\r", "a\xffb"},
		"long":               {strings.Repeat("k", 70_000) + "\r", strings.Repeat("k", 70_000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var shown strings.Builder
			got, err := (&editor{in: strings.NewReader(c.typed), out: &shown}).line()
			if err != nil || got != c.want {
				t.Errorf("got %.40q, %v; want %.40q", got, err, c.want)
			}
			if shown.Len() > 0 {
				t.Errorf("a hidden answer was shown: %.40q", shown.String())
			}
		})
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ typed, want string }{
		"carriage returns":      {"a\rb\r\x04", "a\nb"},
		"newlines":              {"a\nb\n\x04", "a\nb"},
		"both":                  {"a\r\nb\r\n\x04", "a\nb"},
		"no last newline":       {"a\rb\x04", "a\nb"},
		"empty lines stay":      {"a\r\r\rb\r\x04", "a\n\n\nb"},
		"nothing":               {"\x04", ""},
		"one newline trimmed":   {"a\r\r\x04", "a\n"},
		"ctrl-u keeps lines":    {"a\rwrong\x15b\x04", "a\nb"},
		"backspace keeps lines": {"a\rx\x7f\x7f\x7fb\x04", "a\nb"},
		"tab":                   {"a\t\rb\x04", "a\t\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := (&editor{in: strings.NewReader(c.typed)}).lines()
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	line, lines := (*editor).line, (*editor).lines
	for name, c := range map[string]struct {
		typed string
		read  func(*editor) (string, error)
		kind  fault.Kind
	}{
		"ctrl-c":               {"abc\x03", line, fault.Interrupted},
		"ctrl-c in a sequence": {"abc\x1b[\x03", line, fault.Interrupted},
		"ctrl-d at the start":  {"\x04", line, fault.Interrupted},
		"ctrl-c in lines":      {"abc\rdef\x03", lines, fault.Interrupted},
		"too long":             {strings.Repeat("k", maxAnswer+1), line, fault.Invalid},
		"too many lines":       {strings.Repeat("k", maxAnswer+1), lines, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.read(&editor{in: strings.NewReader(c.typed)})
			if got != "" || !fault.Is(err, c.kind) {
				t.Errorf("got %q, %v; want a fault of kind %s", got, err, c.kind)
			}
		})
	}
	if _, err := (&editor{in: strings.NewReader("abc")}).line(); !errors.Is(err, io.EOF) {
		t.Errorf("a terminal that goes away: got %v, want the end of input", err)
	}
}

func TestShownLine(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	e := editor{in: strings.NewReader("yéx\x7f\r"), out: &shown, shown: true}
	if _, err := e.line(); err != nil {
		t.Fatal(err)
	}
	if want := "yéx\b \b"; shown.String() != want {
		t.Errorf("shown %q, want %q", shown.String(), want)
	}
}

// Whatever is typed, the editor ends, and nothing of a hidden answer is shown.
func FuzzLine(f *testing.F) {
	f.Add([]byte("abc\r"))
	f.Add([]byte("a\x1b[200~b\x1b[201~\x7f\x15\x04\x03"))
	f.Fuzz(func(t *testing.T, typed []byte) {
		var shown strings.Builder
		one, err := (&editor{in: strings.NewReader(string(typed)), out: &shown}).line()
		if err == nil && strings.ContainsAny(one, "\r\n\x03\x1b\x7f") {
			t.Errorf("a key that is not text got into the answer %q", one)
		}
		many, err := (&editor{in: strings.NewReader(string(typed)), out: &shown}).lines()
		if err == nil && strings.ContainsAny(many, "\r\x03\x04\x1b\x7f") {
			t.Errorf("a key that is not text got into the answer %q", many)
		}
		if shown.Len() > 0 {
			t.Error("a hidden answer was shown")
		}
	})
}
