package tomlfile

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

// thing is what the tests read files into.
type thing struct {
	Name    string
	Count   int64
	On      any
	When    time.Time
	For     time.Duration
	Items   []string
	Labels  map[string]string
	Rows    []row
	Default string
}

type row struct{ Key, Value string }

// readThing reads a file the way all readers do.
func readThing(data string) (thing, error) {
	root, err := Parse("some/thing.toml", []byte(data))
	if err != nil {
		return thing{}, err
	}
	root.Require("name")
	got := thing{
		Name: root.String("name"), Count: root.Int("count"), On: root.Value("on"), When: root.Time("when"),
		For: root.Duration("for"), Items: root.Strings("items"), Default: root.Table("inner").Table("deep").String("default"),
	}
	labels := root.Table("labels")
	for _, key := range labels.Keys() {
		if got.Labels == nil {
			got.Labels = map[string]string{}
		}
		got.Labels[key] = labels.String(key)
	}
	for _, r := range root.Tables("row") {
		r.Require("key")
		got.Rows = append(got.Rows, row{r.String("key"), r.String("value")})
	}
	return got, root.Err()
}

func TestRead(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, text string
		want       thing
	}{
		{"least", "name = 'a'", thing{Name: "a"}},
		{"byte order mark and CRLF", "\ufeffname = 'a'\r\ncount = 3\r\n", thing{Name: "a", Count: 3}},
		{"scalars", "name='a'\non=true\nfor='1h30m'\nwhen=2026-01-31T13:00:00+01:00\nitems=['x','y']",
			thing{Name: "a", On: true, For: 90 * time.Minute, When: noon, Items: []string{"x", "y"}}},
		{"other spellings", "name='a'\nfor=90\nwhen='2026-01-31T12:00:00Z'\nitems=[]",
			thing{Name: "a", For: 90 * time.Second, When: noon, Items: []string{}}},
		{"tables", "name='a'\ninner.deep.default='d'\n[labels]\n'a.b'='1'\nc='2'\n[[row]]\nkey='k'\n[[row]]\nkey='l'\nvalue='v'",
			thing{Name: "a", Default: "d", Labels: map[string]string{"a.b": "1", "c": "2"}, Rows: []row{{"k", ""}, {"l", "v"}}}},
		{"inline tables", "name='a'\nlabels={c='2'}\nrow=[{key='k'}]\ninner={deep={default='d'}}",
			thing{Name: "a", Default: "d", Labels: map[string]string{"c": "2"}, Rows: []row{{"k", ""}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readThing(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, message, hint string }{
		{"missing", "count = 1\n", "key name: is missing", "add a line `name = …`"},
		{"empty file", "", "key name: is missing", ""},
		{"empty", "name = ''\n", "1: key name: is empty", ""},
		{"not a string", "\n\nname = 3\n", "3: key name: must be a string, not a whole number", ""},
		{"not a number", "name = 'a'\ncount = '3'\n", "2: key count: must be a whole number, not a string", ""},
		{"a fraction", "name = 'a'\ncount = 3.5\n", "2: key count: must be a whole number, not a number with a fraction", ""},
		{"not a duration", "name = 'a'\nfor = 'x'\n", `2: key for: "x" is not a duration`, "90s, 15m"},
		{"negative duration", "name = 'a'\nfor = -1\n", `2: key for: "-1" is not a duration`, ""},
		{"duration of a wrong kind", "name = 'a'\nfor = true\n", `2: key for: must be a duration such as "15m", not true or false`, ""},
		{"date without offset", "name = 'a'\nwhen = 2026-01-31T12:00:00\n", "2: key when: must be a date with time and offset such as 2026-01-31T12:00:00Z, not a date without offset", ""},
		{"date alone", "name = 'a'\nwhen = 2026-01-31\n", "2: key when: must be a date with time and offset such as 2026-01-31T12:00:00Z, not a date without offset", ""},
		{"text that is no date", "name = 'a'\nwhen = 'soon'\n", "2: key when: must be a date with time and offset such as 2026-01-31T12:00:00Z, not a string", ""},
		{"date before computers", "name = 'a'\nwhen = 0001-01-01T00:00:00Z\n", "2: key when: must be between the years 1970 and 9999", ""},
		{"date after years of four digits", "name = 'a'\nwhen = 9999-12-31T23:59:59-01:00\n", "2: key when: must be between the years 1970 and 9999", ""},
		{"time for a string", "name = 12:00:00\n", "1: key name: must be a string, not a time of day", ""},
		{"moment for a string", "name = 2026-01-31T12:00:00Z\n", "1: key name: must be a string, not a date with time and offset", ""},
		{"list of more than strings", "name = 'a'\nitems = [\n 'x',\n 3]\n", "2: key items: must be a list of strings, not a list with a whole number in it", ""},
		{"not a list", "name = 'a'\nitems = 'x'\n", "2: key items: must be a list of strings, not a string", ""},
		{"not a table", "name = 'a'\nlabels = 'x'\n", "2: key labels: must be a table, not a string", ""},
		{"in a table", "name = 'a'\n[labels]\na = 'b'\nx = 1\n", "4: key labels.x: must be a string, not a whole number", ""},
		{"in a dotted table", "name = 'a'\nlabels.a = 'b'\nlabels.x = 1\n", "3: key labels.x: must be a string, not a whole number", ""},
		{"in an inline table", "name = 'a'\nlabels = {a = 'b',\n x = 1}\n", "3: key labels.x: must be a string, not a whole number", ""},
		{"quoted key", "name = 'a'\n[labels]\n'a b' = 1\n", `3: key labels."a b": must be a string, not a whole number`, ""},
		{"deep", "name = 'a'\n[inner.deep]\ndefault = 1\n", "3: key inner.deep.default: must be a string, not a whole number", ""},
		{"second row", "name = 'a'\n[[row]]\nkey = 'a'\n[[row]]\nkey = 1\n", "5: key row.key: must be a string, not a whole number", ""},
		{"missing in second row", "name = 'a'\n[[row]]\nkey = 'a'\n\n[[row]]\nvalue = ''\n", "5: key row.key: is missing", ""},
		{"inline rows", "name = 'a'\nrow = [{key = 'a'},\n {key = 1}]\n", "3: key row.key: must be a string, not a whole number", ""},
		{"not rows", "name = 'a'\nrow = [{key = 'a'}, 3]\n", "2: key row: must be an array of tables, not a list with a table in it", ""},
		{"a table for rows", "name = 'a'\n[row]\nkey = 'a'\n", "2: key row: must be an array of tables, not a table", ""},
		{"unknown", "name = 'a'\ncuont = 1\n", "2: key cuont: there is no such key", `did you mean "count"? The keys are: count, for, inner, items, labels, name, on, row, when`},
		{"unknown and unlike any", "name = 'a'\nsomething_else = 1\n", "2: key something_else: there is no such key", "the keys are: count, for"},
		{"unknown in a row", "name = 'a'\n[[row]]\nkey = 'a'\nvaleu = 'b'\n", "4: key row.valeu: there is no such key", `did you mean "value"? The keys are: key, value`},
		{"unknown in a table", "name = 'a'\n[inner]\nx = 'b'\n", "3: key inner.x: there is no such key", "the keys are: deep"},
		{"mistakes come before unknown keys", "unknown = 1\nname = 2\n", "2: key name: must be a string, not a whole number", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := readThing(test.text)
			want := "some/thing.toml:" + test.message
			if strings.HasPrefix(test.message, "key ") {
				want = "some/thing.toml: " + test.message
			}
			if !fault.Is(err, fault.Invalid) || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, test.hint) {
				t.Errorf("hint %q\nwant %q", hint, test.hint)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	const canary = "cnry8Qz"
	tests := []struct{ name, text, message string }{
		{"open list", "a = 1\nitems = [1,\n", "some/thing.toml:2: is not TOML: array is incomplete"},
		{"bare value", "a = " + canary, "some/thing.toml:1: is not TOML: unexpected character"},
		{"open text", "a = 1\nb = '" + canary + "\n", "some/thing.toml:2: is not TOML:"},
		{"bad escape", `b = "` + canary + `\q"`, "some/thing.toml:1: is not TOML:"},
		{"twice", "a = 1\n\na = 2\n", "some/thing.toml:3: is not TOML: key a is already defined"},
		{"not UTF-8", "a = '\xff'\n", "some/thing.toml:1: is not TOML:"},
		{"binary", "\x00\x01\x02", "some/thing.toml:1: is not TOML:"},
		{"nested without end", strings.Repeat("[", MaxSize), "some/thing.toml:1: is not TOML:"},
		{"values nested without end", "a = " + strings.Repeat("[", MaxSize-4), "some/thing.toml:1: is not TOML:"},
		{"too large", strings.Repeat("#", MaxSize+1), "some/thing.toml: is larger than 1048576 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("some/thing.toml", []byte(test.text))
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), test.message) {
				t.Errorf("got %v, want %s", err, test.message)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), canary) {
				t.Errorf("the error quotes a value: %v", err)
			}
		})
	}
}

func TestMistakeKeepsTheFirst(t *testing.T) {
	t.Parallel()
	root, err := Parse("f.toml", []byte("a = 1\nb = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	root.Keys()
	root.Mistake("b", nil)
	if err := root.Err(); err != nil {
		t.Fatal(err)
	}
	root.Mistake("b", fault.New(fault.Denied, "first").Hint("do this"))
	root.Mistake("a", fault.New(fault.Invalid, "second"))
	err = root.Err()
	if err.Error() != "f.toml:2: key b: first" || fault.KindOf(err) != fault.Invalid || fault.HintOf(err) != "do this" {
		t.Errorf("got %v (%s), hint %q", err, fault.KindOf(err), fault.HintOf(err))
	}
}
