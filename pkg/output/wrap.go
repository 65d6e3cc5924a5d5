package output

import (
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// cells measures text in terminal columns. It does not follow the locale, so that
// the same data gives the same table everywhere.
func cells() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// width is the number of columns that a text takes on a terminal.
func width(text string) int { return cells().StringWidth(text) }

// pad fills a text with spaces to a width.
func pad(text string, to int) string {
	return text + strings.Repeat(" ", max(0, to-width(text)))
}

// centre puts a text in the middle of a width.
func centre(text string, to int) string {
	return pad(strings.Repeat(" ", max(0, to-width(text))/2)+text, to)
}

// Wrap breaks the lines of a text of one's own into lines of at most columns: at
// spaces where there are some, within words otherwise.
func Wrap(text string, columns int) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrap(part, columns)...)
	}
	return lines
}

// wrap breaks a text into lines of at most to columns: at spaces where there are
// some, within words otherwise. A character wider than that gets a line of its own.
func wrap(text string, to int) []string {
	to = max(1, to)
	var lines []string
	for {
		head := prefix(text, to)
		if len(head) == len(text) {
			return append(lines, text)
		}
		if at := lastSpace(text, len(head)); at > 0 {
			lines = append(lines, strings.TrimRight(text[:at], " "))
			text = strings.TrimLeft(text[at:], " ")
			continue
		}
		lines = append(lines, head)
		text = text[len(head):]
	}
}

// lastSpace is where a text may be broken at or before a byte, with something in
// front of it; 0 where it may not.
func lastSpace(text string, at int) int {
	space := strings.LastIndexByte(text[:at+1], ' ')
	if space <= 0 || strings.TrimSpace(text[:space]) == "" {
		return 0
	}
	return space
}

// prefix is as much of a text as fits into a width, whole characters, at least
// one. It looks at no more of the text than could fit, since a service may send a
// megabyte without a break.
func prefix(text string, to int) string {
	const bytesPerColumn = 32 // an emoji of several persons takes 25 for two columns
	window := text
	if most := (to + 1) * bytesPerColumn; len(window) > most {
		for !utf8.RuneStart(window[most]) {
			most--
		}
		window = window[:most]
	}
	for {
		if head := cells().Truncate(window, to, ""); head != "" || window == "" {
			return head
		}
		to++
	}
}
