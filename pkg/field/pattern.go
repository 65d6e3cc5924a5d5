package field

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression that is compiled when it is first needed: every start
// of svcconn would pay for all of them, and needs few.
type Pattern func() *regexp.Regexp

// Lazily is the pattern of an expression, which must be well formed.
func Lazily(expression string) Pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// MatchString reports whether a text has a match.
func (p Pattern) MatchString(text string) bool { return p().MatchString(text) }

// FindStringSubmatch is the first match and its groups; nil is none.
func (p Pattern) FindStringSubmatch(text string) []string { return p().FindStringSubmatch(text) }
