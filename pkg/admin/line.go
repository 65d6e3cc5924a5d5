package admin

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// line is a command line that was read: flags may stand before and after
// arguments, "--" ends them, short ones may be joined, long ones may have "_" for
// "-". The library behind would take a flag after an argument for an argument, and
// take the last of two contradicting flags, both in silence.
//
// Errors never repeat a word that stands where a secret could have slipped in.
type line struct {
	path  []*command // from the root to the command
	flags []given    // in order
	args  []string
	help  bool // help is wanted instead
}

// given is a flag of the line.
type given struct {
	flag  flag
	value string // "true" or "false" for a flag without value
}

func (l line) command() *command { return l.path[len(l.path)-1] }

// value is the value of a flag of the line, "" when it is not there.
func (l line) value(name string) string {
	for _, g := range l.flags {
		if g.flag.name == name {
			return g.value
		}
	}
	return ""
}

// canonical is the line in the order and the spelling that urfave/cli can not
// misread: commands, --flag=value, --, arguments.
func (l line) canonical() []string {
	words := []string{program}
	for _, c := range l.path[1:] {
		words = append(words, c.name)
	}
	for _, g := range l.flags {
		words = append(words, "--"+g.flag.name+"="+g.value)
	}
	return append(append(words, "--"), l.args...)
}

// readLine reads a whole command line.
func readLine(root *command, words []string) (line, error) {
	r := newReader(root)
	for _, word := range words {
		if err := r.read(word); err != nil {
			return line{}, err
		}
	}
	return r.finish()
}

// reader reads a command line word by word; completion stops before the end.
type reader struct {
	line
	waiting *given // for its value, the next word
	words   bool   // "--" was seen: the rest is no flags
	asking  bool   // `svcconn help …`
}

func newReader(root *command) *reader { return &reader{line: line{path: []*command{root}}} }

func (r *reader) read(word string) error {
	switch {
	case r.waiting != nil:
		return r.readValue(word)
	case r.words || r.command().raw || word == "-" || !strings.HasPrefix(word, "-"):
		return r.readWord(word)
	case word == "--":
		r.words = true
		return nil
	case strings.HasPrefix(word, "--"):
		return r.readLong(word[2:])
	}
	return r.readShort(word[1:])
}

// readWord reads the name of a command, or an argument.
func (r *reader) readWord(word string) error {
	group := r.command()
	if len(group.commands) == 0 {
		r.args = append(r.args, word)
		return nil
	}
	if len(r.path) == 1 && word == helpFlag.name && !r.asking {
		r.asking = true
		return nil
	}
	c, ok := group.find(word)
	if !ok {
		return unknownCommand(r.path, word)
	}
	r.path = append(r.path, c)
	return nil
}

// readLong reads what follows "--".
func (r *reader) readLong(word string) error {
	name, value, joined := strings.Cut(word, "=")
	name = strings.ReplaceAll(name, "_", "-")
	f, ok := r.findLong(name)
	if !ok {
		return r.unknownFlag("--"+name, name)
	}
	switch {
	case f.value == "" && joined:
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fault.New(fault.Invalid, "flag --%s is either given or not: it takes no value", f.name)
		}
		return r.set(f, strconv.FormatBool(on))
	case f.value == "":
		return r.set(f, "true")
	case joined:
		return r.set(f, value)
	}
	r.waiting = &given{flag: f}
	return nil
}

// readShort reads what follows a single "-": letters of flags, the last of which
// may have its value joined.
func (r *reader) readShort(letters string) error {
	if name, _, _ := strings.Cut(letters, "="); len(name) > 1 {
		if f, ok := r.findLong(strings.ReplaceAll(name, "_", "-")); ok {
			return fault.New(fault.Invalid, "unknown flag -%s", f.name).Hint("did you mean --%s?", f.name)
		}
	}
	for letters != "" {
		_, size := utf8.DecodeRuneInString(letters)
		letter, rest := letters[:size], letters[size:]
		f, ok := r.findShort(letter)
		switch {
		case !ok:
			return r.unknownFlag("-"+letter, letter)
		case f.value != "" && rest != "":
			return r.set(f, strings.TrimPrefix(rest, "="))
		case f.value != "":
			r.waiting = &given{flag: f}
			return nil
		}
		if err := r.set(f, "true"); err != nil {
			return err
		}
		letters = rest
	}
	return nil
}

// readValue reads the value of the flag before. What is a flag itself is none:
// with an equals sign it can be said all the same.
func (r *reader) readValue(word string) error {
	f := r.waiting.flag
	if r.isFlag(word) {
		return needsValue(f).Hint("%s is a flag itself; if it is the value, write --%s=%s", word, f.name, word)
	}
	r.waiting = nil
	return r.set(f, word)
}

