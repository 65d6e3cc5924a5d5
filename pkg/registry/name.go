package registry

import (
	"regexp"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// extension is what the name of a connector's file ends with.
const extension = ".toml"

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	// Windows opens a device for these names, whatever follows their first dot.
	devicePattern = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// CheckName reports whether a connector may have the name: it must be fit to be a
// file's name on every system and an argument in every shell. The error is
// fault.Invalid.
func CheckName(name string) error {
	switch {
	case !namePattern.MatchString(name):
		return fault.New(fault.Invalid, "%q cannot be the name of a connector", name).
			Hint("a name is of 1 to 100 letters, digits, dots, dashes and underscores, and begins with a letter or digit")
	case strings.HasSuffix(name, "."):
		return fault.New(fault.Invalid, "%q cannot be the name of a connector: it ends in a dot", name).
			Hint("leave the dot at the end out")
	case devicePattern.MatchString(name):
		return fault.New(fault.Invalid, "%q cannot be the name of a connector: on Windows it is a device", name).
			Hint("choose another name, such as %q", "my-"+name)
	}
	return nil
}

// nameOf returns the connector that a file is of; files of other kinds, hidden and
// temporary ones are of none.
func nameOf(file string) (string, bool) {
	name, ok := strings.CutSuffix(file, extension)
	return name, ok && name != "" && !strings.HasPrefix(file, ".")
}

// shownAs is what errors call a connector's file.
func shownAs(name string) string { return "connectors/" + name + extension }
