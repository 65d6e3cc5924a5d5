package awstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// policy is an IAM policy. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policy struct {
	statements []statement
	err        error // what is wrong with it; it then denies everything
}

// statement has either of each pair; Not… are those that it is not about.
type statement struct {
	Sid                   string
	Effect                string
	Action, NotAction     texts
	Resource, NotResource texts
	Condition             map[string]map[string]texts
}

// texts is a text or a list of them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// statements is a statement or a list of them.
type statements []statement

// UnmarshalJSON implements json.Unmarshaler.
func (s *statements) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		*s = make(statements, 1)
		return strictly(data, &(*s)[0])
	}
	return strictly(data, (*[]statement)(s))
}

// strictly decodes JSON that has no fields but known ones.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("more than one document")
	}
	return nil
}

// parsePolicy reads a policy of an identity or session. It is always one; err says what is
// wrong with it.
func parsePolicy(text string) *policy {
	var document struct {
		Version   string
		Id        string
		Statement statements
	}
	if err := strictly([]byte(text), &document); err != nil {
		return &policy{err: fmt.Errorf("syntax errors in policy: %w", err)}
	}
	p := &policy{statements: document.Statement}
	if !slices.Contains([]string{"2012-10-17", "2008-10-17"}, document.Version) {
		p.err = fmt.Errorf("the policy's version is %q", document.Version)
	}
	if len(p.statements) == 0 {
		p.err = errors.New("syntax errors in policy: it has no statement")
	}
	names := map[string]bool{}
	for _, s := range p.statements {
		if s.Sid != "" && names[s.Sid] {
			p.err = errors.New("statement IDs (SID) in a single policy must be unique")
		}
		names[s.Sid] = true
		if err := s.check(); err != nil {
			p.err = err
		}
	}
	return p
}

var (
	sidFormat    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionFormat = regexp.MustCompile(`^([a-z0-9-]+:[A-Za-z0-9*?]+|\*)$`)
	arnFormat    = regexp.MustCompile(`^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$`)
)

func (s statement) check() error {
	switch {
	case !sidFormat.MatchString(s.Sid):
		return fmt.Errorf("statement IDs (SID) must be alpha-numeric: %q", s.Sid)
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("invalid effect: %q", s.Effect)
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return errors.New("a statement must have either Action or NotAction")
	case (len(s.Resource) == 0) == (len(s.NotResource) == 0):
		return errors.New("policy statement must contain resources")
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		if !actionFormat.MatchString(action) {
			return fmt.Errorf("actions/conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", action)
		}
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if resource != "*" && !arnFormat.MatchString(resource) {
			return fmt.Errorf(`resource %s must be in ARN format or "*"`, resource)
		}
		if strings.Contains(resource, "${") {
			return fmt.Errorf("awstest has no policy variables: %s", resource)
		}
	}
	return s.checkCondition()
}

// checkCondition refuses the conditions that are not evaluated.
func (s statement) checkCondition() error {
	for operator, keys := range s.Condition {
		if operators[operator] == nil {
			return fmt.Errorf("awstest has no condition operator %s", operator)
		}
		for key := range keys {
			if !slices.ContainsFunc(conditionKeys, func(known string) bool { return glob(known, strings.ToLower(key)) }) {
				return fmt.Errorf("awstest has no condition key %s", key)
			}
		}
	}
	return nil
}

// conditionKeys are the keys that are evaluated, in lower case.
var conditionKeys = []string{
	"aws:requestedregion", "aws:principalarn", "aws:principalaccount", "aws:principaltag/*", "s3:prefix", "s3:delimiter", "kms:viaservice",
}

// operators are the operators that are evaluated. A key without a value matches none.
var operators = map[string]func(pattern, value string) bool{
	"StringEquals": func(pattern, value string) bool { return pattern == value },
	"StringLike":   glob,
}

// evaluation is what is asked of policies.
type evaluation struct {
	action, resource string
	values           map[string]string // by condition key, in lower case
	// granted says that a policy of the resource, in the same account, grants the action to
	// this very principal: its own policies need not.
	granted bool
}

type outcome int

const (
	implicitDeny outcome = iota
	allowed
	explicitDeny
)

// verdict is what policies say together.
func verdict(policies []*policy, e evaluation) outcome {
	out := implicitDeny
	for _, p := range policies {
		if p.err != nil {
			return explicitDeny
		}
		for _, s := range p.statements {
			switch {
			case !s.isAbout(e):
			case s.Effect == "Deny":
				return explicitDeny
			default:
				out = allowed
			}
		}
	}
	return out
}

func (s statement) isAbout(e evaluation) bool {
	action := func(pattern string) bool { return glob(strings.ToLower(pattern), strings.ToLower(e.action)) }
	resource := func(pattern string) bool { return matchARN(pattern, e.resource) }
	return slices.ContainsFunc(s.Action, action) != (len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, action)) &&
		slices.ContainsFunc(s.Resource, resource) != (len(s.NotResource) > 0 && !slices.ContainsFunc(s.NotResource, resource)) &&
		s.conditionsHold(e.values)
}

// conditionsHold says whether all of the conditions hold.
func (s statement) conditionsHold(values map[string]string) bool {
	for operator, keys := range s.Condition {
		for key, patterns := range keys {
			value, there := values[strings.ToLower(key)]
			holds := func(pattern string) bool { return operators[operator](pattern, value) }
			if !there || !slices.ContainsFunc(patterns, holds) {
				return false
			}
		}
	}
	return true
}

// arnParts is how many parts an ARN has; the last one may have colons.
const arnParts = 6

// matchARN matches part by part: a wildcard does not reach beyond its own.
func matchARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	wants, has := strings.SplitN(pattern, ":", arnParts), strings.SplitN(arn, ":", arnParts)
	if len(wants) != len(has) {
		return false
	}
	for i := range wants {
		if !glob(wants[i], has[i]) {
			return false
		}
	}
	return true
}

// glob matches a text against a pattern, in which * is any text and ? any one byte.
func glob(pattern, text string) bool {
	star, mark, p, t := -1, 0, 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark, p = p, t, p+1
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0: // the last star takes one more
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
