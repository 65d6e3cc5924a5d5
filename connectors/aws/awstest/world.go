package awstest

import (
	"slices"
	"time"
)

// Account is an account of AWS. It is safe for concurrent use.
type Account struct {
	server    *Server
	id        string
	partition string
	users     map[string]*user
	roles     map[string]*role
	managed   map[string]*policy // by ARN
	disabled  map[string]bool    // regions that the account has not enabled
}

// user is an IAM user.
type user struct {
	name     string
	policies []*policy
	devices  []*mfaDevice
}

// Role says what a role is. The zero value is one that anybody may assume with or without
// MFA, for up to an hour, and that has all rights.
type Role struct {
	// Trust is who may assume the role: ARNs of users, roles, sessions or accounts
	// (arn:aws:iam::ACCOUNT:root, or the account's number), or "*" for anybody of any
	// account. Nil is "*". Who is not trusted by an ARN of their own needs a policy that
	// allows sts:AssumeRole besides, as at AWS.
	Trust []string
	// Policies are the role's IAM policies, JSON. None are all rights.
	Policies []string
	// MaxSession is the longest session; 0 is an hour, as at AWS.
	MaxSession time.Duration
	// ExternalID must be given where it is not "".
	ExternalID string
	// MFA says that who assumes the role must have proved a second factor.
	MFA bool
	// WebIdentity makes the role one for tokens of the fake's own issuer; nil is for none.
	WebIdentity *WebIdentityTrust
}

// WebIdentityTrust is whose tokens a role trusts.
type WebIdentityTrust struct {
	Subject  string // "" is any
	Audience string // "" is sts.amazonaws.com
}

// role is a role, as it is now. Its session method makes sessions.
type role struct {
	Role
	name, arn string
	account   *Account
	policies  []*policy
}

// AllowAll is an IAM policy that allows everything.
const AllowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// defaultPartition is AWS itself, without China, GovCloud and the rest.
const defaultPartition = "aws"

// Account is the account with that number, of twelve digits. It is made at first use, in
// partition aws.
func (s *Server) Account(id string) *Account { return s.AccountIn(defaultPartition, id) }

// AccountIn is Account for an account of another partition (aws-cn, aws-us-gov …). The
// partition of an account that there is already does not change.
func (s *Server) AccountIn(partition, id string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts[id] == nil {
		s.accounts[id] = s.newAccount(partition, id)
	}
	return s.accounts[id]
}

// account is Account for a caller that holds the lock.
func (s *Server) account(id string) *Account {
	if s.accounts[id] == nil {
		s.accounts[id] = s.newAccount(defaultPartition, id)
	}
	return s.accounts[id]
}

func (s *Server) newAccount(partition, id string) *Account {
	return &Account{
		server: s, id: id, partition: partition,
		users: map[string]*user{}, roles: map[string]*role{}, managed: map[string]*policy{}, disabled: map[string]bool{},
	}
}

// ID is the number of the account.
func (a *Account) ID() string { return a.id }

// iam is the ARN of something of IAM.
func (a *Account) iam(rest string) string { return "arn:" + a.partition + ":iam::" + a.id + ":" + rest }

// sts is the ARN of a session.
func (a *Account) sts(rest string) string { return "arn:" + a.partition + ":sts::" + a.id + ":" + rest }

// User makes an IAM user and a long-lived access key for it. A user that there is already
// gets a further key, and the policies in place of those that it had. Policies are IAM
// policies, JSON; none are all rights. A policy that is none makes every call with the key
// fail and say so.
func (a *Account) User(name string, policies ...string) Keys {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	u := a.user(name)
	u.policies = orAll(policies)
	who := &principal{kind: iamUser, account: a, arn: a.iam("user/" + name), userID: uniqueID("AIDA", a.id, "user/"+name), user: u}
	return a.server.issue(who, 0).public()
}

// user is the user of a name, made at first use.
func (a *Account) user(name string) *user {
	if a.users[name] == nil {
		a.users[name] = &user{name: name}
	}
	return a.users[name]
}

// Root makes a long-lived access key of the account's root user, who may do everything but
// assume roles.
func (a *Account) Root() Keys {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	who := &principal{kind: rootUser, account: a, arn: a.iam("root"), userID: a.id}
	return a.server.issue(who, 0).public()
}

// Role makes a role, or changes it, and returns its ARN. A policy that is none makes every
// call with a session of the role fail and say so.
func (a *Account) Role(name string, r Role) (arn string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	r.Trust, r.Policies = slices.Clone(r.Trust), slices.Clone(r.Policies)
	if r.Trust == nil {
		r.Trust = []string{"*"}
	}
	if r.MaxSession == 0 {
		r.MaxSession = time.Hour
	}
	if a.roles[name] == nil {
		a.roles[name] = &role{name: name, arn: a.iam("role/" + name), account: a}
	}
	a.roles[name].Role, a.roles[name].policies = r, orAll(r.Policies)
	return a.roles[name].arn
}

// ManagedPolicy makes a managed policy, or changes it, and returns its ARN.
func (a *Account) ManagedPolicy(name, document string) (arn string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	arn = a.iam("policy/" + name)
	a.managed[arn] = parsePolicy(document)
	return arn
}

// DisableRegion makes a region one that the account has not enabled, as those that AWS
// opened after March 2019 are at first.
func (a *Account) DisableRegion(region string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.disabled[region] = true
}

// orAll parses policies; none are all rights.
func orAll(documents []string) []*policy {
	if len(documents) == 0 {
		documents = []string{AllowAll}
	}
	var out []*policy
	for _, document := range documents {
		out = append(out, parsePolicy(document))
	}
	return out
}
