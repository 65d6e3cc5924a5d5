package aws

import (
	"context"
	"sync"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// session is an opened connector. Keys that it got for a purpose serve for that purpose
// until it ends.
type session struct {
	*clients
	settings  connector.Settings
	partition partition // of the connector's regions
	source    source

	mu   sync.Mutex
	kept map[purpose]*minting
}

var _ connector.Renewing = (*session)(nil)

// minting is one question to the source, which all who ask the same share.
type minting struct {
	done chan struct{}
	keys keys
	err  error
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
	own, err := partitionIn(settings.Values)
	if err != nil {
		return nil, err
	}
	source, err := login(c, settings)
	if err != nil {
		return nil, err
	}
	return &session{clients: c, settings: settings, partition: own, source: source, kept: map[purpose]*minting{}}, nil
}

// keysFor gets keys for a purpose, once a session. An error is not kept.
func (s *session) keysFor(ctx context.Context, want purpose) (keys, error) {
	want = s.source.relevant(want)
	s.mu.Lock()
	m := s.kept[want]
	mine := m == nil
	if mine {
		m = &minting{done: make(chan struct{})}
		s.kept[want] = m
	}
	s.mu.Unlock()
	if !mine {
		select {
		case <-m.done:
			return m.keys, m.err
		case <-ctx.Done():
			return keys{}, s.failed(ctx, "AWS", ctx.Err())
		}
	}
	m.keys, m.err = s.source.keys(ctx, want)
	if m.err == nil {
		m.err = s.unexpired(m.keys)
	}
	if m.err != nil {
		s.mu.Lock()
		delete(s.kept, want)
		s.mu.Unlock()
	}
	close(m.done)
	return m.keys, m.err
}

// unexpired refuses keys that are over.
func (s *session) unexpired(k keys) error {
	if k.expires.IsZero() || k.expires.After(s.host.Now()) {
		return nil
	}
	return fault.New(fault.Denied, "the keys of the connector have expired: they were good until %s", k.expires.UTC().Format(time.RFC3339)).
		Hint("give it new ones with `svcconn update`; auth methods that mint keys get new ones by themselves")
}

// caller is who STS says that we are.
type caller struct{ arn, account, userID string }

// whoAmI asks STS who the bearer of keys is.
func (c *clients) whoAmI(ctx context.Context, k keys) (caller, error) {
	out, err := c.sts(k).GetCallerIdentity(ctx, &awssts.GetCallerIdentityInput{})
	if err != nil {
		return caller{}, c.failed(ctx, "STS", err)
	}
	return caller{arn: value(out.Arn), account: value(out.Account), userID: value(out.UserId)}, nil
}

// value is what a pointer of the SDK points at.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// account is the account of the connector: as its fields say, else as STS does.
func (s *session) account(ctx context.Context) (string, error) {
	if own := accountField.Get(s.values); own != "" {
		return own, nil
	}
	k, err := s.keysFor(ctx, purpose{own: true})
	if err != nil || k.account != "" {
		return k.account, err
	}
	who, err := s.whoAmI(ctx, k)
	return who.account, err
}

// Verify asks STS who we are, and refuses to be of another account than the connector's.
func (s *session) Verify(ctx context.Context) (connector.Identity, error) {
	k, err := s.keysFor(ctx, purpose{own: true})
	if err != nil {
		return connector.Identity{}, err
	}
	who, err := s.whoAmI(ctx, k)
	if err != nil {
		return connector.Identity{}, err
	}
	if err := s.ofAccount(who.account); err != nil {
		return connector.Identity{}, err
	}
	return connector.Identity{
		Name: who.arn, Detail: "account " + who.account,
		Learned: map[string]string{accountField.Name: who.account},
	}, nil
}

// ofAccount refuses a login that a service says is of another account than the
// connector's.
func (c *clients) ofAccount(account string) error {
	own := accountField.Get(c.values)
	if own == "" || own == account {
		return nil
	}
	return fault.New(fault.Denied, "the login is for account %s, and the connector for account %s", account, own).
		Hint("if the account shall change: --set account_id=%s", account)
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
	return k.mint(ctx, s, request)
}

// Renewed implements connector.Renewing.
func (s *session) Renewed() map[string]secret.Text {
	if r, ok := s.source.(renewing); ok {
		return r.renewed()
	}
	return nil
}
