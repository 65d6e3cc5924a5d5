package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns text with everything written out that would steer a terminal or
// reorder what is read: control characters, invalid bytes, line separators and
// invisible formatting characters (\n, \x1b, \u202e). Text without them comes back
// as it is. Joiners stay: scripts and emoji need them.
func Visible(text string) string {
	if clean(text) {
		return text
	}
	var out strings.Builder
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[i])
		case hidden(r):
			out.WriteString(escaped(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func clean(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0
}

// hidden reports whether a character does something other than being seen.
func hidden(r rune) bool {
	const zwnj, zwj = 0x200c, 0x200d
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true
	case r < 0xad, r == zwnj, r == zwj:
		return false
	case r&0xfffe == 0xfffe: // not characters
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// escaped writes a hidden character the way Go does.
func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
