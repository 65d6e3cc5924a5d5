package clientconfig

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// iniFile is a file of sections with settings, in the dialect of INI that Python's
// configparser reads, whose every byte stays what it is unless it is edited. What it takes
// for a section or a setting, so do the tools that read it; where they differ it refuses.
type iniFile struct {
	file     string
	reader   string // the tool that reads it, for errors
	text     []byte
	exists   bool
	sections []iniSection

	// header reads the line that a section begins with; false is for a malformed one.
	header func(text string) (iniSection, bool)
}

// iniSection is a section: a header, and the lines up to the last that says something.
type iniSection struct {
	kind, name     string // "profile" and "x" of [profile x]; the kind is "" where there is but a name
	from, body, to int    // where the header, the rest, and what follows it begin
	settings       []iniSetting
}

// iniSetting is a setting of a section. A value of several lines has them without their
// indentation: "\nendpoint_url = https://…".
type iniSetting struct {
	key, value string
	indent     int // of its first line; deeper ones go on with the value
	from, to   int
}

// parse brings the sections in step with the text.
func (f *iniFile) parse() error {
	f.sections = nil
	switch {
	case bytes.HasPrefix(f.text, []byte(byteOrderMark)):
		return f.invalid(1, "it begins with a byte order mark, which "+f.reader+" does not read")
	case !utf8.Valid(f.text) || bytes.IndexByte(f.text, 0) >= 0:
		return f.invalid(1, "it is not in UTF-8")
	}
	at, number := 0, 0
	for line := range bytes.Lines(f.text) {
		number++
		if err := f.add(number, at, string(line)); err != nil {
			return err
		}
		at += len(line)
	}
	return nil
}

// add takes the next line.
func (f *iniFile) add(number, at int, line string) error {
	end, text := at+len(line), strings.TrimSpace(line)
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	header := strings.HasPrefix(text, "[")
	switch {
	case strings.ContainsRune(strings.TrimSuffix(line, "\r\n"), '\r'):
		return f.invalid(number, "there is a carriage return within the line")
	case text == "" || isComment(text):
		return nil
	case header && indent > 0 && strings.Contains(text, "]"):
		return f.invalid(number, "a section's name is indented, which some tools take for a value")
	case header && indent == 0:
		section, ok := f.header(text)
		if !ok {
			return f.invalid(number, "the name of a section is malformed")
		}
		section.from, section.body, section.to = at, end, end
		f.sections = append(f.sections, section)
		return nil
	case len(f.sections) == 0:
		return f.invalid(number, "there is something before the first section")
	case f.sections[len(f.sections)-1].addSetting(text, indent, at, end):
		return nil
	}
	return f.invalid(number, "it is neither a section nor a setting")
}

// addSetting takes a line of the section; false is for what is no setting.
func (s *iniSection) addSetting(text string, indent, at, end int) bool {
	s.to = end
	if n := len(s.settings); n > 0 && indent > s.settings[n-1].indent {
		s.settings[n-1].value += "\n" + text
		s.settings[n-1].to = end
		return true
	}
	i := strings.IndexAny(text, "=:")
	if i <= 0 {
		return false
	}
	s.settings = append(s.settings, iniSetting{
		key: strings.ToLower(strings.TrimSpace(text[:i])), value: strings.TrimSpace(text[i+1:]), indent: indent, from: at, to: end,
	})
	return true
}

func isComment(text string) bool { return text[0] == '#' || text[0] == ';' }

func (f *iniFile) invalid(line int, what string) error {
	return (&document{file: f.file}).invalid(line, "%s", what)
}

// find returns the sections of a kind and name.
func (f *iniFile) find(kind, name string) []iniSection {
	return slices.DeleteFunc(slices.Clone(f.sections), func(s iniSection) bool { return s.kind != kind || s.name != name })
}

// value is what a section says of a key; "" is nothing.
func (s iniSection) value(key string) string {
	if i := slices.IndexFunc(s.settings, func(v iniSetting) bool { return v.key == key }); i >= 0 {
		return s.settings[i].value
	}
	return ""
}

// place is the section in a record.
func (s iniSection) place() place { return place{s.kind, s.name} }

// splice replaces a part of the text.
func (f *iniFile) splice(from, to int, by string) error {
	f.text = slices.Concat(f.text[:from], []byte(by), f.text[to:])
	return f.parse()
}

// newline is the line end that the file uses.
func (f *iniFile) newline() string {
	if bytes.Contains(f.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// gap is what has to be written between the text and a section behind it: the rest of
// its last line, and a blank line.
func (f *iniFile) gap() string {
	newline := f.newline()
	text := strings.ReplaceAll(string(f.text), "\r\n", "\n")
	switch {
	case text == "" || text == "\n" || strings.HasSuffix(text, "\n\n"):
		return ""
	case strings.HasSuffix(text, "\n"):
		return newline
	}
	return newline + newline
}

// append writes a section behind the others, and notes what it was set off with.
func (f *iniFile) append(s iniSection, r *record) error {
	gap := f.gap()
	r.note(s.place(), &gap)
	return f.splice(len(f.text), len(f.text), gap+s.lines(f.newline()))
}

// remove takes a section out, with what it was set off with.
func (f *iniFile) remove(s iniSection, r *record) error {
	from, rest := s.from, ""
	if gap, _ := r.take(s.place()); gap != nil && f.setOff(from, *gap) {
		from -= len(*gap)
	}
	behind := f.text[s.to:]
	if from > 0 && f.text[from-1] != '\n' && len(behind) > 0 && behind[0] != '\n' && !bytes.HasPrefix(behind, []byte("\r\n")) {
		rest = f.newline() // others have written behind it meanwhile
	}
	return f.splice(from, s.to, rest)
}

// setOff reports whether a gap that append wrote still stands in front of a place. Somebody
// may have given the file other line ends.
func (f *iniFile) setOff(at int, gap string) bool {
	before, ok := bytes.CutSuffix(f.text[:at], []byte(gap))
	return ok && strings.Trim(gap, "\r\n") == "" && !bytes.HasSuffix(before, []byte("\r"))
}

// replace gives a section the settings, in front of those of its lines that are not own.
func (f *iniFile) replace(s, by iniSection, own func(iniSetting) bool) error {
	newline := f.newline()
	var kept strings.Builder
	at := s.body
	for _, v := range s.settings {
		if own(v) {
			kept.Write(f.text[at:v.from])
			at = v.to
		}
	}
	kept.Write(f.text[at:s.to])
	header := string(f.text[s.from:s.body])
	if !strings.HasSuffix(header, "\n") {
		header += newline
	}
	return f.splice(s.from, s.to, header+by.settingLines(newline)+kept.String())
}

// lines is the section as text.
func (s iniSection) lines(newline string) string {
	header := "[" + s.kind + " " + s.name + "]"
	if s.kind == "" || s.kind == kindProfile && s.name == nameDefault {
		header = "[" + s.name + "]"
	}
	return header + newline + s.settingLines(newline)
}

// settingLines is the settings as text.
func (s iniSection) settingLines(newline string) string {
	var out strings.Builder
	for _, v := range s.settings {
		text := v.key + " = " + v.value
		if strings.HasPrefix(v.value, "\n") {
			text = v.key + " =" + strings.ReplaceAll(v.value, "\n", "\n  ")
		}
		out.WriteString(strings.ReplaceAll(text, "\n", newline) + newline)
	}
	return out.String()
}
