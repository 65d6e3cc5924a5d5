package aws

import (
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// way is the roles between a login and the keys that are handed out, and what each of
// them is told.
type way struct {
	host   connector.Host
	values field.Values
	roles  []string // ARNs, in the order in which they are assumed
	// signed is the first of the roles that is assumed with keys. What passes on from role
	// to role is told to it: a web identity has no room for that.
	signed   int
	tags     []tag
	bounds   bounds
	lifetime time.Duration // the connector's own; 0 where it has none
}

// wayOf reads the way from the fields, and checks what no field can check alone.
// byToken says that the first role is assumed with a web identity.
func wayOf(c *clients, settings connector.Settings, byToken bool) (*way, error) {
	v := settings.Values
	w := &way{host: c.host, values: v, lifetime: settings.Expiration, roles: append(roleChainField.Get(v), furtherRoleField.Get(v))}
	if byToken {
		w.signed = 1
	}
	var err error
	if w.tags, err = tagsOf(v); err != nil {
		return nil, err
	}
	account, err := w.checkRoles()
	if err != nil {
		return nil, err
	}
	if w.bounds, err = boundsOf(c, account); err != nil {
		return nil, err
	}
	if err := w.checkLifetime(settings.Expiration); err != nil {
		return nil, err
	}
	_, err = sessionName(c.host, sessionNameField, v, longestSessionName)
	return w, err
}

// checkRoles checks the roles against the connector's fields, and returns the account of
// the last.
func (w *way) checkRoles() (string, error) {
	own, err := partitionIn(w.values)
	if err != nil {
		return "", err
	}
	for _, role := range w.roles {
		if err := own.inPartition("the role "+role, partitionOfARN(role)); err != nil {
			return "", err
		}
	}
	last := w.roles[len(w.roles)-1]
	account := accountOf(last)
	if own := accountField.Get(w.values); own != "" && own != account {
		return "", fault.New(fault.Invalid, "the role %s is of account %s, and the connector for account %s", last, account, own).
			Hint("if the account shall change: --set account_id=%s", account)
	}
	if w.signed < len(w.roles) {
		return account, nil
	}
	for _, f := range []field.Field{externalIDField, sessionTagsField, sourceIdentityField} {
		if name := f.Info().Name; w.values.Has(name) {
			return "", fault.New(fault.Invalid, "field %s cannot be sent with a web identity", name).
				Hint("let whoever issues the token say it in a claim, or put a further role behind the first with %s", roleChainField.Name)
		}
	}
	return account, nil
}

// checkLifetime refuses what AWS would.
func (w *way) checkLifetime(asked time.Duration) error {
	if len(w.roles) == 1 || asked <= chainedMost {
		return nil
	}
	return fault.New(fault.Invalid, "the expiration %s is above the most that AWS grants to a role that is assumed with the keys of another, %s", asked, chainedMost).
		Hint("give --expiration %s or less", chainedMost)
}

// steps is what each role is told for a purpose.
func (w *way) steps(want purpose) ([]assumption, error) {
	if err := w.checkLifetime(want.lifetime); err != nil {
		return nil, err
	}
	name, err := sessionName(w.host, sessionNameField, w.values, longestSessionName)
	if err != nil {
		return nil, err
	}
	steps := make([]assumption, len(w.roles))
	for i, role := range w.roles {
		steps[i] = assumption{role: role, sessionName: name, lifetime: onTheWay}
	}
	if w.signed < len(w.roles) {
		first := &steps[w.signed]
		first.sourceIdentity, first.tags = sourceIdentityField.Get(w.values), w.tagsThat(true)
		for _, t := range first.tags {
			first.transitive = append(first.transitive, t.key)
		}
	}
	last := &steps[len(steps)-1]
	last.externalID, last.lifetime, last.tags = externalIDField.Get(w.values), w.lasting(want), append(last.tags, w.tagsThat(false)...)
	last.policy, last.policyARNs, err = w.bounds.with(want.scope)
	return steps, err
}

// tagsThat is the tags that pass on from role to role, or the others.
func (w *way) tagsThat(passOn bool) []tag {
	transitive := transitiveTagsField.Get(w.values)
	return slices.DeleteFunc(slices.Clone(w.tags), func(t tag) bool { return slices.ContainsFunc(transitive, t.hasKey) != passOn })
}

// lasting is the lifetime to ask for. The session's own questions need little, but where
// the connector is to have a certain lifetime they ask for that: a role that does not
// grant it is noticed when the connector is verified.
func (w *way) lasting(want purpose) time.Duration {
	switch {
	case want.lifetime != 0:
		return want.lifetime
	case want.own:
		return max(w.lifetime, onTheWay)
	}
	return roleBounds.Default
}
