package awstest

import "slices"

// Grant is a statement of the policy of a repository or registry: it lets principals, as
// Role.Trust names them, do actions (ecr:BatchGetImage, ecr:*).
type Grant struct {
	To      []string
	Actions []string
}

// RegistryPolicy sets the policy of the account's ECR registry of a region: its grants are
// for all of its repositories.
func (a *Account) RegistryPolicy(region string, grants ...Grant) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.registry(region).grants = slices.Clone(grants)
}

// allowOn says whether whoever asks may do an action on a repository of a registry, "*" for
// all of it: by the policies of their own, and of the repository and registry.
func (r *request) allowOn(registry *ecrRegistry, name, action string) error {
	granted, byName := registry.grant(name, action, r.who)
	resource, ours := registry.arn(name), registry.account.id == r.who.account.id
	if !ours && !granted {
		return r.denied(action, resource, "because no resource-based policy allows the "+action+" action")
	}
	why := r.who.decide(evaluation{action: action, resource: resource, values: r.values(), granted: ours && byName})
	if why != "" {
		return r.denied(action, resource, why)
	}
	return nil
}

// grant says whether the policies of a repository and of its registry let a principal do an
// action, and whether by an ARN of its own.
func (g *ecrRegistry) grant(name, action string, who *principal) (granted, byName bool) {
	grants := slices.Clone(g.grants)
	if one := g.repositories[name]; one != nil {
		grants = append(grants, one.grants...)
	}
	for _, grant := range grants {
		if slices.ContainsFunc(grant.Actions, func(pattern string) bool { return glob(pattern, action) }) {
			named, by := who.isAmong(grant.To)
			granted, byName = granted || named, byName || by
		}
	}
	return granted, byName
}
