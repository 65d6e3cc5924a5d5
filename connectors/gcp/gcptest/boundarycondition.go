package gcptest

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/field"
)

// condition says whether a rule of a boundary holds for some facts.
type condition func(facts map[string]string) bool

// conditionReader reads the part of the Common Expression Language that boundaries are
// written in: startsWith, endsWith, == and != of resource.name, resource.type,
// resource.service and api.getAttribute(name, default) with &&, ||, ! and parentheses.
// https://cloud.google.com/iam/docs/downscoping-short-lived-credentials#availability-condition
type conditionReader struct {
	left  string
	depth int
}

// maxDepth is how many parentheses may be in one another.
const maxDepth = 32

// readCondition reads an expression.
func readCondition(text string) (condition, error) {
	r := &conditionReader{left: text}
	out := r.or()
	if r.space(); out == nil || r.left != "" {
		return nil, oauthError("invalid_request", "Invalid availabilityCondition: the expression cannot be read at %q.", r.left)
	}
	return out, nil
}

func (r *conditionReader) space() { r.left = strings.TrimLeft(r.left, " \t\r\n") }

// take reads a word, if it is next.
func (r *conditionReader) take(word string) bool {
	r.space()
	rest, ok := strings.CutPrefix(r.left, word)
	if ok {
		r.left = rest
	}
	return ok
}

// or reads alternatives. It returns nil, as all readers do, for what it cannot read.
func (r *conditionReader) or() condition {
	return r.chain("||", r.and, func(a, b condition) condition {
		return func(facts map[string]string) bool { return a(facts) || b(facts) }
	})
}

func (r *conditionReader) and() condition {
	return r.chain("&&", r.one, func(a, b condition) condition {
		return func(facts map[string]string) bool { return a(facts) && b(facts) }
	})
}

// chain reads parts with an operator between them.
func (r *conditionReader) chain(operator string, part func() condition, join func(a, b condition) condition) condition {
	out := part()
	for out != nil && r.take(operator) {
		next := part()
		if next == nil {
			return nil
		}
		out = join(out, next)
	}
	return out
}

// one reads a comparison, its negation, or something in parentheses.
func (r *conditionReader) one() condition {
	if r.depth++; r.depth > maxDepth {
		return nil
	}
	defer func() { r.depth-- }()
	switch {
	case r.take("!"):
		inner := r.one()
		if inner == nil {
			return nil
		}
		return func(facts map[string]string) bool { return !inner(facts) }
	case r.take("("):
		inner := r.or()
		if !r.take(")") {
			return nil
		}
		return inner
	}
	return r.comparison()
}

// The parts of a comparison.
var (
	conditionSubject = field.Lazily(`^(?:(resource\.(?:name|type|service))|api\.getAttribute\(\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*,\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\))`)
	conditionTest    = field.Lazily(`^\s*(?:(\.startsWith\(|\.endsWith\()\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\)|(==|!=)\s*(?:'([^'\\]*)'|"([^"\\]*)"))`)
)

func (r *conditionReader) comparison() condition {
	subject := r.find(conditionSubject.FindStringSubmatch)
	if subject == nil {
		return nil
	}
	test := r.find(conditionTest.FindStringSubmatch)
	if test == nil {
		return nil
	}
	name, missing := subject[1]+subject[2]+subject[3], subject[4]+subject[5]
	operator, want := test[1]+test[4], test[2]+test[3]+test[5]+test[6]
	return func(facts map[string]string) bool {
		have, known := facts[name]
		if !known {
			have = missing
		}
		switch operator {
		case ".startsWith(":
			return strings.HasPrefix(have, want)
		case ".endsWith(":
			return strings.HasSuffix(have, want)
		case "==":
			return have == want
		}
		return have != want
	}
}

// find reads what a pattern matches; nil is nothing.
func (r *conditionReader) find(match func(string) []string) []string {
	r.space()
	found := match(r.left)
	if found != nil {
		r.left = r.left[len(found[0]):]
	}
	return found
}
