package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// Draft is a connector that is to be: what a person said, with the new secrets at
// hand.
type Draft struct {
	Name          string
	Description   string
	Spec          connector.Spec    // Values has the new secrets
	References    map[string]string // secret fields that stay references
	Keep          []string          // secret fields that stay as they are stored (update only)
	Labels        map[string]string
	ExpiresAt     time.Time
	SkewTolerance *time.Duration
}

// Remove takes a field out of the draft, of whatever sort it is.
func (d *Draft) Remove(name string) {
	d.Spec.Values.Unset(name)
	delete(d.References, name)
	d.Keep = slices.DeleteFunc(d.Keep, func(kept string) bool { return kept == name })
}

// Refer makes a secret field of the draft a reference.
func (d *Draft) Refer(name, reference string) {
	if d.References == nil {
		d.References = map[string]string{}
	}
	d.References[name] = reference
}

// Register checks, verifies (unless told not to) and stores a new connector: all or
// nothing.
func (b *Broker) Register(ctx context.Context, draft Draft, verify bool) (Verification, error) {
	if err := b.NameFree(ctx, draft.Name); err != nil {
		return Verification{}, err
	}
	made, values, err := b.complete(ctx, draft, nil)
	if err != nil {
		return Verification{}, err
	}
	made.ID = registry.NewID()
	made.Owner = b.owner
	v := Verification{Connector: made}
	if verify {
		if v, made, err = b.prove(ctx, made, values); err != nil {
			return v, err
		}
	}
	finish, err := b.putSecrets(ctx, &made, merged(draft.Spec.Values.Secrets(), v.renewed), registry.SecretRef{})
	if err != nil {
		return v, err
	}
	stored, err := b.registry.Create(ctx, made)
	if err = finish(err); err != nil {
		return v, err
	}
	v = v.of(stored)
	b.note(ctx, audit.Record{Outcome: audit.Registered, Connector: stored.Name, ConnectorID: stored.ID})
	return v, nil
}

// NameFree checks that a connector may have a name and that none has it.
func (b *Broker) NameFree(ctx context.Context, name string) error {
	if err := registry.CheckName(name); err != nil {
		return err
	}
	snapshot, err := b.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	for _, c := range snapshot.All() {
		if strings.EqualFold(c.Name, name) {
			return fault.New(fault.Failed, "a connector named %s exists", c.Name).
				Hint("choose another name, change it with `svcconn update %s`, or delete it with `svcconn delete %s`", c.Name, c.Name)
		}
	}
	return nil
}

// of returns the verification with the connector as it was stored.
func (v Verification) of(c registry.Connector) Verification {
	v.Connector = c
	for i := range v.Rows {
		v.Rows[i].Connector = c
	}
	return v
}

// complete turns a draft into a connector, with all its secret values at hand; old has
// those that are stored.
func (b *Broker) complete(ctx context.Context, draft Draft, old map[string]secret.Text) (registry.Connector, map[string]secret.Text, error) {
	spec := draft.Spec
	spec.Values = spec.Values.Clone()
	for _, field := range draft.Keep {
		spec.Values.SetSecret(field, old[field])
	}
	for field, text := range draft.References {
		value, err := b.follow(ctx, text)
		if err != nil {
			return registry.Connector{}, nil, fault.Within(err, "field %s", field)
		}
		spec.Values.SetSecret(field, value)
	}
	checked, err := b.types.Check(spec)
	if err != nil {
		return registry.Connector{}, nil, err
	}
	if !draft.ExpiresAt.IsZero() && !draft.ExpiresAt.After(b.host.Now()) {
		return registry.Connector{}, nil, fault.New(fault.Invalid, "the expiry %s is in the past", draft.ExpiresAt.UTC().Format(time.RFC3339)).
			Hint("--expires-at takes the time at which the stored secrets stop working, such as 2030-01-31T12:00:00Z")
	}
	return registry.Connector{
		Name: draft.Name, Description: draft.Description, Type: checked.Type.Name, Method: checked.Method.Name,
		ResourceType: checked.ResourceType, ResourceName: decidedName(checked),
		Labels: draft.Labels, ExpiresAt: draft.ExpiresAt, SkewTolerance: draft.SkewTolerance, Expiration: spec.Expiration,
		Configuration: checked.Values.Plain(), // defaults too: the file then says all that counts
		Secrets:       registry.SecretRef{References: draft.References},
	}, checked.Values.Secrets(), nil
}

// decidedName is the resource name to store: none where the fields alone tell it, so
// that a hand edit of the field is all that it takes to change it.
func decidedName(checked connector.Settings) string {
	r, err := checked.Type.Resource(checked.ResourceType)
	if err == nil && !r.Instances && r.Default != nil && r.Default(checked.Values) == checked.ResourceName {
		return ""
	}
	return checked.ResourceName
}

