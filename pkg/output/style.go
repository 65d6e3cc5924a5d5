package output

import "strings"

// Style is how a table or a page is drawn for a person. The zero value is the one
// for streams that are no terminal: no icons, no colour, as wide as it takes.
type Style struct {
	Width  int // columns that fit; 0 is any number
	Icons  bool
	Colour bool
}

// Screen is what is known of the stream that is printed to.
type Screen struct {
	Terminal bool
	Colours  bool // it understands escape sequences
	Width    int  // columns; 0 where it does not say
}

// NewStyle decides how to draw on a screen. NO_COLOR and TERM=dumb take colour
// away; icons go with noIcons and on terminals that have no glyphs for them.
func NewStyle(screen Screen, getenv func(string) string, noIcons bool) Style {
	if !screen.Terminal {
		return Style{}
	}
	term := getenv("TERM")
	return Style{
		Width:  screen.Width,
		Icons:  !noIcons && term != "dumb" && term != "linux",
		Colour: screen.Colours && term != "dumb" && getenv("NO_COLOR") == "",
	}
}

// Tone is the meaning of a text that colour may underline. It never carries what
// the words do not say.
type Tone int

// The tones.
const (
	Plain  Tone = iota
	Strong      // a heading
	Dim         // a remark
	Good        // as it should be
	Warn        // worth a look
	Bad         // wrong
)

// sgr are the parameters of the escape sequence that sets a tone.
func (t Tone) sgr() string {
	return [...]string{Plain: "", Strong: "1", Dim: "2", Good: "32", Warn: "33", Bad: "31"}[t]
}

// paint puts a tone around text that has no line breaks.
func (s Style) paint(text string, tone Tone) string {
	if !s.Colour || tone == Plain || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + tone.sgr() + "m" + text + "\x1b[0m"
}

// Text is one line of a cell or a description.
type Text struct {
	Value  string
	Icon   string // shown in front of the value where icons are
	Alone  bool   // the icon stands for the value
	Remark bool   // words for people, such as "none listed": not for CSV and names
	Tone   Tone
}

// Line is a cell of one plain value; an empty one has no lines.
func Line(value string) []Text { return Lines(value) }

// Lines is a cell of several plain values, one below the other; empty ones are
// left out.
func Lines(values ...string) []Text {
	var texts []Text
	for _, value := range values {
		if value != "" {
			texts = append(texts, Text{Value: value})
		}
	}
	return texts
}

// YesNo is a cell that says yes or no, with a tick or a cross where icons are.
func YesNo(yes bool) []Text {
	if yes {
		return []Text{{Value: "yes", Icon: "✅", Alone: true}}
	}
	return []Text{{Value: "no", Icon: "❌", Alone: true}}
}

// shown is the text as a person gets it.
func (t Text) shown(style Style) string {
	icon, value := t.parts(style)
	return icon + value
}

// parts are the icon with its space, if one is shown, and what follows it.
func (t Text) parts(style Style) (icon, value string) {
	switch {
	case !style.Icons || t.Icon == "":
		return "", Visible(t.Value)
	case t.Alone:
		return "", t.Icon
	}
	return t.Icon + " ", Visible(t.Value)
}

// values are the values of a cell as a program gets them.
func values(cell []Text) []string {
	var out []string
	for _, text := range cell {
		if !text.Remark {
			out = append(out, Visible(text.Value))
		}
	}
	return out
}
