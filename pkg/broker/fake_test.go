package broker

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// canary is the password of every test; it must never be seen in a file or error.
const canary = "canary-7Qm2vX9rT4"

// memoryKeyring is the OS keyring of the tests, which can be told to fail.
type memoryKeyring struct {
	mu      sync.Mutex
	entries map[string]secret.Text
	failing error // of Set
	away    error // of everything
}

func (k *memoryKeyring) Get(_ context.Context, account string) (secret.Text, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	value, ok := k.entries[account]
	switch {
	case k.away != nil:
		return secret.Text{}, k.away
	case !ok:
		return secret.Text{}, fault.New(fault.NotFound, "no such entry")
	}
	return value, nil
}

func (k *memoryKeyring) Set(_ context.Context, account string, value secret.Text) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := errors.Join(k.failing, k.away); err != nil {
		return fault.New(fault.Unavailable, "the keyring says: %w", err)
	}
	k.entries[account] = value
	return nil
}

func (k *memoryKeyring) Delete(_ context.Context, account string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away != nil {
		return k.away
	}
	if _, ok := k.entries[account]; !ok {
		return fault.New(fault.NotFound, "no such entry")
	}
	delete(k.entries, account)
	return nil
}

func (k *memoryKeyring) accounts() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.entries))
}

func (k *memoryKeyring) break_(setting, all error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failing, k.away = setting, all
}

// The fake connector type: a cloud with registries at HOST.DOMAIN and one password.
var (
	domain   = field.String{Name: "domain", Title: "Domain", Help: "What its registries are below.", Required: true}
	only     = field.String{Name: "only", Title: "Registry", Help: "The one registry."}
	password = field.Secret{Name: "password", Title: "Password", Help: "The password.", Required: true}
)

// cloud is the service behind the fake type.
type cloud struct {
	mints    atomic.Int64
	lifetime atomic.Int64 // of what it mints, as a time.Duration; 0 never expires
	password atomic.Pointer[string]
	hang     atomic.Bool
	now      func() time.Time

	turnstile turnstile
}

func (c *cloud) types() connector.Types {
	fields := field.Set{domain, only, password}
	instanced := connector.ResourceType{
		Name: "docker-registry", Title: "Registry", Doc: "A registry.", Instances: true, Formats: []string{"HOST"},
		Parse: parse,
		Serves: func(s connector.Settings, address string) (string, bool) {
			host, _, _ := strings.Cut(address, "/")
			return host, strings.HasSuffix(host, "."+domain.Get(s.Values))
		},
		Username: func(field.Values) string { return "cloud" },
	}
	single := instanced
	single.Instances = false
	single.Default = func(v field.Values) string { return only.Get(v) }
	single.Serves = nil
	bucket := connector.ResourceType{Name: "bucket", Title: "Bucket", Doc: "A bucket.", Instances: true, Formats: []string{"NAME"}, Parse: parse}
	method := connector.AuthMethod{Name: "password", Title: "Password", Doc: "A password.", Fields: fields,
		Lifetime: connector.TTLBounds{Min: time.Minute, Max: time.Hour}}
	return connector.NewTypes(
		&connector.Type{Name: "cloud", Title: "Cloud", Doc: "A cloud.", Methods: []connector.AuthMethod{method}, Resources: []connector.ResourceType{instanced, bucket}, Open: c.open},
		c.turnstile.typ(single),
		clusterType(c),
		accountType(c),
		&connector.Type{Name: "one", Title: "One", Doc: "One registry.", Methods: []connector.AuthMethod{method}, Resources: []connector.ResourceType{single}, Open: c.open},
	)
}

func parse(_ field.Values, name string) (string, error) {
	if strings.ContainsAny(name, " !") {
		return "", fault.New(fault.Invalid, "it has a space or exclamation mark")
	}
	return strings.ToLower(name), nil
}

func (c *cloud) open(_ connector.Host, s connector.Settings) (connector.Session, error) {
	return cloudSession{c, s}, nil
}

type cloudSession struct {
	*cloud
	settings connector.Settings
}

