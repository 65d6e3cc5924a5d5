package output

import "strings"

// pageWidth is how wide a page is where the terminal is not narrower.
const pageWidth = 80

// Page is a view to be read: a boxed title, then its parts.
type Page struct {
	Icon, Title string
	Parts       []Part
}

// Part is a part of a page: Facts, Points or Prose.
type Part interface {
	write(*pageWriter)
	properties() []Property
}

// Facts are short statements, a line each: "Supports auto-configuration: yes".
type Facts []Property

// Points are a heading and what is listed under it.
type Points struct {
	Heading string
	Items   []Point
}

// Point is one item, with what there is to say about it.
type Point struct {
	Text   Text
	Detail []string // paragraphs
}

// Prose is paragraphs, separated by empty lines. Lines that begin with "- " are
// items of a list, "* " is the same; lines that begin with four spaces stay as they
// are.
type Prose string

func (p Page) properties() []Property {
	var all []Property
	for _, part := range p.Parts {
		all = append(all, part.properties()...)
	}
	return all
}

func (f Facts) properties() []Property { return f }

func (p Points) properties() []Property {
	property := Property{Name: p.Heading}
	for _, item := range p.Items {
		property.Value = append(property.Value, item.Text)
	}
	return []Property{property}
}

func (Prose) properties() []Property { return nil }

func (p Page) draw(style Style) string {
	w := &pageWriter{style: style, width: pageWidth}
	if style.Width > 0 {
		w.width = max(min(style.Width, pageWidth), 2*least)
	}
	w.box(Text{Value: p.Title, Icon: p.Icon})
	for _, part := range p.Parts {
		w.out.WriteString("\n")
		part.write(w)
	}
	w.out.WriteString("\n" + strings.Repeat("─", w.width) + "\n")
	return w.out.String()
}

// pageWriter lays text out on a page.
type pageWriter struct {
	out   strings.Builder
	style Style
	width int
}

// box draws the title in its frame.
func (w *pageWriter) box(title Text) {
	inside := w.width - 2
	bar := strings.Repeat("━", inside)
	w.out.WriteString("╔" + bar + "╗\n")
	for _, part := range wrap(title.shown(w.style), inside) {
		w.out.WriteString("║" + w.style.paint(centre(part, inside), Strong) + "║\n")
	}
	w.out.WriteString("╚" + bar + "╝\n")
}

// paragraph wraps text behind a first indent, and an indent for the lines after it.
func (w *pageWriter) paragraph(text, first, next string, tone Tone) {
	indent := first
	for _, part := range wrap(text, w.width-width(next)) {
		w.out.WriteString(indent + w.style.paint(part, tone) + "\n")
		indent = next
	}
}

func (f Facts) write(w *pageWriter) {
	for _, fact := range f {
		shown := make([]string, len(fact.Value))
		for i, text := range fact.Value {
			shown[i] = Visible(text.Value)
		}
		w.paragraph(Visible(fact.Name)+": "+strings.Join(shown, ", "), "", "", Plain)
	}
}

func (p Points) write(w *pageWriter) {
	w.paragraph(p.Heading+":", "", "", Strong)
	w.out.WriteString("\n")
	for i, item := range p.Items {
		if i > 0 && len(item.Detail) > 0 {
			w.out.WriteString("\n")
		}
		w.paragraph(item.Text.shown(w.style), " • ", "   ", item.Text.Tone)
		for _, paragraph := range item.Detail {
			w.paragraph(Visible(paragraph), "   ", "   ", Plain)
		}
	}
}

func (p Prose) write(w *pageWriter) {
	var block []string // the lines of a paragraph or an item
	first, next := "", ""
	flush := func() {
		if len(block) > 0 {
			w.paragraph(strings.Join(block, " "), first, next, Plain)
		}
		block, first, next = nil, "", ""
	}
	for text := range strings.Lines(strings.TrimSpace(string(p))) {
		text = Visible(strings.TrimRight(text, "\n"))
		item, isItem := cutBullet(text)
		switch {
		case strings.TrimSpace(text) == "":
			flush()
			w.out.WriteString("\n")
		case isItem:
			flush()
			block, first, next = []string{item}, " • ", "   "
		case strings.HasPrefix(text, "    "):
			flush()
			w.out.WriteString(text + "\n")
		default:
			block = append(block, strings.TrimSpace(text))
		}
	}
	flush()
}

func cutBullet(text string) (item string, ok bool) {
	if item, ok = strings.CutPrefix(text, "- "); ok {
		return item, true
	}
	return strings.CutPrefix(text, "* ")
}
