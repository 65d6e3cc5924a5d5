// Package broker is the engine: it locates the connector that serves an address,
// authorizes, mints, keeps, refreshes and audits; and it is where connectors are
// registered, changed and deleted together with their secrets.
//
// It refuses to know any native tool, transport or connector type: rendering a
// credential for docker or kubectl is its host's business (package agent), the
// types come in as data.
package broker

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/settings"
)

// Config is what a broker is made of.
type Config struct {
	Types   connector.Types
	Dirs    paths.Dirs
	Host    connector.Host
	Env     []string // for commands that references name; scrubbed
	Secrets *secrets.Manager
	Owner   string // who registers connectors here: the OS user's name
}

// Broker is the engine over one set-up's folders. It is safe for concurrent use,
// and several processes may each have one over the same folders.
type Broker struct {
	types    connector.Types
	dirs     paths.Dirs
	host     connector.Host
	env      []string
	owner    string
	secrets  *secrets.Manager
	registry *registry.Dir
	pins     *registry.Pins
	pending  *registry.Pending
	settings *settings.File
	audit    *audit.Log
	cache    *cache.Cache
	patience time.Duration // with others' logins

	mu    sync.Mutex
	index *index
}

// New makes a broker. Nothing is read or written before the first request.
func New(c Config) *Broker {
	b := &Broker{
		types: c.Types, dirs: c.Dirs, host: c.Host, env: c.Env, owner: c.Owner, secrets: c.Secrets,
		registry: registry.Open(filepath.Join(c.Dirs.Config, "connectors"), c.Host.Now),
		pins:     registry.OpenPins(c.Dirs.Config, c.Host.Now),
		pending:  registry.OpenPending(c.Dirs.State),
		settings: settings.NewFile(c.Dirs.Config, c.Host.Now),
		audit:    audit.Open(c.Dirs.State, c.Host.Now),
		patience: turnPatience,
	}
	b.cache = cache.New(cache.ClockOf(c.Host.Now), b.refreshed)
	return b
}

// Caller is who a request comes from, and what may be asked of him.
type Caller struct {
	audit.Caller
	// LookupEnv asks for a variable of the caller's environment; nil has none.
	LookupEnv func(ctx context.Context, name string) (secret.Text, bool, error)
	// AskSecret asks the person for a secret; nil where nobody is there.
	AskSecret func(ctx context.Context, prompt string) (secret.Text, error)
}

type callerKey struct{}

// WithCaller says whom the requests under ctx come from.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerOf returns whom a request comes from; the zero Caller when nobody said.
func CallerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// Settings returns the settings as config.toml has them now.
func (b *Broker) Settings() (settings.Settings, error) { return b.settings.Current() }

// Types returns the connector types that the broker knows.
func (b *Broker) Types() connector.Types { return b.types }

// Secrets returns the secret stores, for unlocking.
func (b *Broker) Secrets() *secrets.Manager { return b.secrets }

// Kept describes the credentials that are kept.
func (b *Broker) Kept() []cache.Info { return b.cache.Kept() }

// Tick refreshes ahead, drops what belongs to connectors that were changed or
// deleted, and returns how long until it wants to be called again.
func (b *Broker) Tick(ctx context.Context) time.Duration {
	if _, err := b.current(ctx); err != nil { // unreadable connectors serve nobody, kept or not
		b.cache.Forget(func(cache.Meta) bool { return true })
	}
	return b.cache.Tick(ctx)
}

// Wake is told when Tick shall be called earlier than it asked for.
func (b *Broker) Wake() <-chan struct{} { return b.cache.Wake() }

// Forget drops the kept credentials of one connector, by id, or of all with "".
func (b *Broker) Forget(ctx context.Context, connectorID string) int {
	dropped := b.cache.Forget(func(m cache.Meta) bool { return connectorID == "" || m.ConnectorID == connectorID })
	b.note(ctx, audit.Record{Outcome: audit.Forgotten, ConnectorID: connectorID})
	return dropped
}

// Close gives up what the broker holds open.
func (b *Broker) Close() {
	b.audit.Close()
	b.registry.Close()
}
