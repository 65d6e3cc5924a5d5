package output

import "strings"

// Sheet is a titled table of properties.
type Sheet struct {
	Title      string
	Properties []Property
}

// Sheets is a view of several sheets, one below the other.
type Sheets []Sheet

func (s Sheets) draw(style Style) string {
	drawn := make([]string, len(s))
	for i, sheet := range s {
		drawn[i] = sheet.draw(style)
	}
	return strings.Join(drawn, "\n")
}

func (s Sheets) properties() []Property {
	var all []Property
	for _, sheet := range s {
		all = append(all, sheet.Properties...)
	}
	return all
}

func (s Sheet) draw(style Style) string {
	g := grid{header: []string{"PROPERTY", "VALUE"}}
	for _, property := range s.Properties {
		g.rows = append(g.rows, [][]Text{{{Value: property.Name}}, property.Value})
	}
	table := g.draw(style)
	if s.Title == "" {
		return table
	}
	over := width(table[:strings.IndexByte(table, '\n')])
	var out strings.Builder
	for _, part := range wrap(Visible(s.Title), over) {
		out.WriteString(style.paint(strings.TrimRight(centre(part, over), " "), Strong) + "\n")
	}
	return out.String() + table
}