// isFlag reports whether a word is exactly a flag that the command has.
func (r *reader) isFlag(word string) bool {
	if name, ok := strings.CutPrefix(word, "--"); ok {
		_, known := r.findLong(strings.ReplaceAll(name, "_", "-"))
		return known || name == ""
	}
	letter, ok := strings.CutPrefix(word, "-")
	_, known := r.findShort(letter)
	return ok && known
}

func needsValue(f flag) *fault.Error {
	return fault.New(fault.Invalid, "flag --%s needs a value (%s)", f.name, f.value)
}

func (r *reader) set(f flag, value string) error {
	switch f.name {
	case helpFlag.name:
		r.help = r.help || value == "true"
		return nil
	case versionFlag.name:
		return r.readWord(versionFlag.name)
	}
	for _, g := range r.flags {
		if !f.many && g.flag.name == f.name && g.value != value {
			return fault.New(fault.Invalid, "flag --%s is given twice, with different values", f.name)
		}
	}
	r.flags = append(r.flags, given{f, value})
	return nil
}

func (r *reader) findLong(name string) (flag, bool) {
	return r.findFlag(func(f flag) bool {
		for _, known := range f.names() {
			if known == name {
				return true
			}
		}
		return false
	})
}

func (r *reader) findShort(letter string) (flag, bool) {
	return r.findFlag(func(f flag) bool { return f.short == letter && letter != "" })
}

func (r *reader) findFlag(is func(flag) bool) (flag, bool) {
	for _, f := range r.command().allFlags() {
		if is(f) {
			return f, true
		}
	}
	return flag{}, false
}

// finish checks what only the whole line can tell.
func (r *reader) finish() (line, error) {
	c := r.command()
	switch {
	case r.asking && len(r.args) > 0:
		return line{}, unknownCommand(r.path, r.args[0])
	case r.help || r.asking || len(c.commands) > 0:
		r.help = true
		return r.line, nil
	case r.waiting != nil:
		return line{}, needsValue(r.waiting.flag)
	}
	for _, g := range r.flags { // given before the command was known
		if _, ok := r.findLong(g.flag.name); !ok {
			return line{}, r.unknownFlag("--"+g.flag.name, g.flag.name)
		}
	}
	for _, f := range c.flags {
		if f.required && r.value(f.name) == "" {
			return line{}, needsFlag(r.path, f)
		}
	}
	return r.line, checkArgs(r.path, len(r.args))
}

func needsFlag(path []*command, f flag) error {
	return fault.New(fault.Invalid, "%s needs the flag --%s", fullName(path), f.name).Hint("usage: %s", usage(path))
}

// checkArgs compares the number of arguments with what the command takes.
func checkArgs(path []*command, n int) error {
	c := path[len(path)-1]
	least, most := 0, len(c.args)
	for _, arg := range c.args {
		if !arg.optional {
			least++
		}
		if arg.many {
			most = n
		}
	}
	switch {
	case c.raw:
		return nil
	case n < least:
		return fault.New(fault.Invalid, "%s needs %s", fullName(path), c.args[n]).Hint("usage: %s", usage(path))
	case n > most:
		return fault.New(fault.Invalid, "%s takes %s, but %d were given", fullName(path), arguments(most), n).Hint("usage: %s", usage(path))
	}
	return nil
}

func arguments(n int) string {
	switch n {
	case 0:
		return "no arguments"
	case 1:
		return "one argument"
	}
	return strconv.Itoa(n) + " arguments"
}

// fullName is the command as a person types it.
func fullName(path []*command) string {
	words := []string{program}
	for _, c := range path[1:] {
		words = append(words, c.name)
	}
	return strings.Join(words, " ")
}

func unknownCommand(path []*command, word string) error {
	group := path[len(path)-1]
	var names []string
	for _, c := range group.visible() {
		names = append(names, c.name)
	}
	err := fault.New(fault.Invalid, "unknown command %q", strings.TrimPrefix(fullName(path)+" "+word, program+" "))
	if near := field.Nearest(word, names); near != "" {
		return err.Hint("did you mean `%s %s`? `%s --help` lists the commands", fullName(path), near, fullName(path))
	}
	return err.Hint("`%s --help` lists the commands", fullName(path))
}

// unknownFlag names the flag as shown, and what was likely meant. The value is not
// repeated.
func (r *reader) unknownFlag(shown, name string) error {
	var names []string
	for _, f := range r.command().allFlags() {
		names = append(names, f.names()...)
	}
	err := fault.New(fault.Invalid, "unknown flag %s of %s", shown, fullName(r.path))
	if near := field.Nearest(name, names); near != "" && len(name) > 1 {
		return err.Hint("did you mean --%s? `%s --help` lists the flags", near, fullName(r.path))
	}
	return err.Hint("`%s --help` lists the flags", fullName(r.path))
}
