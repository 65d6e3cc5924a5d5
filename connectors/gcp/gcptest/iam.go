package gcptest

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// grants is who may do what: patterns of permissions, by member.
type grants map[string][]string

// principal is somebody who has tokens.
type principal struct {
	member string   // user:…, serviceAccount:…, principal://…
	name   string   // in the journal and in refusals: an e-mail address, or principal://…
	email  string   // "" where it has none
	sets   []string // the principalSet:// members that it is in
	// account is the service account that it is; nil for all others.
	account *ServiceAccount
	// user is the person that it is; nil for all others.
	user *User
}

// permissionGetToken is what impersonation needs. Like Google's role of an owner, "*" does
// not have it.
const permissionGetToken = "iam.serviceAccounts.getAccessToken"

// Grant gives a member permissions in the project, beside those that it has: "user:jane@…",
// "serviceAccount:…", "principal://…", "principalSet://…", "allUsers" or
// "allAuthenticatedUsers". Permissions are as "container.clusters.list", "storage.*" or
// "*". To impersonate service accounts needs iam.serviceAccounts.getAccessToken by that
// name, or ServiceAccount.LetImpersonate: "*" does not have it.
func (p *Project) Grant(member string, permissions ...string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.grants[member] = append(p.grants[member], permissions...)
}

// Revoke takes all that Grant and ServiceAccount gave a member in the project.
func (p *Project) Revoke(member string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	delete(p.grants, member)
}

// allow says whether somebody has a permission. Nil has what everybody has.
func (g grants) allow(who *principal, permission string) bool {
	return slices.ContainsFunc(who.members(), func(member string) bool {
		return slices.ContainsFunc(g[member], func(pattern string) bool { return permits(pattern, permission) })
	})
}

// permits says whether a pattern has a permission.
func permits(pattern, permission string) bool {
	if pattern == "*" && permission == permissionGetToken {
		return false
	}
	stem, open := strings.CutSuffix(pattern, "*")
	return pattern == permission || open && strings.HasPrefix(permission, stem)
}

// members are what grants may call somebody.
func (p *principal) members() []string {
	if p == nil {
		return []string{"allUsers"}
	}
	return append([]string{p.member, "allUsers", "allAuthenticatedUsers"}, p.sets...)
}

// resource is what a permission is needed on.
type resource struct {
	project string // id or number
	// name is as refusals have it: projects/p/locations/l/clusters/c.
	name string
	// bucket and object are for Cloud Storage alone: what a boundary is compared with.
	// object "" is the bucket itself; for a list, it is the prefix asked for.
	bucket, object string
	// grants are what the resource itself gives members, beside its project; nil is nothing.
	grants grants
}

// may says whether the caller has a permission, by IAM and by the token's boundary.
func (r *request) may(permission string, on resource) bool {
	return r.server.may(r.token, permission, on)
}

// may says whether a token has a permission; nil is no token. The caller holds the lock.
func (s *Server) may(t *accessToken, permission string, on resource) bool {
	var who *principal
	if t != nil {
		who = t.who
		if t.boundary != nil && !t.boundary.allows(permission, on) {
			return false
		}
	}
	project := s.projectOf(on.project)
	return on.grants.allow(who, permission) || project != nil && project.grants.allow(who, permission)
}

// allow refuses what the caller may not.
func (r *request) allow(permission string, on resource) error {
	if r.may(permission, on) {
		return nil
	}
	return r.denied(permission, on)
}

// denied is the refusal of what the caller may not. Whether the resource exists, it does
// not tell.
func (r *request) denied(permission string, on resource) *apiError {
	host := r.service.host()
	name := cmp.Or(on.name, path.Join("projects", on.project))
	return forbidden("IAM_PERMISSION_DENIED", host, map[string]string{"permission": permission, "resource": name},
		"Permission '%s' denied on resource '//%s/%s' (or it may not exist).", permission, host, name)
}
