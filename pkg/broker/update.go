package broker

import (
	"context"
	"maps"
	"slices"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Find returns the connector of a name, id or unique prefix.
func (b *Broker) Find(ctx context.Context, name string) (registry.Connector, error) {
	snapshot, err := b.registry.Snapshot(ctx)
	if err != nil {
		return registry.Connector{}, err
	}
	return snapshot.Lookup(name)
}

// Snapshot returns the registered connectors as they are now.
func (b *Broker) Snapshot(ctx context.Context) (*registry.Snapshot, error) {
	return b.registry.Snapshot(ctx)
}

// Registered is a registered connector with what its type makes of it.
type Registered struct {
	registry.Connector
	Settings connector.Settings // without the secrets; of no use with a Problem
	Problem  error              // why it cannot be used
}

// Registered returns one connector, by name, id or unique prefix.
func (b *Broker) Registered(ctx context.Context, name string) (Registered, error) {
	ix, err := b.current(ctx)
	if err != nil {
		return Registered{}, err
	}
	c, err := ix.snapshot.Lookup(name)
	if err != nil {
		return Registered{}, err
	}
	return ix.entries[c.Name].registered(), nil
}

// AllRegistered returns the connectors, sorted by name, and the files that are none.
func (b *Broker) AllRegistered(ctx context.Context) ([]Registered, []registry.Broken, error) {
	ix, err := b.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := ix.snapshot.All()
	out := make([]Registered, len(all))
	for i, c := range all {
		out[i] = ix.entries[c.Name].registered()
	}
	return out, ix.snapshot.Broken(), nil
}

func (e *entry) registered() Registered { return Registered{e.connector, e.settings, e.problem} }

// DraftOf returns a connector as a draft that changes nothing.
func DraftOf(c registry.Connector) Draft {
	return Draft{
		Name: c.Name, Description: c.Description, Spec: c.Spec(),
		References: maps.Clone(c.Secrets.References), Keep: slices.Clone(c.Secrets.Fields),
		Labels: maps.Clone(c.Labels), ExpiresAt: c.ExpiresAt, SkewTolerance: c.SkewTolerance,
	}
}

// Update replaces a connector by what the draft says: all or nothing. old is the
// connector that the draft was made from; when it is no longer what is stored, the
// update is refused.
func (b *Broker) Update(ctx context.Context, old registry.Connector, draft Draft, verify bool) (v Verification, err error) {
	err = b.exclusively(ctx, old, func() (err error) {
		v, err = b.update(ctx, old, draft, verify)
		return err
	})
	return v, err
}

func (b *Broker) update(ctx context.Context, old registry.Connector, draft Draft, verify bool) (Verification, error) {
	if draft.Name != old.Name {
		if err := registry.CheckName(draft.Name); err != nil {
			return Verification{}, err
		}
	}
	fresh := draft.Spec.Values.Secrets()
	bundle := map[string]secret.Text{}
	if len(draft.Keep) > 0 {
		var err error
		if bundle, err = b.bundle(ctx, old); err != nil {
			return Verification{}, fault.Within(err, "connector %s", old.Name)
		}
	}
	made, values, err := b.complete(ctx, draft, bundle)
	if err != nil {
		return Verification{}, err
	}
	made.ID, made.Owner, made.CreatedAt = old.ID, old.Owner, old.CreatedAt
	v := Verification{Connector: made}
	if verify {
		v, made, err = b.prove(ctx, made, values)
		kept := keptOf(v.renewed, draft)
		if err := firstOf(b.renew(ctx, old, kept), err); err != nil { // also if nothing is changed: they are spent
			return v, err
		}
		maps.Copy(bundle, kept)
		fresh = freshOf(fresh, v.renewed, draft)
	}
	stored, err := b.swap(ctx, old, made, draft, fresh, bundle)
	if err != nil {
		return v, err
	}
	b.cache.Forget(forConnector(old.ID))
	b.note(ctx, audit.Record{Outcome: audit.Updated, Connector: stored.Name, ConnectorID: stored.ID})
	return v.of(stored), nil
}

// keptOf are the renewed secrets that the draft keeps as they are stored.
func keptOf(renewed map[string]secret.Text, draft Draft) map[string]secret.Text {
	kept := maps.Clone(renewed)
	maps.DeleteFunc(kept, func(field string, _ secret.Text) bool { return !slices.Contains(draft.Keep, field) })
	return kept
}

// freshOf are the draft's new secrets, with those that were renewed since.
func freshOf(given, renewed map[string]secret.Text, draft Draft) map[string]secret.Text {
	fresh := merged(given, renewed)
	maps.DeleteFunc(fresh, func(field string, _ secret.Text) bool { return slices.Contains(draft.Keep, field) })
	return fresh
}

// swap stores the changed connector, with a new bundle where the secrets changed.
func (b *Broker) swap(ctx context.Context, old, made registry.Connector, draft Draft, fresh, bundle map[string]secret.Text) (registry.Connector, error) {
	references := made.Secrets.References
	if len(fresh) == 0 && slices.Equal(draft.Keep, old.Secrets.Fields) {
		made.Secrets = old.Secrets
		made.Secrets.References = references
		return b.registry.Replace(ctx, old, made)
	}
	for field := range bundle {
		if !slices.Contains(draft.Keep, field) {
			delete(bundle, field)
		}
	}
	maps.Copy(bundle, fresh)
	finish, err := b.putSecrets(ctx, &made, bundle, old.Secrets)
	if err != nil {
		return registry.Connector{}, err
	}
	stored, err := b.registry.Replace(ctx, old, made)
	return stored, finish(err)
}

// Delete deletes a connector, its pins, its secrets and its kept credentials. The
// connector goes first: from then on nobody is served, whatever fails after.
func (b *Broker) Delete(ctx context.Context, c registry.Connector) error {
	return b.exclusively(ctx, c, func() error { return b.delete(ctx, c) })
}

func (b *Broker) delete(ctx context.Context, c registry.Connector) error {
	b.sweep(ctx)
	wipe, err := b.condemn(ctx, c.Secrets)
	if err != nil {
		return err
	}
	if err := b.registry.Delete(ctx, c); err != nil {
		return wipe(err)
	}
	b.forgetTurn(c)
	b.cache.Forget(forConnector(c.ID))
	b.note(ctx, audit.Record{Outcome: audit.Deleted, Connector: c.Name, ConnectorID: c.ID})
	err = firstOf(wipe(nil), b.pins.RemoveConnector(ctx, c.ID))
	return fault.Within(err, "connector %s is deleted", c.Name)
}
