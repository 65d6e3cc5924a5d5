package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/settings"
)

// Request asks for a credential. Connector is a name, id or prefix; "" where the
// resource tells it.
type Request struct {
	Connector    string
	ResourceType string
	ResourceName string
	Access       connector.Access
	Lifetime     time.Duration
	KeyFile      bool // the long-lived secret itself: see connector.Request
	// Left, if not zero, is how much life the credential shall have left, where the
	// lifetime of such credentials allows it: what is kept with less is minted anew.
	Left time.Duration
	// Rejected, if not zero, is the Serial of a Grant that the service has evidently
	// rejected: only what was minted after it will do.
	Rejected uint64
}

// Grant is a credential and what it is for.
type Grant struct {
	Credential   connector.Credential
	Connector    registry.Connector
	ResourceType string
	ResourceName string
	Serial       uint64    // of the credential; what is minted later has a greater one
	Until        time.Time // when the credential stops being handed out; zero where it does not expire
}

// Credential gets a credential for a resource, kept or new, and records it.
func (b *Broker) Credential(ctx context.Context, request Request) (Grant, error) {
	located, err := b.resolve(ctx, request)
	if err != nil {
		b.refused(ctx, nil, err)
		return Grant{}, err
	}
	return b.CredentialFor(ctx, located, request)
}

// CredentialFor gets a credential for what Locate found; of the request, access,
// lifetime, the life that shall be left and what was rejected count.
func (b *Broker) CredentialFor(ctx context.Context, located *Located, request Request) (Grant, error) {
	answer, err := b.grant(ctx, located, request)
	if err != nil {
		err = fault.Within(err, "connector %s", located.Connector.Name)
		b.refused(ctx, located, err)
		return Grant{}, err
	}
	record := located.record(audit.HandedOut)
	record.Expires = expiresOf(answer.Credential)
	if err := b.audit.Append(b.called(ctx, record)); err != nil {
		return Grant{}, err
	}
	return Grant{answer.Credential, located.Connector, located.ResourceType, located.ResourceName, answer.Serial, answer.Until}, nil
}

// resolve turns what a person or script named into a connector and a resource.
func (b *Broker) resolve(ctx context.Context, request Request) (*Located, error) {
	if request.Connector == "" {
		return b.resolveByResource(ctx, request)
	}
	ix, err := b.current(ctx)
	if err != nil {
		return nil, err
	}
	e, err := ix.lookup(request.Connector)
	if err != nil {
		return nil, err
	}
	r, name, err := e.settings.Target(request.ResourceType, request.ResourceName)
	if err != nil {
		return nil, fault.Within(err, "connector %s", e.connector.Name)
	}
	return e.located(r.Name, name, "it was named"), nil
}

func (b *Broker) resolveByResource(ctx context.Context, request Request) (*Located, error) {
	if request.ResourceType == "" || request.ResourceName == "" {
		return nil, fault.New(fault.Invalid, "neither a connector nor a resource is named").
			Hint("add --connector NAME, or --resource-type and --resource-name")
	}
	if err := b.types.FindResource(request.ResourceType); err != nil {
		return nil, err
	}
	located, err := b.Locate(ctx, request.ResourceType, request.ResourceName)
	if err == nil && located == nil {
		err = fault.New(fault.NotFound, "no connector is known to reach the %s %q", request.ResourceType, request.ResourceName).
			Hint("`svcconn list-resources --resource-type %s` asks all connectors what they reach: name one with --connector; `svcconn register` adds one", request.ResourceType)
	}
	return located, err
}

func (b *Broker) grant(ctx context.Context, located *Located, request Request) (cache.Answer, error) {
	e := located.entry
	if err := b.expired(e.connector); err != nil {
		return cache.Answer{}, err
	}
	current, err := b.settings.Current()
	if err == nil {
		err = b.allowed(e.settings, current)
	}
	if err != nil {
		return cache.Answer{}, err
	}
	env, err := b.environment(ctx, e.connector)
	if err != nil {
		return cache.Answer{}, err
	}
	return b.cache.Get(ctx, b.ask(e, located, request, env, current))
}

