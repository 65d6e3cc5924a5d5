package hop

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		``:                              nil,
		"  \t\n":                        nil,
		`a b  c`:                        {"a", "b", "c"},
		` a `:                           {"a"},
		`'a b' c`:                       {"a b", "c"},
		`"a b" c`:                       {"a b", "c"},
		`a'b c'd"e f"g`:                 {"ab cde fg"},
		`''`:                            {""},
		`"" a ''`:                       {"", "a", ""},
		`a\ b`:                          {"a b"},
		`\a \\ \'`:                      {"a", `\`, "'"},
		`"\" \\ \$ \` + "`" + ` \n \a"`: {"\" \\ $ ` \\n \\a"},
		`'\n\'`:                         {`\n\`},
		`$HOME *.txt ~/x`:               {"$HOME", "*.txt", "~/x"},
		`sh -c 'cat x | tail -1'`:       {"sh", "-c", "cat x | tail -1"},
		`'it'\''s' "ü"`:                 {"it's", "ü"},
	} {
		got, err := SplitWords(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	for _, text := range []string{`'a`, `"a`, `a "b\"`, `a\`, `"a\`} {
		if words, err := SplitWords(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %q, %v", text, words, err)
		}
	}
}

// FuzzSplitWords: words that are quoted come out as they went in.
func FuzzSplitWords(f *testing.F) {
	for _, text := range []string{"a b", "it's", `\`, "", "a\x00\"b", "ü\n\t", "\xff"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = SplitWords(a) // whatever comes, it is no panic
		want := []string{strings.ToValidUTF8(a, "\ufffd"), strings.ToValidUTF8(b, "\ufffd")}
		single := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
		double := func(s string) string {
			return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(s) + `"`
		}
		for _, text := range []string{single(want[0]) + " " + double(want[1]), double(want[0]) + "\n" + single(want[1])} {
			got, err := SplitWords(text)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: %q, want %q: %v", text, got, want, err)
			}
		}
	})
}
