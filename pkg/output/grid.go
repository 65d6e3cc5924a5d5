package output

import (
	"slices"
	"sort"
	"strings"
)

// grid is a framed table: what List and Sheets draw.
type grid struct {
	header  []string // nil for none
	rows    [][][]Text
	group   int  // rows between two rules; 0 counts as 1
	centred bool // the first column
}

// line is one drawn line of a cell. When it is wrapped, what follows the icon stays
// behind it.
type line struct {
	icon, text string
	tone       Tone
}

func (l line) width() int { return width(l.icon) + width(l.text) }

func (l line) wrap(to int) []line {
	icon, room := l.icon, to-width(l.icon)
	if room < min(least, width(l.text)) {
		icon, room, l.text = "", to, l.icon+l.text
	}
	var lines []line
	for _, part := range wrap(l.text, room) {
		lines = append(lines, line{icon, part, l.tone})
		icon = strings.Repeat(" ", width(icon))
	}
	return lines
}

const (
	least  = 2 // columns that a cell can not go below: a wide character
	decent = 8 // columns below which a cell is not worth reading
)

// draw returns the table, each line ended. It stays within the style's width
// where that is possible at all: cells are wrapped, the widest first, and a table
// that would become unreadable is turned upright, a line for each cell.
func (g grid) draw(style Style) string {
	cells := g.lines(style)
	natural := g.natural(cells)
	widths := natural
	if style.Width > 0 {
		room := style.Width - 3*len(natural) - 1
		var ok bool
		if widths, ok = fit(natural, g.floors(natural), room); !ok {
			if len(natural) > 2 {
				return g.upright().draw(style)
			}
			widths, _ = fit(natural, slices.Repeat([]int{least}, len(natural)), room)
		}
	}
	return g.frame(cells, widths, style)
}

// lines are the cells as they are shown, not wrapped yet; the header comes first.
func (g grid) lines(style Style) [][][]line {
	var out [][][]line
	if g.header != nil {
		row := make([][]line, len(g.header))
		for i, title := range g.header {
			row[i] = []line{{text: title, tone: Strong}}
		}
		out = append(out, row)
	}
	for _, cells := range g.rows {
		row := make([][]line, len(cells))
		for i, cell := range cells {
			for _, text := range cell {
				icon, value := text.parts(style)
				row[i] = append(row[i], line{icon, value, text.Tone})
			}
		}
		out = append(out, row)
	}
	return out
}

// natural are the widths that need no wrapping.
func (g grid) natural(rows [][][]line) []int {
	var widths []int
	for _, row := range rows {
		widths = append(widths, make([]int, max(0, len(row)-len(widths)))...)
		for i, cell := range row {
			for _, l := range cell {
				widths[i] = max(widths[i], l.width())
			}
		}
	}
	return widths
}

// floors are the widths below which the table is not worth reading: the longest
// word of a title, or a few characters of a cell.
func (g grid) floors(natural []int) []int {
	floors := make([]int, len(natural))
	for i := range floors {
		floors[i] = min(natural[i], decent)
		if g.header != nil {
			for word := range strings.FieldsSeq(g.header[i]) {
				floors[i] = max(floors[i], width(word))
			}
		}
	}
	return floors
}

// fit narrows widths to a room, the widest first, none below its floor. Where even
// the floors do not fit it returns them and false.
func fit(natural, floors []int, room int) ([]int, bool) {
	limited := func(limit int) []int {
		widths := make([]int, len(natural))
		for i := range widths {
			widths[i] = min(natural[i], max(floors[i], limit))
		}
		return widths
	}
	if sum(limited(0)) > room {
		return limited(0), false
	}
	limit := sort.Search(room, func(n int) bool { return sum(limited(n+1)) > room })
	widths := limited(limit)
	rest := room - sum(widths)
	for i := range widths {
		if rest > 0 && widths[i] < natural[i] {
			widths[i]++
			rest--
		}
	}
	return widths, true
}

func sum(widths []int) int {
	total := 0
	for _, w := range widths {
		total += w
	}
	return total
}

// upright is the table with its rows as groups of titles and cells.
func (g grid) upright() grid {
	turned := grid{group: len(g.header)}
	for _, row := range g.rows {
		for i, title := range g.header {
			turned.rows = append(turned.rows, [][]Text{{{Value: title, Tone: Strong}}, row[i]})
		}
	}
	return turned
}

// frame draws the cells into their frame.
func (g grid) frame(rows [][][]line, widths []int, style Style) string {
	var out strings.Builder
	head := 0
	if g.header != nil {
		head = 1
	}
	out.WriteString(rule("┏━┯┓", widths))
	for i, row := range rows {
		if i > 0 && (i <= head || (i-head)%max(1, g.group) == 0) {
			out.WriteString(rule("┠─┼┨", widths))
		}
		g.frameRow(&out, row, widths, style)
	}
	out.WriteString(rule("┗━┷┛", widths))
	return out.String()
}

// frameRow draws one row, as high as its highest cell.
func (g grid) frameRow(out *strings.Builder, row [][]line, widths []int, style Style) {
	wrapped := make([][]line, len(widths))
	height := 1
	for i := range row {
		for _, l := range row[i] {
			wrapped[i] = append(wrapped[i], l.wrap(widths[i])...)
		}
		height = max(height, len(wrapped[i]))
	}
	for y := range height {
		for i, w := range widths {
			out.WriteString([]string{"┃ ", " │ "}[min(i, 1)])
			var l line
			if y < len(wrapped[i]) {
				l = wrapped[i][y]
			}
			if i == 0 && g.centred {
				out.WriteString(style.paint(centre(l.icon+l.text, w), l.tone))
			} else {
				out.WriteString(style.paint(pad(l.icon+l.text, w), l.tone))
			}
		}
		out.WriteString(" ┃\n")
	}
}

// rule draws a horizontal line from its four characters: left end, line, crossing,
// right end.
func rule(characters string, widths []int) string {
	r := []rune(characters)
	parts := make([]string, len(widths))
	for i, w := range widths {
		parts[i] = strings.Repeat(string(r[1]), w+2)
	}
	return string(r[0]) + strings.Join(parts, string(r[2])) + string(r[3]) + "\n"
}
