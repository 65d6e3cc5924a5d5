package admin

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/output"
)

// helpText is the help of the command that a path leads to, wrapped to a width.
func helpText(path []*command, width int) string {
	c := path[len(path)-1]
	var out strings.Builder
	out.WriteString(fullName(path) + " - " + c.summary + "\n\n")
	for _, line := range output.Wrap(c.doc, width) {
		out.WriteString(line + "\n")
	}
	section(&out, "Usage", []row{{left: usage(path)}}, width)
	for _, group := range groups(c) {
		section(&out, group.heading, group.rows, width)
	}
	section(&out, "Flags", flagRows(c), width)
	if len(c.examples) > 0 {
		out.WriteString("\nExamples:\n")
		for _, e := range c.examples {
			out.WriteString("  # " + e.does + "\n  " + e.line + "\n")
		}
	}
	if len(c.commands) > 0 {
		out.WriteString("\n`" + fullName(path) + " COMMAND --help` describes a command.\n")
	}
	return out.String()
}

// row is a line of a section of the help: a term, and what it means.
type row struct{ left, right string }

// block is a section of the help.
type block struct {
	heading string
	rows    []row
}

// groups are the commands of a group under their headings, in the table's order.
func groups(c *command) []block {
	var out []block
	for _, sub := range c.visible() {
		heading := sub.group
		if heading == "" {
			heading = "Commands"
		}
		at := 0
		for at < len(out) && out[at].heading != heading {
			at++
		}
		if at == len(out) {
			out = append(out, block{heading: heading})
		}
		out[at].rows = append(out[at].rows, row{sub.name, sub.summary})
	}
	return out
}

func flagRows(c *command) []row {
	flags := c.allFlags()
	if len(c.commands) > 0 { // the flags that may stand before a command are in its own help
		flags = append(c.flags, helpFlag)
	}
	var rows []row
	for _, f := range flags {
		rows = append(rows, row{f.left(), f.right()})
	}
	return rows
}

// left is how a flag is written: "-r, --resource-type RESOURCE-TYPE".
func (f flag) left() string {
	text := "    --" + f.name
	if f.short != "" {
		text = "-" + f.short + ", --" + f.name
	}
	if f.value != "" {
		text += " " + f.value
	}
	return text
}

// right is what a flag does, and what else it may be called.
func (f flag) right() string {
	text := f.usage
	if f.many {
		text += "; may be repeated"
	}
	if f.required {
		text += " (required)"
	}
	if len(f.aliases) > 0 {
		text += "; also --" + strings.Join(f.aliases, ", --")
	}
	return text
}

// section writes rows in two columns. Where the terms leave too little room, what
// they mean goes below them.
func section(out *strings.Builder, heading string, rows []row, width int) {
	const leastRoom = 30
	if len(rows) == 0 {
		return
	}
	out.WriteString("\n" + heading + ":\n")
	term := 0
	for _, r := range rows {
		if r.right != "" {
			term = max(term, len(r.left))
		}
	}
	indent := term + 4
	if width-indent < leastRoom {
		indent = 8
	}
	for _, r := range rows {
		out.WriteString("  " + r.left)
		if r.right != "" {
			r.explain(out, indent, width)
		}
		out.WriteString("\n")
	}
}

// explain writes what a term means beside it, or below where it is too long.
func (r row) explain(out *strings.Builder, indent, width int) {
	at := len(r.left) + 2
	for i, text := range output.Wrap(r.right, width-indent) {
		if i > 0 || at+2 > indent {
			out.WriteString("\n")
			at = 0
		}
		out.WriteString(strings.Repeat(" ", indent-at) + text)
	}
}
