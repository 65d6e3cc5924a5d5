package output

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// Printer prints results in the format that was asked for.
type Printer struct {
	Out    io.Writer // results
	Err    io.Writer // words for people
	Format Format    // "" is Table
	Style  Style
}

// Notice says something to the person, beside the results.
func (p Printer) Notice(format string, args ...any) {
	fmt.Fprintln(p.Err, Visible(fmt.Sprintf(format, args...)))
}

// Column is a column of a table of T. Its title in lower case, with underscores,
// heads the column of the CSV.
type Column[T any] struct {
	Title string
	Cell  func(T) []Text
	Name  bool // the column that the format Name prints
}

// Listing is some rows and how to show them. The rows themselves are what JSON and
// YAML print.
type Listing[T any] struct {
	Columns []Column[T]
	Rows    []T
	Empty   string // said to the person instead of an empty table: a sentence
}

// List prints a listing. Its errors are those of writing.
func List[T any](p Printer, l Listing[T]) error {
	switch p.Format {
	case JSON, YAML:
		if l.Rows == nil {
			l.Rows = []T{}
		}
		return p.encode(l.Rows)
	case CSV:
		return p.csv(l.titles(), l.records())
	case Name:
		return p.names(l.names())
	}
	if len(l.Rows) == 0 {
		p.Notice("%s", l.Empty)
		return nil
	}
	return p.write(l.grid().draw(p.Style))
}

func (l Listing[T]) titles() []string {
	titles := make([]string, len(l.Columns))
	for i, column := range l.Columns {
		titles[i] = key(column.Title)
	}
	return titles
}

// key is a title as programs get it.
func key(title string) string {
	return strings.ReplaceAll(strings.ToLower(Visible(title)), " ", "_")
}

func (l Listing[T]) records() [][]string {
	records := make([][]string, len(l.Rows))
	for i, row := range l.Rows {
		for _, column := range l.Columns {
			records[i] = append(records[i], strings.Join(values(column.Cell(row)), ","))
		}
	}
	return records
}

func (l Listing[T]) names() []string {
	var names []string
	for _, row := range l.Rows {
		for _, column := range l.Columns {
			if column.Name {
				names = append(names, values(column.Cell(row))...)
			}
		}
	}
	return names
}

func (l Listing[T]) grid() grid {
	g := grid{centred: true} // as people know it from the Service Connectors' documentation
	for _, column := range l.Columns {
		g.header = append(g.header, column.Title)
	}
	for _, row := range l.Rows {
		cells := make([][]Text, len(l.Columns))
		for i, column := range l.Columns {
			cells[i] = column.Cell(row)
		}
		g.rows = append(g.rows, cells)
	}
	return g
}

// Description is one thing and how to show it.
type Description struct {
	Name  string // what the format Name prints
	Value any    // what JSON and YAML print
	View  View   // what a person sees, and the CSV has
}

// View is a way of showing a description: Sheets or Page.
type View interface {
	draw(Style) string
	properties() []Property
}

// Property is a named value of a description.
type Property struct {
	Name  string
	Value []Text
}

// Describe prints a description. Its errors are those of writing.
func (p Printer) Describe(d Description) error {
	switch p.Format {
	case JSON, YAML:
		return p.encode(d.Value)
	case CSV:
		var records [][]string
		for _, property := range d.View.properties() {
			records = append(records, []string{key(property.Name), strings.Join(values(property.Value), ",")})
		}
		return p.csv([]string{"property", "value"}, records)
	case Name:
		return p.names([]string{Visible(d.Name)})
	}
	return p.write(d.View.draw(p.Style))
}

func (p Printer) csv(header []string, records [][]string) error {
	w := csv.NewWriter(p.Out)
	if err := w.Write(header); err != nil {
		return err
	}
	return w.WriteAll(records)
}

func (p Printer) names(names []string) error {
	var out strings.Builder
	for _, name := range names {
		out.WriteString(name + "\n")
	}
	return p.write(out.String())
}

func (p Printer) write(text string) error {
	_, err := io.WriteString(p.Out, text)
	return err
}
