package hop

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/secret"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"":                        "403 Forbidden",
		" \r\n":                   "403 Forbidden",
		"no\r\n  way\x1b[2J":      "403 Forbidden: no way [2J",
		strings.Repeat("é", 1000): "403 Forbidden: " + strings.Repeat("é", MaxWords/2) + " …",
	} {
		if got := Status(403, words); got != want {
			t.Errorf("%q became %q", words, got)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\nb")
	f.Add("\u202e\x00" + strings.Repeat("ß", 200))
	f.Fuzz(func(t *testing.T, text string) {
		line := OneLine(text)
		if len(line) > MaxWords+len(" …") || strings.IndexFunc(line, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) >= 0 {
			t.Fatalf("%q", line)
		}
		if utf8.ValidString(text) && !utf8.ValidString(line) {
			t.Fatalf("%q is not text any more: %q", text, line)
		}
	})
}

func TestScrubbed(t *testing.T) {
	t.Parallel()
	const canary = "canary/7c+1 0f"
	words := "you sent canary/7c+1 0f, canary%2F7c%2B1+0f and canary%2F7c+1%200f"
	if got := Scrubbed(words, secret.Text{}, secret.New(canary)); got != "you sent [redacted], [redacted] and [redacted]" {
		t.Errorf("%q", got)
	}
}
