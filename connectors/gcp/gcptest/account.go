package gcptest

import (
	"crypto/rsa"
	"slices"
	"time"
)

// ServiceAccount is a service account. It is safe for concurrent use.
type ServiceAccount struct {
	project      *Project
	email        string
	keys         map[string]*rsa.PublicKey // by id
	disabled     bool
	impersonator grants
	longest      time.Duration
}

// ServiceAccount is the service account of a name in the project, made at first use. Its
// permissions are those given, in place of those that it had; none leave an account as it
// is, and give a new one all rights in its project.
func (p *Project) ServiceAccount(name string, permissions ...string) *ServiceAccount {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	a := p.accounts[name]
	if a == nil {
		a = &ServiceAccount{project: p, email: name + "@" + mailDomain(p.id), keys: map[string]*rsa.PublicKey{}, impersonator: grants{}, longest: time.Hour}
		p.accounts[name] = a
		p.grants[a.member()] = []string{"*"}
	}
	if len(permissions) > 0 {
		p.grants[a.member()] = slices.Clone(permissions)
	}
	return a
}

func (a *ServiceAccount) member() string { return "serviceAccount:" + a.email }

func (a *ServiceAccount) principal() *principal {
	return &principal{member: a.member(), name: a.email, email: a.email, account: a}
}

// accountOf is the service account of an e-mail address; nil is none. The caller holds the
// lock.
func (s *Server) accountOf(email string) *ServiceAccount {
	for _, p := range s.projects {
		for _, a := range p.accounts {
			if a.email == email || a.uniqueID() == email {
				return a
			}
		}
	}
	return nil
}

// uniqueID is the account's number.
func (a *ServiceAccount) uniqueID() string { return digits(a.email) }

// Email is the address of the account: NAME@PROJECT.iam.gserviceaccount.com.
func (a *ServiceAccount) Email() string { return a.email }

// Disable makes the account one that is disabled: its keys and its tokens are refused.
func (a *ServiceAccount) Disable() {
	a.project.server.mu.Lock()
	defer a.project.server.mu.Unlock()
	a.disabled = true
}

// RevokeKeys deletes all keys that the account has. Tokens that it got by them stay good,
// as at Google.
func (a *ServiceAccount) RevokeKeys() {
	a.project.server.mu.Lock()
	defer a.project.server.mu.Unlock()
	clear(a.keys)
}

// LetImpersonate lets members, as Grant has them, get tokens of the account, directly or as
// a delegate.
func (a *ServiceAccount) LetImpersonate(members ...string) {
	a.project.server.mu.Lock()
	defer a.project.server.mu.Unlock()
	for _, member := range members {
		a.impersonator[member] = []string{permissionGetToken}
	}
}

// MaxLifetime is the longest that a token of the account got by impersonation may last. It
// is an hour at first, and 12 hours where the organisation's policy
// constraints/iam.allowServiceAccountCredentialLifetimeExtension has the account.
func (a *ServiceAccount) MaxLifetime(d time.Duration) {
	a.project.server.mu.Lock()
	defer a.project.server.mu.Unlock()
	a.longest = d
}
