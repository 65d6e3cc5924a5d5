package output

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// Wrapping loses nothing but spaces, and keeps to the width.
func FuzzWrap(f *testing.F) {
	f.Add("several words 日本語 🐳 e33c9fac-5daa", 7)
	f.Add("e\u0301\u0301\u0301", 1)
	f.Fuzz(func(t *testing.T, text string, to int) {
		to = 1 + to&0xff
		text = Visible(text)
		lines := wrap(text, to)
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(text) {
			t.Errorf("wrap(%q, %d) has %q", text, to, got)
		}
		for _, line := range lines {
			if width(line) > max(to, 2) {
				t.Errorf("wrap(%q, %d) has a line of %d columns: %q", text, to, width(line), line)
			}
		}
	})
}

// YAML says the same as JSON, whatever the strings are.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{"yes", "12:30", "- a", "a: b", "#", "\u0085", "\U000e0001", "null", "~", "0x1f", "1e3", " a", "a ", "\"", "\\", "\uffff", "multi\nline\n", "2001-01-01"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		if written, err := marshal(key); err != nil || len(written) > 1000 {
			return // YAML's keys have at most 1,024 characters, escapes included
		}
		value := map[string]any{key: []any{text, map[string]any{"n": 1.5, "b": true, "z": nil, "e": []any{}}}}
		var want any
		encoded, err := marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(encoded), &want); err != nil {
			t.Fatal(err)
		}
		written, err := yamlOf(encoded)
		if err != nil {
			t.Fatalf("%q: %v", encoded, err)
		}
		var got any
		if err := yaml.Unmarshal([]byte(written), &got); err != nil {
			t.Fatalf("%q: %v", written, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("differs (-json +yaml):\n%s\n%s", diff, written)
		}
	})
}

// JSON that shows no control character says the same as what it was made of.
func FuzzJSON(f *testing.F) {
	f.Add("a\u009b\U000e0001\x7f\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if err := (Printer{Out: &out, Format: JSON}).encode(text); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
		if want := strings.ToValidUTF8(text, ""); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("got %q, want %q", got, text)
		}
		for _, r := range strings.TrimSuffix(out.String(), "\n") {
			if hidden(r) {
				t.Errorf("%U came through", r)
			}
		}
	})
}
