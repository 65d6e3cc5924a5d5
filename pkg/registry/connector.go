// Package registry keeps what is registered: one TOML file a connector, the pins
// that login writes, and the journal of secrets that are being put.
//
// The files are the truth and may be edited by hand at any time; a Snapshot always
// shows their present state, and finding out that nothing has changed costs
// microseconds whatever their number. A file with a mistake takes only its own
// connector away. Writers in any number of processes lose nothing: they hold a lock
// and replace whole files.
//
// It refuses to hold a secret, and to know what a connector type's fields mean:
// package broker checks them.
package registry

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

// Connector is one registered connector, as its file has it. It never has a
// secret: SecretRef says where they are. Times are in UTC.
type Connector struct {
	ID            string // UUID, for ever
	Name          string // the file's name without .toml
	Type          string
	Method        string // "" is the type's only one
	ResourceType  string // "" is all of the type's
	ResourceName  string // canonical; "" is every one that is reached
	Description   string
	Owner         string // the OS user who registered it
	Labels        map[string]string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	ExpiresAt     time.Time      // when the stored secrets stop working; zero is never
	SkewTolerance *time.Duration // how long before ExpiresAt they count as expired; nil is the default
	Expiration    time.Duration  // lifetime to ask for; 0 is the method's default
	Configuration map[string]any // plain fields: string, bool, int64, []string
	Secrets       SecretRef
}

// SecretRef says where a connector's secrets are. All of them are one bundle in
// the secret store, under a key that changes with every change of a secret, so
// that replacing the connector's file switches them all at once.
type SecretRef struct {
	Store      string            // "keyring" or "file"; "" when there is no bundle
	Key        string            // "ID/GENERATION"
	Fields     []string          // the secret fields that are in the bundle
	References map[string]string // field → "env:NAME", "file:PATH" or "cmd:COMMAND", read at every mint
}

// Names lists the secret fields, in the bundle or referred to, sorted.
func (r SecretRef) Names() []string {
	names := slices.Concat(r.Fields, slices.Collect(maps.Keys(r.References)))
	slices.Sort(names)
	return slices.Compact(names)
}

// Spec is the connector as a specification to check, without the secrets of its
// bundle.
func (c Connector) Spec() connector.Spec {
	var values field.Values
	for name, value := range c.Configuration {
		values.Set(name, value)
	}
	return connector.Spec{Type: c.Type, Method: c.Method, ResourceType: c.ResourceType, ResourceName: c.ResourceName, Values: values, Expiration: c.Expiration}
}

// NewID makes an id for a connector that is about to be created, for whoever needs
// it before Create: the key of its secrets begins with it.
func NewID() string { return uuid.NewString() }

// idOfName is the id of a connector whose file, written by hand, has none.
func idOfName(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/svcconn/svcconn/connectors/"+name)).String()
}
