package aws

import (
	"strings"
)

// section is what stands under one heading of a shared file: values by key, in lower
// case, and nested ones, such as those of a services section.
type section struct {
	values map[string]string
	nested map[string]map[string]string
}

// sections are those of one file, by heading: "default", "profile dev", "sso-session sso".
type sections map[string]*section

// parseSections reads the format of ~/.aws/config and ~/.aws/credentials as the AWS SDKs
// do: what they don't understand does not count, a key that comes again takes the place of
// the former one. https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
//
// It is not the SDK's own reader because that one tells neither which profiles there are
// nor keys that are not its own, such as the expiry of keys; a test compares the two.
func parseSections(text string) sections {
	p := sectionParser{all: sections{}}
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		p.line(line)
	}
	return p.all
}

type sectionParser struct {
	all sections
	at  *section // nil before the first heading
	key string   // the last key; "" before the first one of a section
}

func (p *sectionParser) line(line string) {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
		return
	}
	if heading, ok := headingOf(trimmed); ok {
		p.key = ""
		if p.at = p.all[heading]; p.at == nil {
			p.at = &section{values: map[string]string{}, nested: map[string]map[string]string{}}
			p.all[heading] = p.at
		}
		return
	}
	if p.at == nil {
		return
	}
	indented := line[0] == ' ' || line[0] == '\t'
	switch key, value, ok := property(line, indented); {
	case ok && indented && p.key != "" && p.at.values[p.key] == "":
		p.nest(key, value)
	case ok:
		if indented {
			value = strings.TrimSpace(withoutComment(value))
		}
		p.key = key
		p.at.values[key] = value
		delete(p.at.nested, key)
	case indented && p.key != "" && p.at.values[p.key] != "":
		p.at.values[p.key] += "\n" + strings.TrimLeft(line, " \t")
	}
}

func (p *sectionParser) nest(key, value string) {
	if p.at.nested[p.key] == nil {
		p.at.nested[p.key] = map[string]string{}
	}
	p.at.nested[p.key][key] = value
}

// headingOf reads "[profile dev] # comment", with one space between its words, and without
// the quotes that names with spaces have.
func headingOf(trimmed string) (string, bool) {
	trimmed, _, _ = strings.Cut(trimmed, "#")
	trimmed, _, _ = strings.Cut(trimmed, ";")
	trimmed = strings.TrimSpace(trimmed)
	inner, opened := strings.CutPrefix(trimmed, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return "", false
	}
	inner = strings.TrimSpace(inner)
	if i := strings.IndexAny(inner, " \t"); i > 0 {
		return inner[:i] + " " + unquoted(strings.TrimLeft(inner[i:], " \t")), true
	}
	return unquoted(inner), true
}

// property reads KEY = VALUE, or KEY: VALUE. Comments behind values of nested keys belong
// to them.
func property(line string, indented bool) (key, value string, ok bool) {
	if !indented {
		line = withoutComment(line)
	}
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	return strings.ToLower(strings.TrimSpace(line[:i])), unquoted(strings.TrimSpace(line[i+1:])), true
}

// withoutComment is a line up to a # or ; that comes behind white space.
func withoutComment(line string) string {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		line, _, _ = strings.Cut(line, mark)
	}
	return line
}

func unquoted(text string) string {
	if n := len(text); n >= 2 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		return text[1 : n-1]
	}
	return text
}