// prove verifies a connector that is not stored yet. Where its one resource's name
// is known only to the service, it is taken from there.
func (b *Broker) prove(ctx context.Context, made registry.Connector, values map[string]secret.Text) (Verification, registry.Connector, error) {
	checked, err := b.settingsOf(made, values)
	if err != nil {
		return Verification{}, made, err
	}
	if err := b.expired(made); err != nil {
		return Verification{Connector: made}, made, err
	}
	v := b.verify(ctx, made, checked, func(context.Context) (connector.Session, error) {
		return b.session(checked)
	}, wanted{})
	switch {
	case fault.Is(v.Err, fault.NeedsPerson):
		return v, made, fault.WithHint(v.Err, "nothing was stored; do it at a terminal, or add --no-verify and log in later: svcconn verify %s", made.Name)
	case v.Err != nil:
		return v, made, fault.WithHint(v.Err, "nothing was stored; mend the cause, or add --no-verify to store it unverified")
	}
	if err := renewable(made.Secrets, v.renewed); err != nil {
		return v, made, fault.Within(err, "connector %s", made.Name)
	}
	if err := learn(&made, checked.Method, v.Identity.Learned); err != nil {
		return v, made, fault.Within(err, "connector %s", made.Name)
	}
	if checked.Scope() == connector.SingleInstance {
		if len(v.Rows) == 1 && v.Rows[0].Err != nil {
			return v, made, fault.Within(v.Rows[0].Err, "connector %s", made.Name)
		}
		if checked.ResourceName == "" && len(v.Rows) == 1 && len(v.Rows[0].Names) == 1 {
			made.ResourceName = v.Rows[0].Names[0]
		}
	}
	return v, made, nil
}

// learn completes a connector by the fields that were left out and that its service told.
func learn(c *registry.Connector, method *connector.AuthMethod, learned map[string]string) error {
	for name, text := range learned {
		f, ok := method.Fields.Find(name)
		if _, given := c.Configuration[name]; !ok || given {
			continue
		}
		value, err := f.Parse(text)
		if err != nil {
			return fault.Within(err, "what the service says of field %s", name)
		}
		if c.Configuration == nil {
			c.Configuration = map[string]any{}
		}
		c.Configuration[name] = value
	}
	return nil
}

// putSecrets stores a bundle under a new key and points the connector at it. The
// returned function ends the operation: called with the error of storing the
// connector, it takes the new secrets back; without one, it wipes those that they
// replace (old). A journal covers a death in between: see sweep.
func (b *Broker) putSecrets(ctx context.Context, c *registry.Connector, values map[string]secret.Text, old registry.SecretRef) (finish func(error) error, err error) {
	b.sweep(ctx)
	wipeOld, err := b.condemn(ctx, old)
	if err != nil || len(values) == 0 {
		return wipeOld, err
	}
	store, err := b.secrets.Default(ctx)
	if err != nil {
		return nil, wipeOld(err)
	}
	key := registry.SecretKey{Store: store.Name(), Key: c.ID + "/" + strings.ToLower(rand.Text()[:12])}
	done, err := b.pending.Begin(key)
	if err != nil {
		return nil, wipeOld(err)
	}
	if err := store.Put(ctx, key.Key, secrets.EncodeBundle(values)); err != nil {
		_ = done()
		return nil, wipeOld(err)
	}
	c.Secrets.Store, c.Secrets.Key = key.Store, key.Key
	c.Secrets.Fields = slices.Sorted(maps.Keys(values))
	return func(err error) error {
		if err == nil {
			return firstOf(done(), wipeOld(nil))
		}
		if store.Delete(context.WithoutCancel(ctx), key.Key) == nil {
			_ = done()
		} // else the journal keeps the key, and the next change sweeps it away
		return wipeOld(err)
	}, nil
}

// condemn journals a bundle that nothing will point at once the operation under way
// succeeds. The returned function ends that: without an error it wipes the bundle,
// with one it leaves it and returns the error.
func (b *Broker) condemn(ctx context.Context, ref registry.SecretRef) (finish func(error) error, err error) {
	if ref.Store == "" {
		return func(err error) error { return err }, nil
	}
	done, err := b.pending.Begin(registry.SecretKey{Store: ref.Store, Key: ref.Key})
	if err != nil {
		return nil, err
	}
	return func(err error) error {
		if err != nil {
			_ = done()
			return err
		}
		store, err := b.secrets.Named(ref.Store)
		if err == nil {
			err = store.Delete(context.WithoutCancel(ctx), ref.Key)
		}
		if err != nil { // the journal keeps the key
			return fault.WithHint(fault.Within(err, "the former secrets are not wiped yet"), "unlock the secret store: the next change of any connector wipes them")
		}
		return done()
	}, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep wipes the secrets of operations that died half-way: those in the journal
// that no connector points at. It is best effort: what it cannot do now it does at
// the next change.
func (b *Broker) sweep(ctx context.Context) {
	orphans, err := b.pending.List()
	if err != nil {
		return
	}
	for _, key := range orphans {
		if _, err := b.uses(ctx, key); err == nil {
			b.settle(ctx, key)
		}
	}
}

// settle ends an operation that was listed as dead. It looks at the connectors once
// it holds the journal's entry: what was listed at its very beginning, before it had
// the lock, may have ended well since.
func (b *Broker) settle(ctx context.Context, key registry.SecretKey) {
	finish, err := b.condemn(ctx, registry.SecretRef{Store: key.Store, Key: key.Key})
	if err != nil {
		return
	}
	used, err := b.uses(ctx, key)
	if err != nil {
		return // the journal keeps the key
	}
	if used {
		err = errInUse
	}
	_ = finish(err)
}

var errInUse = errors.New("a connector points at it")

// uses reports whether a connector points at a bundle. With a broken connector file,
// which may point at it, that is not known.
func (b *Broker) uses(ctx context.Context, key registry.SecretKey) (bool, error) {
	snapshot, err := b.registry.Snapshot(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range snapshot.All() {
		if c.Secrets.Store == key.Store && c.Secrets.Key == key.Key {
			return true, nil
		}
	}
	for _, broken := range snapshot.Broken() {
		return false, broken.Err
	}
	return false, nil
}
