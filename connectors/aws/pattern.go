package aws

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first needed: every start
// of svcconn would pay for all of them, and needs few.
type pattern func() *regexp.Regexp

func lazily(expression string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// MatchString reports whether a text has a match.
func (p pattern) MatchString(text string) bool { return p().MatchString(text) }
