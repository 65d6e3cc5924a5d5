package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
)

// index is the registered connectors, checked against their types and arranged for
// locating: immutable, made anew when the registry changes.
type index struct {
	snapshot *registry.Snapshot
	entries  map[string]*entry // by name
	// named are the entries that reach one resource, by resource type and name.
	named map[string]map[string][]*entry
	// serving are the entries that reach several and must be asked, by resource type.
	serving map[string][]*entry
	// servers are the entries that reach one cluster whose API server's URL is known.
	servers map[string][]*entry
}

// entry is one connector, ready for use.
type entry struct {
	connector registry.Connector
	settings  connector.Settings // without the secrets
	digest    string             // of everything that the file says
	problem   error              // why it cannot be used: a type or field that does not exist
}

// current returns the index of the present state of the registry.
func (b *Broker) current(ctx context.Context) (*index, error) {
	snapshot, err := b.registry.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.index == nil || b.index.snapshot.Version() != snapshot.Version() {
		b.index = b.arrange(snapshot, b.index)
		b.dropFormer(b.index)
	}
	return b.index, nil
}

// dropFormer drops the kept credentials of connectors that were deleted or changed.
func (b *Broker) dropFormer(ix *index) {
	b.cache.Forget(func(m cache.Meta) bool {
		e := ix.entries[m.Connector]
		return e == nil || e.digest != m.Revision
	})
}

// arrange makes an index, taking over the entries of the old one that are the same.
func (b *Broker) arrange(snapshot *registry.Snapshot, old *index) *index {
	ix := &index{
		snapshot: snapshot, entries: map[string]*entry{},
		named: map[string]map[string][]*entry{}, serving: map[string][]*entry{}, servers: map[string][]*entry{},
	}
	for _, c := range snapshot.All() {
		e := old.same(c)
		if e == nil {
			e = b.check(c)
		}
		ix.add(e)
	}
	return ix
}

func (ix *index) same(c registry.Connector) *entry {
	if ix == nil {
		return nil
	}
	if e := ix.entries[c.Name]; e != nil && reflect.DeepEqual(e.connector, c) {
		return e
	}
	return nil
}

func (b *Broker) check(c registry.Connector) *entry {
	e := &entry{connector: c, digest: digestOf(c)}
	e.settings, e.problem = b.types.CheckWithoutSecrets(c.Spec(), c.Secrets.Names())
	if e.problem != nil {
		e.problem = fault.WithHint(fault.Within(e.problem, "connector %s", c.Name), "`svcconn update %s` mends it, or edit its file", c.Name)
	}
	return e
}

// digestOf is a digest of everything in the connector's file: any change of it
// makes the credentials minted before unusable for later requests.
func digestOf(c registry.Connector) string {
	text, err := json.Marshal(c)
	if err != nil { // maps of plain values always marshal
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (ix *index) add(e *entry) {
	ix.entries[e.connector.Name] = e
	if e.problem != nil {
		return
	}
	ix.addServer(e)
	if name := e.settings.ResourceName; name != "" {
		byName := ix.named[e.settings.ResourceType]
		if byName == nil {
			byName = map[string][]*entry{}
			ix.named[e.settings.ResourceType] = byName
		}
		byName[name] = append(byName[name], e)
		return
	}
	for _, resourceType := range e.settings.ResourceTypes() {
		if r, err := e.settings.Type.Resource(resourceType); err == nil && r.Serves != nil {
			ix.serving[resourceType] = append(ix.serving[resourceType], e)
		}
	}
}

// lookup finds an entry by the name, id or prefix that a person typed.
func (ix *index) lookup(name string) (*entry, error) {
	c, err := ix.snapshot.Lookup(name)
	if err != nil {
		return nil, err
	}
	e := ix.entries[c.Name]
	return e, e.problem
}

// matches returns the entries with the longest name that is the address or a
// parent of it at a path boundary, and that name.
func (ix *index) matches(resourceType, address string) ([]*entry, string) {
	for name := address; name != ""; {
		if found := ix.named[resourceType][name]; len(found) > 0 {
			return found, name
		}
		slash := strings.LastIndexByte(name, '/')
		if slash < 0 {
			break
		}
		name = name[:slash]
	}
	return nil, ""
}
