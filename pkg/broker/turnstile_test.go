package broker

import (
	"context"
	"errors"
	"sync"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/secret"
)

// turnstile is a service whose tokens are good for one use: each brings the next, and
// one that is used again locks everybody out until a person logs in.
type turnstile struct {
	mu     sync.Mutex
	now    string // the token that is good; "" until somebody logs in
	uses   int
	logins int
	down   error // after the token was taken
}

var ticket = field.Secret{Name: "ticket", Title: "Ticket", Help: "Filled by a login."}

// rotating is the connector type of a turnstile.
func (s *turnstile) typ(resource connector.ResourceType) *connector.Type {
	return &connector.Type{
		Name: "rotating", Title: "Rotating", Doc: "A turnstile.", Resources: []connector.ResourceType{resource},
		Methods: []connector.AuthMethod{{Name: "ticket", Title: "Ticket", Doc: "A ticket.", Fields: field.Set{domain, only, ticket}, Renews: func(field.Values) bool { return true }}},
		Open: func(host connector.Host, settings connector.Settings) (connector.Session, error) {
			given := ticket.Get(settings.Values)
			return &turnstileSession{turnstile: s, person: host.Person, given: given, ticket: given, name: only.Get(settings.Values)}, nil
		},
	}
}

type turnstileSession struct {
	*turnstile
	person        connector.Person
	given, ticket secret.Text
	name          string
}

// pass uses the ticket, or has the person log in.
func (s *turnstileSession) pass() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == "" || s.ticket.Reveal() != s.now {
		if !s.ticket.IsEmpty() {
			s.now = "" // used again
		}
		if s.person == nil {
			return fault.New(fault.NeedsPerson, "login required")
		}
		if err := s.person.OpenBrowser("https://login.example.com"); err != nil {
			return err
		}
		s.logins++
	}
	s.uses++
	s.now = canary + "-" + string(rune('a'+s.uses%26)) + string(rune('a'+s.uses/26))
	s.ticket = secret.New(s.now)
	return s.down
}

func (s *turnstileSession) Verify(context.Context) (connector.Identity, error) {
	return connector.Identity{Name: "jane"}, s.pass()
}

func (s *turnstileSession) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	return yield(connector.Resource{Type: resourceType, Name: s.name})
}

func (s *turnstileSession) Mint(_ context.Context, r connector.Request) (connector.Credential, error) {
	return connector.RegistryLogin{Registry: r.ResourceName, Username: "jane", Secret: secret.New("minted-" + canary)}, s.pass()
}

func (s *turnstileSession) Renewed() map[string]secret.Text {
	if s.ticket.Equal(s.given) {
		return nil
	}
	return map[string]secret.Text{ticket.Name: s.ticket}
}

// visitor is a person who logs in at once, or as told.
type visitor struct {
	mu       sync.Mutex
	browsers int
	told     []string
	open     func() error // nil logs in at once
	tell     func()       // what being told something makes him do; nil is nothing
}

func (v *visitor) OpenBrowser(string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.browsers++
	if v.open != nil {
		return v.open()
	}
	return nil
}

func (v *visitor) Tell(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told = append(v.told, text)
	if v.tell != nil {
		v.tell()
	}
}

func (*visitor) Ask(context.Context, string) (secret.Text, error) {
	return secret.Text{}, errors.New("nothing to say")
}
