package gcp

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// properties are the values of a file of gcloud's, by section and key. Keys are in lower
// case, sections are as they are written.
type properties map[string]map[string]string

// defaultSection has values that count for all other sections.
const defaultSection = "DEFAULT"

// parseProperties reads the format of gcloud's files as gcloud does: by the rules of
// Python's configparser, without the references from one value to another that gcloud has
// no use for. What gcloud would not read is refused; nothing of a line is repeated.
// https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
func parseProperties(text string) (properties, error) {
	p := propertiesParser{all: properties{}}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		p.number++
		if err := p.line(line); err != nil {
			return nil, fault.Within(err, "line %d", p.number)
		}
	}
	return p.finished()
}

type propertiesParser struct {
	all    properties
	number int               // of the line, from 1
	at     map[string]string // the section; nil before the first heading
	key    string            // the last key; "" before the first one of a section
	indent int               // of the last line that was no continuation
}

var heading = field.Lazily(`^\[(.+)\]`)

// line reads one line. One that is indented deeper than the key above it goes on with
// that key's value, and so do empty ones.
func (p *propertiesParser) line(line string) error {
	trimmed := strings.TrimSpace(line)
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	switch {
	case strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";"):
		return nil
	case p.key != "" && (trimmed == "" || indent > p.indent):
		p.at[p.key] += "\n" + trimmed
		return nil
	case trimmed == "":
		return nil
	}
	p.indent = indent
	if found := heading.FindStringSubmatch(trimmed); found != nil {
		return p.section(found[1])
	}
	return p.property(trimmed)
}

func (p *propertiesParser) section(name string) error {
	p.key = ""
	if p.all[name] != nil && name != defaultSection {
		return fault.New(fault.Invalid, "its section is there twice")
	}
	if p.all[name] == nil {
		p.all[name] = map[string]string{}
	}
	p.at = p.all[name]
	return nil
}

func (p *propertiesParser) property(line string) error {
	i := strings.IndexAny(line, "=:")
	if p.at == nil || i < 1 {
		return fault.New(fault.Invalid, "it is neither a [section] nor KEY = VALUE in one")
	}
	key := strings.ToLower(strings.TrimSpace(line[:i]))
	if _, twice := p.at[key]; twice {
		return fault.New(fault.Invalid, "its key is there twice")
	}
	p.key, p.at[key] = key, strings.TrimSpace(line[i+1:])
	return nil
}

var lonePercent = field.Lazily(`^(?:[^%]|%%)*%(?:[^%]|$)`)

// finished is what was read: with the values for all sections in each of them, and percent
// signs, which are written twice, once.
func (p *propertiesParser) finished() (properties, error) {
	common := p.all[defaultSection]
	delete(p.all, defaultSection)
	for name, section := range p.all {
		for key, value := range common {
			if _, own := section[key]; !own {
				section[key] = value
			}
		}
		for key, value := range section {
			value = strings.TrimRight(value, "\n")
			if lonePercent.MatchString(value) {
				return nil, fault.New(fault.Invalid, "a value in section %q has a %% that is not written %%%%", name)
			}
			section[key] = strings.ReplaceAll(value, "%%", "%")
		}
	}
	return p.all, nil
}