func (s cloudSession) Verify(ctx context.Context) (connector.Identity, error) {
	if s.hang.Load() {
		<-ctx.Done()
		return connector.Identity{}, fault.New(fault.Unavailable, "cloud: %w", context.Cause(ctx))
	}
	if password.Get(s.settings.Values).Reveal() != *s.password.Load() {
		return connector.Identity{}, fault.New(fault.Denied, "cloud: wrong password")
	}
	return connector.Identity{Name: "user"}, nil
}

func (s cloudSession) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	if resourceType == "bucket" {
		return fault.New(fault.Denied, "cloud: no right to list buckets")
	}
	if name := only.Get(s.settings.Values); name != "" {
		return yield(connector.Resource{Type: resourceType, Name: name})
	}
	for _, host := range []string{"b", "a"} {
		if err := yield(connector.Resource{Type: resourceType, Name: host + "." + domain.Get(s.settings.Values)}); err != nil {
			return err
		}
	}
	return nil
}

func (s cloudSession) Mint(ctx context.Context, r connector.Request) (connector.Credential, error) {
	if s.hang.Load() {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	s.mints.Add(1)
	login := connector.RegistryLogin{Registry: r.ResourceName, Username: "cloud", Secret: password.Get(s.settings.Values)}
	if lifetime := time.Duration(s.lifetime.Load()); lifetime != 0 {
		login.Expires = s.now().Add(lifetime)
	}
	return login, nil
}

// world is one set-up with a broker over it.
type world struct {
	*Broker
	t       *testing.T
	dir     string
	cloud   *cloud
	keyring *memoryKeyring
	dirs    paths.Dirs
	clock   *atomic.Pointer[time.Time]
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	var clock atomic.Pointer[time.Time]
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	clock.Store(&start)
	w := &world{
		t: t, dir: dir, clock: &clock, keyring: &memoryKeyring{entries: map[string]secret.Text{}},
		dirs: paths.Dirs{Config: dir + "/config", State: dir + "/state", Runtime: dir + "/run"},
	}
	now := func() time.Time { return *clock.Load() }
	w.cloud = &cloud{now: now}
	right := canary
	w.cloud.password.Store(&right)
	w.Broker = w.another()
	return w
}

// another is a second broker over the same folders, as another process has it.
func (w *world) another() *Broker { return w.anotherWith(nil) }

// anotherWith is another with a person at its terminal.
func (w *world) anotherWith(person connector.Person) *Broker {
	manager := secrets.Open(secrets.Config{StateDir: w.dirs.State, Backend: "keyring", Getenv: func(string) string { return "" }, Keyring: w.keyring})
	b := New(Config{
		Types: w.cloud.types(), Dirs: w.dirs, Secrets: manager, Owner: "me",
		Host: connector.Host{Now: w.cloud.now, Getenv: func(string) string { return "" }, Home: w.dir + "/home", Person: person},
	})
	w.t.Cleanup(b.Close)
	return b
}

// write writes a file below the world's folder.
func (w *world) write(path, text string) {
	w.t.Helper()
	path = filepath.Join(w.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) advance(d time.Duration) {
	later := w.clock.Load().Add(d)
	w.clock.Store(&later)
}

// draft is a connector of the fake type with the right password.
func draft(name, typ string, plain map[string]string) Draft {
	var values field.Values
	for key, value := range plain {
		values.Set(key, value)
	}
	values.SetSecret("password", secret.New(canary))
	return Draft{Name: name, Spec: connector.Spec{Type: typ, Values: values}}
}

func (w *world) register(d Draft) Verification {
	w.t.Helper()
	v, err := w.Register(w.t.Context(), d, true)
	if err != nil {
		w.t.Fatalf("Register(%s): %v", d.Name, err)
	}
	return v
}

// one registers a connector that reaches one registry.
func (w *world) one(name, registry string) Verification {
	w.t.Helper()
	return w.register(draft(name, "one", map[string]string{"domain": "d", "only": registry}))
}

func (w *world) locate(address string) (*Located, error) {
	return w.Locate(w.t.Context(), DockerRegistry, address)
}
