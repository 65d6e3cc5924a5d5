package broker

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// use opens a session of a connector and does something with it. Where the auth method
// renews secrets, what it renewed is stored before use returns, whatever do returned:
// the former secrets may be spent.
func (b *Broker) use(ctx context.Context, e *entry, env map[string]secret.Text, do func(connector.Session) error) error {
	if !e.settings.Method.RenewsSecrets(e.settings.Values) {
		session, err := b.open(ctx, e.connector, env)
		if err == nil {
			err = do(session)
		}
		return err
	}
	return b.alone(ctx, e.connector, func(c registry.Connector) error {
		if err := b.unchanged(ctx, e); err != nil {
			return err
		}
		session, err := b.open(ctx, c, env)
		if err != nil {
			return err
		}
		err = do(session)
		return firstOf(b.renew(ctx, c, renewedBy(session)), askingForLogin(err, c))
	})
}

// verifyRenewing is verifyStored for an auth method that renews secrets.
func (b *Broker) verifyRenewing(ctx context.Context, c registry.Connector, s connector.Settings, want wanted) Verification {
	var v Verification
	err := b.alone(ctx, c, func(c registry.Connector) error {
		v = b.verifyStored(ctx, c, s, want)
		v.Err = askingForLogin(v.Err, c)
		return b.renew(ctx, c, v.renewed)
	})
	if err != nil {
		return Verification{Connector: c, Err: fault.Within(err, "connector %s", c.Name)}
	}
	return v
}

// renewedBy returns what a session put in the place of its secrets.
func renewedBy(session connector.Session) map[string]secret.Text {
	if r, ok := session.(connector.Renewing); ok {
		return r.Renewed()
	}
	return nil
}

// askingForLogin tells the person how to log in, where that is what is missing.
func askingForLogin(err error, c registry.Connector) error {
	if fault.Is(err, fault.NeedsPerson) {
		return fault.WithHint(err, "log in, at a terminal: svcconn verify %s", c.Name)
	}
	return err
}

// renew stores renewed secrets in the bundle that the connector has, so that its file
// stays as it is. A field that the bundle does not have yet takes a new bundle.
func (b *Broker) renew(ctx context.Context, c registry.Connector, renewed map[string]secret.Text) error {
	if len(renewed) == 0 {
		return nil
	}
	if err := renewable(c.Secrets, renewed); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // the former ones may be spent
	bundle, err := b.bundle(ctx, c)
	if err == nil {
		err = b.putRenewed(ctx, c, bundle, renewed)
	}
	return fault.WithHint(fault.Within(err, "the service replaced secrets, and the new ones are not stored"),
		"mend the secret store, then log in anew: svcconn verify %s", c.Name)
}

func (b *Broker) putRenewed(ctx context.Context, c registry.Connector, bundle, renewed map[string]secret.Text) error {
	for field := range renewed {
		if !slices.Contains(c.Secrets.Fields, field) {
			_, err := b.swap(ctx, c, c, DraftOf(c), renewed, bundle)
			return err
		}
	}
	store, err := b.secrets.Named(c.Secrets.Store)
	if err != nil {
		return err
	}
	maps.Copy(bundle, renewed)
	return store.Put(ctx, c.Secrets.Key, secrets.EncodeBundle(bundle))
}

// renewable refuses secrets that svcconn is not the keeper of.
func renewable(ref registry.SecretRef, renewed map[string]secret.Text) error {
	for field := range renewed {
		if ref.References[field] != "" {
			return fault.New(fault.Invalid, "the service replaces field %s whenever it is used, and a reference cannot be replaced", field).
				Hint("let svcconn keep it: --unset %s takes the reference away, then a login fills the field", field)
		}
	}
	return nil
}

// merged is a copy of secrets with those that were renewed.
func merged(given, renewed map[string]secret.Text) map[string]secret.Text {
	out := map[string]secret.Text{}
	maps.Copy(out, given)
	maps.Copy(out, renewed)
	return out
}

// renews reports whether a connector's auth method renews secrets.
func (b *Broker) renews(c registry.Connector) bool {
	t, err := b.types.Find(c.Type)
	if err != nil {
		return false
	}
	method, err := t.Method(c.Method)
	return err == nil && method.RenewsSecrets(c.Spec().Values)
}

// exclusively runs do alone where that matters for the connector's secrets.
func (b *Broker) exclusively(ctx context.Context, c registry.Connector, do func() error) error {
	if !b.renews(c) {
		return do()
	}
	return b.alone(ctx, c, func(registry.Connector) error { return do() })
}

// alone runs do while nobody else, in this process or another, is at work with the
// secrets of a connector, and with the connector as it is by then: a refresh token may
// be good for one use, and one person is asked to log in once.
func (b *Broker) alone(ctx context.Context, c registry.Connector, do func(registry.Connector) error) error {
	lock, err := b.turn(ctx, c)
	if err != nil {
		return err
	}
	defer lock.Release()
	now, err := b.Find(ctx, c.ID)
	if err != nil {
		return err
	}
	return do(now)
}

// turnPatience is how long one waits for another who may be waiting for a person,
// where nobody is there to see that.
const turnPatience = 5 * time.Second

func (b *Broker) turn(ctx context.Context, c registry.Connector) (*filelock.Lock, error) {
	path := b.turnFile(c)
	if err := atomicfile.MakeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock, err := filelock.Try(path)
	if lock != nil || err != nil {
		return lock, err
	}
	waiting := ctx
	if b.host.Person == nil {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, b.patience)
		defer cancel()
	} else {
		b.host.Person.Tell("A login with connector " + c.Name + " is under way in another process; waiting for its end.")
	}
	lock, err = filelock.Acquire(waiting, path)
	if err != nil && waiting.Err() != nil {
		return nil, fault.New(waitingKind(ctx), "a login with connector %s is under way in another process", c.Name).
			Hint("finish it there, or end that process, and try again")
	}
	return lock, err
}

// waitingKind is the kind of error of one who gave up waiting; ctx is his own.
func waitingKind(ctx context.Context) fault.Kind {
	if fault.Is(ctx.Err(), fault.Interrupted) {
		return fault.Interrupted
	}
	return fault.NeedsPerson
}

func (b *Broker) turnFile(c registry.Connector) string {
	return filepath.Join(b.dirs.State, "login", filepath.Base(c.ID)+".lock")
}

// forgetTurn removes what a deleted connector leaves behind.
func (b *Broker) forgetTurn(c registry.Connector) { _ = os.Remove(b.turnFile(c)) }
