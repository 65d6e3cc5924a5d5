package prompt

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether a stream of the process is a terminal. What is not a
// file never is.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	found := false
	if ok {
		_ = control(file, func(fd int) error {
			found = term.IsTerminal(fd)
			return nil
		})
	}
	return found
}

// Width returns how many columns a stream's terminal has; 0 where it is none or
// does not say.
func Width(stream any) int {
	file, ok := stream.(*os.File)
	width := 0
	if ok {
		_ = control(file, func(fd int) (err error) {
			width, _, err = term.GetSize(fd)
			return err
		})
	}
	return max(width, 0)
}

// Colours reports whether a stream is a terminal that understands escape
// sequences. On Windows it asks the console to.
func Colours(stream any) bool {
	return IsTerminal(stream) && control(stream.(*os.File), understandEscapes) == nil
}