func (b *Broker) ask(e *entry, located *Located, request Request, env map[string]secret.Text, current settings.Settings) cache.Ask {
	want := connector.Request{ResourceType: located.ResourceType, ResourceName: located.ResourceName, Access: request.Access, Lifetime: request.Lifetime, KeyFile: request.KeyFile}
	if want.Lifetime == 0 {
		want.Lifetime = e.connector.Expiration
	}
	if want.Access == "" {
		want.Access = connector.ReadWrite
	}
	return cache.Ask{
		Key: b.keyOf(e, want, env),
		Meta: cache.Meta{ConnectorID: e.connector.ID, Connector: e.connector.Name, Revision: e.digest,
			ResourceType: located.ResourceType, ResourceName: located.ResourceName},
		Keep:        current.Agent.Keep,
		MintTimeout: current.Secrets.Timeout + current.Network.Timeout,
		Left:        request.Left,
		Past:        request.Rejected,
		Refresh:     len(env) == 0, // later nobody is there to ask for the variables
		Mint: func(ctx context.Context, stage cache.Stage) (connector.Credential, error) {
			return b.mint(ctx, e, want, env, stage)
		},
	}
}

// keyOf digests everything that a credential depends on, so that nobody is ever
// served what belongs to other settings, another resource or another identity.
func (b *Broker) keyOf(e *entry, want connector.Request, env map[string]secret.Text) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %d %t", e.connector.ID, e.digest, want.ResourceType, want.ResourceName, want.Access, want.Lifetime, want.KeyFile)
	for _, field := range slices.Sorted(maps.Keys(env)) {
		sum := sha256.Sum256([]byte(env[field].Reveal()))
		fmt.Fprintf(h, " %q %x", field, sum)
	}
	if reads := e.settings.Method.Reads; reads != nil {
		for _, path := range reads(b.host, e.settings.Values) {
			fmt.Fprintf(h, " %q %s", path, stateOf(path))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// stateOf is what changes when a file does.
func stateOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "away"
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

// mint gets a new credential from the connector's service.
func (b *Broker) mint(ctx context.Context, e *entry, want connector.Request, env map[string]secret.Text, stage cache.Stage) (connector.Credential, error) {
	if err := b.unchanged(ctx, e); err != nil {
		return nil, err
	}
	stage("reading the connector's secrets")
	var credential connector.Credential
	err := b.use(ctx, e, env, func(session connector.Session) (err error) {
		stage("waiting for " + want.ResourceName)
		credential, err = session.Mint(ctx, want)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, ok := credential.(connector.KeyFile); want.KeyFile && !ok {
		return nil, fault.New(fault.Invalid, "connector type %s has no key files to hand out", e.connector.Type).Hint("ask for another format than a key file")
	}
	credential = connector.Bounded(credential, e.connector.ExpiresAt)
	if expires := credential.Expiry(); !expires.IsZero() && !expires.After(b.host.Now()) {
		return nil, fault.New(fault.Failed, "the service handed out a credential that expired at %s", expires.UTC().Format(time.RFC3339)).
			Hint("compare this machine's clock with the service's")
	}
	record := audit.Record{Outcome: audit.Minted, Connector: e.connector.Name, ConnectorID: e.connector.ID,
		ResourceType: want.ResourceType, ResourceName: want.ResourceName, Expires: expiresOf(credential)}
	return credential, b.audit.Append(b.called(ctx, record))
}

// unchanged sees to it that a refresh ahead does not outlive a change or deletion.
func (b *Broker) unchanged(ctx context.Context, e *entry) error {
	ix, err := b.current(ctx)
	if err != nil {
		return err
	}
	if now := ix.entries[e.connector.Name]; now == nil || now.digest != e.digest {
		return fault.New(fault.Failed, "the connector was changed or deleted meanwhile").Hint("try again")
	}
	return nil
}

// defaultSkew is how long before their expiry stored secrets count as expired,
// where the connector does not say.
const defaultSkew = 5 * time.Minute

// ExpiredAt is when the stored secrets of a connector count as expired; zero is
// never.
func ExpiredAt(c registry.Connector) time.Time {
	if c.ExpiresAt.IsZero() {
		return time.Time{}
	}
	skew := defaultSkew
	if c.SkewTolerance != nil {
		skew = *c.SkewTolerance
	}
	return c.ExpiresAt.Add(-skew)
}

func (b *Broker) expired(c registry.Connector) error {
	at := ExpiredAt(c)
	if at.IsZero() || b.host.Now().Before(at) {
		return nil
	}
	return fault.New(fault.Denied, "its stored secrets expired at %s", c.ExpiresAt.UTC().Format(time.RFC3339)).
		Hint("store new ones: svcconn update %s --set FIELD=… --expires-at TIME", c.Name)
}

func expiresOf(c connector.Credential) *time.Time {
	if at := c.Expiry(); !at.IsZero() {
		at = at.UTC()
		return &at
	}
	return nil
}
