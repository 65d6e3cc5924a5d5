package gcp

import (
	"cmp"
	"context"
	"maps"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// session is an opened connector. Tokens that it got for a purpose serve for that purpose
// until it ends.
type session struct {
	*clients
	settings connector.Settings
	source   source

	mu   sync.Mutex
	kept map[purpose]*minting
}

var _ connector.Renewing = (*session)(nil)

// minting is one question to the source, which all who ask the same share.
type minting struct {
	done    chan struct{}
	token   token
	err     error
	givenUp bool // by who asked, before there was an answer
}

func open(host connector.Host, settings connector.Settings) (connector.Session, error) {
	c, err := newClients(host, settings.Values)
	if err != nil {
		return nil, err
	}
	return openWith(c, settings)
}

// openWith is open with clients that a test may have changed.
func openWith(c *clients, settings connector.Settings) (*session, error) {
	source, err := login(c, settings)
	if err != nil {
		return nil, err
	}
	c.identity = source.identity()
	return &session{clients: c, settings: settings, source: source, kept: map[purpose]*minting{}}, nil
}

// tokenFor gets a token for a purpose, once a session. An error is not kept; that somebody
// gave up waiting is no reason for others to do so.
func (s *session) tokenFor(ctx context.Context, want purpose) (token, error) {
	want.scope, want.lifetime = cmp.Or(want.scope, scopeCloud), cmp.Or(want.lifetime, s.settings.Expiration)
	want = s.source.relevant(want)
	for {
		m, mine := s.minting(want)
		if mine {
			s.mint(ctx, want, m)
			return m.token, m.err
		}
		select {
		case <-m.done:
			if !m.givenUp {
				return m.token, m.err
			}
		case <-ctx.Done():
			return token{}, s.silent(ctx, "Google", ctx.Err())
		}
	}
}

// minting is the question to the source that serves for a purpose; mine says that it is
// new, and the caller's to ask.
func (s *session) minting(want purpose) (m *minting, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m = s.kept[want]; m != nil && (!m.isDone() || s.unexpired(m.token) == nil) {
		return m, false
	}
	m = &minting{done: make(chan struct{})}
	s.kept[want] = m
	return m, true
}

func (m *minting) isDone() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

func (s *session) mint(ctx context.Context, want purpose, m *minting) {
	defer close(m.done)
	m.token, m.err = s.source.token(ctx, want)
	if m.err == nil {
		m.err = s.unexpired(m.token)
	}
	if m.err == nil {
		return
	}
	m.givenUp = ctx.Err() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, want)
}

// unexpired refuses a token that is over.
func (s *session) unexpired(t token) error {
	if t.expires.IsZero() || t.expires.After(s.host.Now()) {
		return nil
	}
	return fault.New(fault.Denied, "the token has expired: it was good until %s", t.expires.UTC().Format(time.RFC3339)).
		Hint("give the connector a new one with `svcconn update`; auth methods that mint tokens get new ones by themselves")
}

// project is the project of the connector: as its fields say, else as what it logs in with
// does.
func (c *clients) project() string {
	return cmp.Or(projectField.Get(c.values), c.identity.project)
}

// Verify gets a token and asks whose it is.
func (s *session) Verify(ctx context.Context) (connector.Identity, error) {
	t, err := s.tokenFor(ctx, purpose{})
	if err != nil {
		return connector.Identity{}, err
	}
	who, err := s.whoAmI(ctx, t)
	if err != nil {
		return connector.Identity{}, err
	}
	return connector.Identity{Name: who, Detail: s.projectDetail(), Learned: s.learned(who)}, nil
}

// projectDetail is what is said of the project, where it is known.
func (s *session) projectDetail() string {
	if s.project() == "" {
		return ""
	}
	return "project " + s.project()
}

// learned is what fields left out that has been found out; who is whose the tokens are.
func (s *session) learned(who string) map[string]string {
	out := map[string]string{}
	if from, ok := s.source.(learning); ok {
		maps.Copy(out, from.learned(who))
	}
	if projectField.Get(s.values) == "" && s.project() != "" {
		out[projectField.Name] = s.project()
	}
	return out
}

// List yields the resources of a type, as the pages arrive.
func (s *session) List(ctx context.Context, resourceType string, yield func(connector.Resource) error) error {
	k, err := kindOf(resourceType)
	if err != nil {
		return err
	}
	return k.list(ctx, s, func(name string) error {
		return yield(connector.Resource{Type: resourceType, Name: name})
	})
}

// Mint gets a credential for one resource.
func (s *session) Mint(ctx context.Context, request connector.Request) (connector.Credential, error) {
	k, err := kindOf(request.ResourceType)
	if err != nil {
		return nil, err
	}
	_, name, err := s.settings.Target(request.ResourceType, request.ResourceName)
	if err != nil {
		return nil, err
	}
	request.ResourceName = name
	if request.KeyFile {
		return s.keyFile(request)
	}
	return k.mint(ctx, s, request)
}

// Renewed implements connector.Renewing.
func (s *session) Renewed() map[string]secret.Text {
	if r, ok := s.source.(renewing); ok {
		return r.renewed()
	}
	return nil
}
