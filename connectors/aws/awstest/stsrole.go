package awstest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// assumeRole is the operation of that name.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func assumeRole(r *request) (answer, error) {
	ask, err := r.roleRequest()
	if err != nil {
		return answer{}, err
	}
	externalID, err := r.text(externalIDParameter)
	if err != nil {
		return answer{}, err
	}
	source, err := r.text(sourceIdentityParameter)
	if err != nil {
		return answer{}, err
	}
	mfa, err := r.mfa()
	if err != nil {
		return answer{}, err
	}
	if err := r.mayAssume(ask, externalID, mfa || r.who.mfa); err != nil {
		return answer{}, err
	}
	if err := r.inherit(&ask, &source); err != nil {
		return answer{}, err
	}
	session := ask.session()
	session.mfa, session.sourceIdentity = mfa || r.who.mfa, source
	key := r.server.issue(session, ask.lifetime)
	return r.answerQuery(struct {
		Credentials      stsCredentials
		AssumedRoleUser  assumedUser
		PackedPolicySize int
		SourceIdentity   string `xml:",omitempty" json:",omitempty"`
	}{key.stsCredentials(), assumedUser{session.arn, session.userID}, ask.limits.packed, source})
}

// assumedUser is a session as STS returns it.
type assumedUser struct{ Arn, AssumedRoleId string }

// roleRequest is what AssumeRole and AssumeRoleWithWebIdentity are both asked.
type roleRequest struct {
	arn, name string
	role      *role // nil where there is none
	lifetime  time.Duration
	limits    limits
}

// roleRequest reads and checks what does not depend on who asks.
func (r *request) roleRequest() (ask roleRequest, err error) {
	if ask.arn, err = r.text(roleArnParameter); err != nil {
		return ask, err
	}
	parts := strings.SplitN(ask.arn, ":", arnParts)
	if len(parts) != arnParts || parts[0] != "arn" {
		return ask, invalid("ValidationError", "%s is invalid", ask.arn)
	}
	if ask.name, err = r.text(roleSessionParameter); err != nil {
		return ask, err
	}
	if ask.lifetime, err = r.duration(defaultRole, maxRole); err != nil {
		return ask, err
	}
	ask.role = r.server.roleAt(ask.arn)
	owner := &Account{partition: parts[1]}
	if ask.role != nil {
		owner = ask.role.account
	}
	ask.limits, err = r.limits(owner)
	return ask, err
}

func (s *Server) roleAt(arn string) *role {
	for _, account := range s.accounts {
		for _, role := range account.roles {
			if role.arn == arn {
				return role
			}
		}
	}
	return nil
}

