package settings

import (
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

//go:generate go test -run ^TestExampleFile$ . -update

// Example returns config.example.toml: every setting with its help and its default,
// commented out.
func Example() string {
	var b strings.Builder
	comment(&b, "The settings of svcconn, each with its default. Copy this file to config.toml in "+
		"svcconn's configuration folder (SVCCONN_CONFIG_DIR, or else ~/.config/svcconn on Linux, "+
		"~/Library/Application Support/svcconn on macOS, %AppData%\\svcconn on Windows) and uncomment what you want otherwise.")
	for _, s := range sections {
		b.WriteString("\n")
		comment(&b, s.help)
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, f := range s.fields {
			b.WriteString("\n")
			describe(&b, f.Info())
		}
	}
	return b.String()
}

func describe(b *strings.Builder, info field.Info) {
	comment(b, info.Help)
	if info.Kind == field.KindString && len(info.Choices) > 0 {
		comment(b, "One of: "+strings.Join(info.Choices, ", ")+".")
	}
	if info.Example != "" {
		comment(b, fmt.Sprintf("Example: %s = %s", info.Name, literal(info, info.Example)))
	}
	fmt.Fprintf(b, "# %s = %s\n", info.Name, literal(info, info.Default))
}

// literal writes a value as TOML; in defaults and examples, Go's quotes are TOML's.
func literal(info field.Info, text string) string {
	if info.Kind == field.KindBool || info.Kind == field.KindInt {
		return text
	}
	return fmt.Sprintf("%q", text)
}

// width is where comments are wrapped.
const width = 100

func comment(b *strings.Builder, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
