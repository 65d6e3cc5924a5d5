package admin

import (
	"context"
	"slices"
	"strings"
)

// command is one entry of the table of commands, or a group of them.
type command struct {
	name     string
	group    string // the heading of the help that it is under
	summary  string // a line, lower case, no period
	doc      string // paragraphs, for help and manual
	args     []argument
	flags    []flag
	examples []example
	commands []command // of a group
	hidden   bool      // from help and completion: for programs
	raw      bool      // every word is an argument
	run      func(context.Context, invocation) error
}

// argument is a positional argument. Its name says what it is, and what completes
// it.
type argument struct {
	name     string
	optional bool
	many     bool
}

// example is a command line and what it does.
type example struct{ does, line string }

// flag is an option of a command.
type flag struct {
	name     string
	short    string   // one letter
	aliases  []string // other names
	value    string   // what its value is, and what completes it; "" where it takes none
	many     bool     // it may be given several times
	required bool
	usage    string
}

// The flags that several commands have.
var (
	helpFlag    = flag{name: "help", short: "h", usage: "show this help"}
	versionFlag = flag{name: "version", usage: "show the version"}
	outputFlag  = flag{name: "output", short: "o", value: formatWord, usage: "table, json, yaml, csv or name (SVCCONN_OUTPUT sets the default)"}
	noIconsFlag = flag{name: "no-icons", usage: "no icons on a terminal (NO_COLOR takes the colour away)"}

	resourceTypeFlag = flag{name: "resource-type", short: "r", value: resourceTypeWord, usage: "the class of resources"}
	authMethodFlag   = flag{name: "auth-method", short: "a", value: methodWord, usage: "the way to authenticate"}
)

// The words for arguments and values that can be completed.
const (
	typeWord         = "TYPE"
	methodWord       = "METHOD"
	resourceTypeWord = "RESOURCE-TYPE"
	connectorWord    = "CONNECTOR"
	fieldWord        = "FIELD"
	settingWord      = "FIELD=VALUE"
	formatWord       = "FORMAT"
	shellWord        = "SHELL"
	fileWord         = "FILE"
)

// described is a flag with a usage of its own.
func (f flag) described(usage string) flag {
	f.usage = usage
	return f
}

// printing adds the flags of everything that lists or describes.
func printing(flags ...flag) []flag {
	return slices.Concat(flags, []flag{outputFlag, noIconsFlag})
}

// names are all long names of a flag.
func (f flag) names() []string { return append([]string{f.name}, f.aliases...) }

// find returns the command of a group.
func (c *command) find(name string) (*command, bool) {
	for i := range c.commands {
		if c.commands[i].name == name {
			return &c.commands[i], true
		}
	}
	return nil, false
}

// visible are the commands that people are told of.
func (c *command) visible() []command {
	var out []command
	for _, sub := range c.commands {
		if !sub.hidden {
			out = append(out, sub)
		}
	}
	return out
}

// allFlags are the command's own flags and those that every command has.
func (c *command) allFlags() []flag {
	switch {
	case c.raw:
		return nil
	case len(c.commands) > 0:
		return append(printing(c.flags...), helpFlag)
	}
	return slices.Concat(c.flags, []flag{helpFlag})
}

// usage is how the command is called: "svcconn describe-type [flags] TYPE".
func usage(path []*command) string {
	words := []string{program}
	for _, c := range path[1:] {
		words = append(words, c.name)
	}
	last := path[len(path)-1]
	if len(last.commands) > 0 {
		return strings.Join(append(words, "COMMAND"), " ")
	}
	for _, f := range last.flags {
		if f.required {
			words = append(words, "--"+f.name+" "+f.value)
		}
	}
	words = append(words, "[flags]")
	for _, arg := range last.args {
		words = append(words, arg.String())
	}
	return strings.Join(words, " ")
}

// String is the argument as usage shows it: NAME, [NAME], NAME….
func (a argument) String() string {
	name := a.name
	if a.many {
		name += "…"
	}
	if a.optional {
		name = "[" + name + "]"
	}
	return name
}