// mayAssume checks that whoever asks may assume the role. That there is no such role looks
// like a lack of rights.
func (r *request) mayAssume(ask roleRequest, externalID string, mfa bool) error {
	role := ask.role
	switch {
	case r.who.kind == rootUser:
		return r.refuse(denied, "Roles may not be assumed by root accounts.")
	case r.who.kind == federatedUser, role == nil, role.WebIdentity != nil:
		return r.denied("sts:AssumeRole", ask.arn, "")
	}
	trusted, byName := role.trusts(r.who)
	granted := byName && role.account == r.who.account
	if err := r.evaluate(evaluation{action: "sts:AssumeRole", resource: ask.arn, granted: granted}); err != nil {
		return err
	}
	switch {
	case !trusted, role.ExternalID != "" && externalID != role.ExternalID, role.MFA && !mfa:
		return r.denied("sts:AssumeRole", ask.arn, "")
	case partitionOf(r.region) != role.account.partition:
		return r.denied("sts:AssumeRole", ask.arn, "")
	case r.who.kind == assumedRole && ask.lifetime > maxChained:
		return invalid("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	return role.checkLifetime(ask.lifetime)
}

func (ro *role) checkLifetime(lifetime time.Duration) error {
	if lifetime > ro.MaxSession {
		return invalid("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}

// trusts says whether the role's trust policy names a principal, and whether by an ARN of
// its own: the principal's own policies need not allow it then.
func (ro *role) trusts(who *principal) (trusted, byName bool) { return who.isAmong(ro.Trust) }

// isAmong says whether a list as Role.Trust has them names the principal, and whether by an
// ARN of its own.
func (p *principal) isAmong(entries []string) (named, byName bool) {
	for _, entry := range entries {
		switch entry {
		case p.arn, p.roleARN():
			return true, true
		case "*", p.account.id, p.account.iam("root"):
			named = true
		}
	}
	return named, false
}

// roleARN is the role of a session; the ARN of others is their own.
func (p *principal) roleARN() string {
	if p.role != nil {
		return p.role.arn
	}
	return p.arn
}

// inherit takes over what goes on from session to session: the source identity, and the
// tags that were passed on.
func (r *request) inherit(ask *roleRequest, source *string) error {
	if r.who.sourceIdentity != "" && *source != "" && *source != r.who.sourceIdentity {
		return r.denied("sts:SetSourceIdentity", ask.arn, "")
	}
	if *source != "" && r.who.sourceIdentity == "" {
		if err := r.allow("sts:SetSourceIdentity", ask.arn); err != nil {
			return err
		}
	}
	if r.who.sourceIdentity != "" {
		*source = r.who.sourceIdentity
	}
	if len(ask.limits.tags) > 0 {
		if err := r.allow("sts:TagSession", ask.arn); err != nil {
			return err
		}
	}
	for _, key := range r.who.passedOn {
		if hasFold(ask.limits.tags, key) {
			return invalid("InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		ask.limits.tags[key] = r.who.tags[key]
		ask.limits.passedOn = append(ask.limits.passedOn, key)
	}
	return nil
}

// session is a session of the role with all of the role's rights. It may be given less, and
// tags, before a key is issued for it.
func (ro *role) session(name string) *principal {
	return &principal{
		kind: assumedRole, account: ro.account, role: ro,
		arn:    ro.account.sts("assumed-role/" + ro.name + "/" + name),
		userID: uniqueID("AROA", ro.account.id, "role/"+ro.name) + ":" + name,
	}
}

// session is the session that was asked for.
func (ask roleRequest) session() *principal {
	session := ask.role.session(ask.name)
	session.tags, session.passedOn = maps.Clone(ask.limits.tags), slices.Clone(ask.limits.passedOn)
	if ask.limits.policies != nil {
		session.sessions = []sessionPolicies{ask.limits.policies}
	}
	return session
}

// assumeRoleWithWebIdentity is the operation of that name, which takes no signature.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func assumeRoleWithWebIdentity(r *request) (answer, error) {
	ask, err := r.roleRequest()
	if err != nil {
		return answer{}, err
	}
	token, err := r.text(webTokenParameter)
	if err != nil {
		return answer{}, err
	}
	identity, err := r.server.issuer.verify(token, r.now)
	if err != nil {
		return answer{}, err
	}
	role := ask.role
	if role == nil || role.WebIdentity == nil || !matches(role.WebIdentity.Subject, identity.Subject) {
		return answer{}, &apiError{status: http.StatusForbidden, code: "AccessDenied", message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	}
	if identity.Audience != role.WebIdentity.audience() {
		return answer{}, invalid("InvalidIdentityToken", "Incorrect token audience")
	}
	if err := role.checkLifetime(ask.lifetime); err != nil {
		return answer{}, err
	}
	session := ask.session()
	key := r.server.issue(session, ask.lifetime)
	return r.answerQuery(struct {
		Credentials                           stsCredentials
		AssumedRoleUser                       assumedUser
		SubjectFromWebIdentityToken, Audience string
		Provider                              string
		PackedPolicySize                      int
	}{key.stsCredentials(), assumedUser{session.arn, session.userID}, identity.Subject, identity.Audience, identity.Issuer, ask.limits.packed})
}
