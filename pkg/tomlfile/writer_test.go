package tomlfile

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	var w Writer
	w.Comment("A thing.\n\nIt has lines.")
	w.Set("name", `with "quotes", \ and	tabs`)
	w.Set("count", int64(-3))
	w.Set("on", false)
	w.Set("when", time.Date(2026, 1, 31, 13, 0, 0, 5e8, time.FixedZone("", 3600)))
	w.Set("for", 90*time.Minute)
	SetNonZero(&w, "nothing", "")
	SetNonZero(&w, "never", time.Time{})
	SetNonZero(&w, "something", int64(1))
	w.Table("empty")
	w.Table("labels")
	SetAll(&w, map[string]string{"b": "2", "a.b": "1", "": "0"})
	w.Table("configuration", "of it")
	w.Set("short", []string{"a", "b"})
	w.Set("none", []string{})
	w.Set("long", []string{strings.Repeat("a", 50), strings.Repeat("b", 50)})
	w.Set("certificate", "-----BEGIN-----\n\"\"\"\"\\\r\n-----END-----\n")
	w.Element("row")
	w.Set("key", "k\"\n\"")
	w.Element("row")
	w.Set("key", "\x00\x7f")
	const want = `# A thing.
#
# It has lines.

name = "with \"quotes\", \\ and\ttabs"
count = -3
on = false
when = 2026-01-31T12:00:00.5Z
for = "1h30m"
something = 1

[labels]
"" = "0"
"a.b" = "1"
b = "2"

[configuration."of it"]
short = ["a", "b"]
none = []
long = [
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
]
certificate = """
-----BEGIN-----
""\""\\\u000d
-----END-----
"""

[[row]]
key = """
k"
\""""

[[row]]
key = "\u0000\u007f"
`
	got, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := Parse("f.toml", got); err != nil {
		t.Error(err)
	}
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"nil": nil, "int": 3, "float": 1.5, "map": map[string]any{}, "list": []any{"a"},
		"text": "\xff", "list of text": []string{"\xff"}, "lines": "a\n\xff",
	} {
		var w Writer
		w.Set("good", "before")
		w.Set(name, value)
		w.Set("later", nil)
		if _, err := w.Bytes(); err == nil || !strings.HasPrefix(err.Error(), `key "`+name+`": `) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	var w Writer
	w.Set("\xff", "a")
	if _, err := w.Bytes(); err == nil {
		t.Error("a key that is not UTF-8 was written")
	}
}

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 20 * time.Hour: "20h",
		time.Hour + time.Second: "1h0m1s", time.Hour + 10*time.Minute: "1h10m", 90 * time.Second: "1m30s",
		1500 * time.Millisecond: "1.5s", math.MaxInt64: "2562047h47m16.854775807s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(want); err != nil || back != d {
			t.Errorf("%s: reads as %s, %v", want, back, err)
		}
	}
}

// FuzzWriter writes values and reads them back.
func FuzzWriter(f *testing.F) {
	f.Add("key", "text", int64(1), true, int64(1e9), "item")
	f.Add("a.b", "two\nlines\"", int64(-1), false, int64(0), "")
	f.Add("", "\"\"\"\"\n\"\"\"", int64(math.MinInt64), false, int64(math.MaxInt64), "\\\n\t\r\x00\x7f")
	f.Fuzz(func(t *testing.T, key, text string, n int64, on bool, duration int64, item string) {
		duration = max(duration, 0)
		var w Writer
		w.Comment("head " + strings.ToValidUTF8(strings.Map(printable, text), ""))
		w.Table("plain", key)
		w.Set("text", text)
		w.Set("n", n)
		w.Set("on", on)
		w.Set("duration", time.Duration(duration))
		w.Set("list", []string{item, text, ""})
		w.Table("labels")
		w.Set(key, item)
		data, err := w.Bytes()
		if err != nil {
			return // not UTF-8
		}
		root, err := Parse("f.toml", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		plain := root.Table("plain").Table(key)
		got := []any{plain.String("text"), plain.Int("n"), plain.Value("on"), plain.Duration("duration"), plain.Strings("list"), root.Table("labels").String(key)}
		want := []any{text, n, on, time.Duration(duration), []string{item, text, ""}, item}
		if diff := cmp.Diff(want, got); diff != "" || root.Err() != nil {
			t.Fatalf("%v\n%s\n%s", root.Err(), diff, data)
		}
	})
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}
