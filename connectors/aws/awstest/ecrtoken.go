package awstest

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// registryToken is an authorization token: the password of a login to registries. It has
// the rights of whoever got it, session policies and all, for as long as itself lasts:
// ECR's outlive the keys that got them.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
type registryToken struct {
	kind     tokenKind
	who      *principal
	key      *accessKey
	region   string
	password string
	expires  time.Time
}

// tokenKind is which registries a token is for.
type tokenKind string

const (
	ecrTokens       tokenKind = "ecr"
	ecrPublicTokens tokenKind = "ecr-public"
)

// The one user name of registries, and how long a token lasts.
const (
	registryUser  = "AWS"
	tokenLifetime = 12 * time.Hour
)

// issueRegistryToken makes a token for whoever asks.
func (r *request) issueRegistryToken(kind tokenKind) *registryToken {
	expires := r.now.Add(tokenLifetime).Truncate(time.Millisecond)
	raw, _ := json.Marshal(map[string]any{ // texts and a number
		"payload": randomSecret(600), "datakey": randomSecret(180), "version": "2", "type": "DATA_KEY", "expiration": expires.Unix(),
	})
	token := &registryToken{kind: kind, who: r.who, key: r.key, region: r.region, password: base64.StdEncoding.EncodeToString(raw), expires: expires}
	r.server.others.tokens[token.password] = token
	return token
}

// encoded is the token as the API has it.
func (t *registryToken) encoded() string {
	return base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + t.password))
}

// Login is a login to registries that ECR gave out.
type Login struct {
	Account   string // of whoever got it
	Principal string // their ARN
	Region    string // whose registries it is for
	Public    bool   // for public.ecr.aws, and not for the account's own registries
	Expires   time.Time

	server *Server
	token  *registryToken
}

// Login finds the login with that user and password, among those that have not expired.
func (s *Server) Login(user, password string) (Login, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.others.tokens[password]
	if t == nil {
		return Login{}, false
	}
	if _, refused := s.registryLogin(user, password, t.kind); refused != nil {
		return Login{}, false
	}
	return Login{
		Account: t.who.account.id, Principal: t.who.arn, Region: t.region, Public: t.kind == ecrPublicTokens,
		Expires: t.expires, server: s, token: t,
	}, true
}

// Allowed says whether whoever got the login may do an action (ecr:BatchGetImage) on a
// repository of an account in the login's region. Logins to public.ecr.aws are allowed
// nothing there.
func (l Login) Allowed(action, account, repository string) bool {
	if l.Public {
		return false
	}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	r := l.server.requestOf(l.token)
	return r.allowOn(r.registryOf(account), repository, action) == nil
}

// requestOf is a request of whoever got a token, for the policies to judge.
func (s *Server) requestOf(t *registryToken) *request {
	return &request{server: s, service: s.service[string(t.kind)], region: t.region, who: t.who, key: t.key, now: s.now(), conditions: map[string]string{}}
}
