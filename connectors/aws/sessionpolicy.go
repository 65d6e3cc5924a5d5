package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/fault"
)

// bounds is the policies of a connector's own.
type bounds struct {
	policy string
	arns   []string
}

// boundsOf reads them. account is that of the keys that they bound; "" where nobody
// knows it yet.
func boundsOf(c *clients, account string) (bounds, error) {
	b := bounds{policyField.Get(c.values), policyARNsField.Get(c.values)}
	if len(b.arns) > mostPolicyARNs {
		return b, fault.New(fault.Invalid, "field %s has %d policies, and AWS takes %d", policyARNsField.Name, len(b.arns), mostPolicyARNs)
	}
	own, err := partitionIn(c.values)
	for _, text := range b.arns {
		if err == nil {
			err = own.inPartition("the policy "+text, partitionOfARN(text))
		}
		if err != nil {
			return b, err
		}
		if owner := accountOf(text); owner != "aws" && account != "" && owner != account {
			return b, fault.New(fault.Invalid, "the policy %s is of account %s, and the keys will be of account %s", text, owner, account).
				Hint("managed policies bound keys of their own account: make a copy there, or write it into the field %s", policyField.Name)
		}
	}
	return b, err
}

// any reports whether there are any.
func (b bounds) any() bool { return b.policy != "" || len(b.arns) > 0 }

// with is the policies to ask for: the connector's own, or else the scope.
func (b bounds) with(scope string) (policy string, arns []string, err error) {
	if b.any() {
		return b.policy, b.arns, nil
	}
	if n := utf8.RuneCountInString(scope); n > longestPolicy {
		return "", nil, fault.New(fault.Invalid, "the session policy for this resource has %d characters, and AWS takes %d", n, longestPolicy).
			Hint("give the connector a policy of its own: --set %s=@policy.json", policyField.Name)
	}
	return scope, nil, nil
}

// checkPolicy checks a session policy, and takes the white space out of it.
func checkPolicy(text string) (string, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return "", fault.New(fault.Invalid, "the policy is not JSON: %w", err).Hint("take it from a file: --set policy=@policy.json")
	}
	text = compact.String()
	if n := utf8.RuneCountInString(text); n > longestPolicy {
		return "", fault.New(fault.Invalid, "the policy has %d characters without white space, and AWS takes %d", n, longestPolicy).
			Hint("shorten it with wildcards, or make managed policies of it and name those in policy_arns")
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > 'ÿ' }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return "", fault.New(fault.Invalid, "the policy has the character %q, and AWS takes those up to U+00FF", r)
	}
	var document givenPolicy
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return "", fault.New(fault.Invalid, "it is not a policy: %w", err)
	}
	if err := document.check(); err != nil {
		return "", fault.New(fault.Invalid, "it is not a session policy: %w", err)
	}
	return text, nil
}

// givenPolicy is as much of a policy as can be checked here.
type givenPolicy struct {
	Version   string
	Statement givenStatements
}

// givenStatements is one statement, or a list of them.
type givenStatements []givenStatement

type givenStatement struct {
	Effect                  string
	Action, NotAction       any
	Resource, NotResource   any
	Principal, NotPrincipal any
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *givenStatements) UnmarshalJSON(text []byte) error {
	var list []givenStatement
	if bytes.HasPrefix(text, []byte("[")) {
		err := json.Unmarshal(text, &list)
		*s = list
		return err
	}
	var one givenStatement
	err := json.Unmarshal(text, &one)
	*s = givenStatements{one}
	return err
}

func (d givenPolicy) check() error {
	if !slices.Contains([]string{"", "2008-10-17", "2012-10-17"}, d.Version) {
		return fmt.Errorf("its Version is %q, and should be 2012-10-17", d.Version)
	}
	if len(d.Statement) == 0 {
		return fmt.Errorf("it has no Statement")
	}
	for i, s := range d.Statement {
		if err := s.check(); err != nil {
			return fmt.Errorf("statement %d %w", i+1, err)
		}
	}
	return nil
}

func (s givenStatement) check() error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("has the Effect %q, neither Allow nor Deny", s.Effect)
	case (s.Action == nil) == (s.NotAction == nil):
		return fmt.Errorf("has to have either Action or NotAction")
	case (s.Resource == nil) == (s.NotResource == nil):
		return fmt.Errorf("has to have either Resource or NotResource")
	case s.Principal != nil || s.NotPrincipal != nil:
		return fmt.Errorf("has a Principal: a session policy is always about its session")
	}
	return nil
}
