package awstest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// principal is somebody who may sign requests.
type principal struct {
	kind    principalKind
	account *Account
	arn     string // as GetCallerIdentity says
	userID  string
	user    *user // of users and their sessions; else nil
	role    *role // of roles' sessions; else nil
	// sessions are what further narrows that down, each of which must allow: nil is
	// nothing. An element is all the policies of one session, together.
	sessions []sessionPolicies
	tags     map[string]string // session tags
	// passedOn are the session tags that go on to further sessions.
	passedOn       []string
	sourceIdentity string
	mfa            bool // the session was opened with MFA
}

// sessionPolicies are the policies of one session. The session may do what one of them
// allows and none denies.
type sessionPolicies []*policy

type principalKind int

const (
	rootUser principalKind = iota
	iamUser
	assumedRole
	federatedUser
)

// accessKey is an access key of a principal.
type accessKey struct {
	id, secret, token string // the token is "" for long-lived keys
	who               *principal
	expires           time.Time // zero is never
	revoked           bool
}

// temporary says whether the key was made by STS.
func (k *accessKey) temporary() bool { return k.token != "" }

// Keys are an access key, as whoever was given it has it.
type Keys struct {
	AccessKeyID, SecretAccessKey string
	SessionToken                 string    // "" for long-lived keys
	Expires                      time.Time // zero is never
	ARN                          string    // of the principal
}

// issue makes a key for a principal. The key is long-lived where lifetime is 0. The caller
// holds the lock.
func (s *Server) issue(who *principal, lifetime time.Duration) *accessKey {
	key := &accessKey{id: "AKIA" + rand.Text()[:16], secret: randomSecret(30), who: who}
	if lifetime > 0 {
		key.id = "ASIA" + key.id[4:]
		key.token = "IQoJb3JpZ2luX2Vj" + randomSecret(300)
		key.expires = s.now().Add(lifetime).Truncate(time.Second)
	}
	s.keys[key.id] = key
	return key
}

func (k *accessKey) public() Keys {
	return Keys{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token, Expires: k.expires, ARN: k.who.arn}
}

// randomSecret is base64 of so many random bytes: with the characters that need care in
// URLs, as AWS's.
func randomSecret(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// uniqueID is AWS's unique id of something of that prefix (AIDA a user, AROA a role) and
// name: the same at every call.
func uniqueID(prefix, account, name string) string {
	sum := sha256.Sum256([]byte(account + "/" + name))
	return prefix + strings.ToUpper(hex.EncodeToString(sum[:]))[:17]
}

// Revoke makes an access key unknown from now on. An id that does not exist is ignored.
func (s *Server) Revoke(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := s.keys[accessKeyID]; key != nil {
		key.revoked = true
	}
}

// allow says whether the policies of whoever asks allow an action on a resource; what it
// returns says so as AWS does. It knows no policies of resources: what is in another
// account needs a check of its own besides.
func (r *request) allow(action, resource string) error {
	return r.evaluate(evaluation{action: action, resource: resource})
}

// evaluate is allow for an evaluation that may be granted by the resource's policy already.
func (r *request) evaluate(e evaluation) error {
	if r.who == nil {
		return r.refuse(missingToken, "")
	}
	for _, p := range r.who.identity() {
		if p.err != nil {
			return fmt.Errorf("a policy of %s: %w", r.who.arn, p.err)
		}
	}
	e.values = r.values()
	if why := r.who.decide(e); why != "" {
		return r.denied(e.action, e.resource, why)
	}
	return nil
}

// denied is the refusal of an action for a reason, such as "because no identity-based
// policy allows the s3:GetObject action"; "" is no reason given.
func (r *request) denied(action, resource, why string) error {
	quote := ""
	if r.service.name == "s3" {
		quote = `"`
	}
	text := "User: " + r.who.arn + " is not authorized to perform: " + action + " on resource: " + quote + resource + quote
	if why != "" {
		text += " " + why
	}
	return r.refuse(denied, text)
}

// identity is the principal's own policies, as they are now.
func (p *principal) identity() []*policy {
	switch {
	case p.user != nil:
		return p.user.policies
	case p.role != nil:
		return p.role.policies
	}
	return orAll(nil) // the root user
}

// decide evaluates the principal's policies: "" allows, else it is the reason why not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p *principal) decide(e evaluation) string {
	const deny = "with an explicit deny in "
	identity := verdict(p.identity(), e)
	if identity == explicitDeny {
		return deny + "an identity-based policy"
	}
	if slices.ContainsFunc(p.sessions, func(s sessionPolicies) bool { return verdict(s, e) == explicitDeny }) {
		return deny + "a session policy"
	}
	if identity != allowed && !e.granted {
		return "because no identity-based policy allows the " + e.action + " action"
	}
	if slices.ContainsFunc(p.sessions, func(s sessionPolicies) bool { return verdict(s, e) != allowed }) {
		return "because no session policy allows the " + e.action + " action"
	}
	return ""
}

// values are what Condition blocks compare with.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r *request) values() map[string]string {
	values := map[string]string{
		"aws:requestedregion":  r.region,
		"aws:principalarn":     r.who.roleARN(),
		"aws:principalaccount": r.who.account.id,
	}
	for name, value := range r.who.tags {
		values["aws:principaltag/"+strings.ToLower(name)] = value
	}
	for name, value := range r.conditions {
		values[strings.ToLower(name)] = value
	}
	return values
}
