package broker

import (
	"context"
	"slices"
	"sync"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Row is what a connector reaches of one resource type. Err says why that could
// not be told; the other rows stand.
type Row struct {
	Connector    registry.Connector
	ResourceType string
	Names        []string
	Err          error
}

// Verification is what the service says of a connector.
type Verification struct {
	Connector registry.Connector
	Identity  *connector.Identity
	Rows      []Row
	Err       error // the verification as a whole failed

	renewed map[string]secret.Text // what the session put in the place of its secrets
}

// Verify asks the service who a connector is and what it reaches; the resource
// narrows the question. The error is about the request; what the service refused
// is in the Verification.
func (b *Broker) Verify(ctx context.Context, name, resourceType, resourceName string, identityOnly bool) (Verification, error) {
	ix, err := b.current(ctx)
	if err != nil {
		return Verification{}, err
	}
	e, err := ix.lookup(name)
	if err != nil {
		return Verification{}, err
	}
	if resourceType != "" || resourceName != "" {
		r, canonical, err := e.settings.Target(resourceType, resourceName)
		if err != nil && (resourceName != "" || !e.settings.Covers(resourceType)) {
			return Verification{}, fault.Within(err, "connector %s", e.connector.Name)
		}
		if r != nil {
			resourceType, resourceName = r.Name, canonical
		}
	}
	v := b.verifyEntry(ctx, e, wanted{resourceType: resourceType, resourceName: resourceName, identityOnly: identityOnly, alone: resourceName != ""})
	if resourceName != "" && v.Err == nil && len(v.Rows) == 1 && v.Rows[0].Err != nil { // it is what was asked about
		v.Err = fault.Within(v.Rows[0].Err, "connector %s", e.connector.Name)
	}
	return v, nil
}

func (b *Broker) verifyEntry(ctx context.Context, e *entry, want wanted) Verification {
	if !e.settings.Method.RenewsSecrets(e.settings.Values) {
		return b.verifyStored(ctx, e.connector, e.settings, want)
	}
	return b.verifyRenewing(ctx, e.connector, e.settings, want)
}

// verifyStored verifies a connector with its stored secrets.
func (b *Broker) verifyStored(ctx context.Context, c registry.Connector, s connector.Settings, want wanted) Verification {
	return b.verify(ctx, c, s, func(ctx context.Context) (connector.Session, error) {
		if err := b.expired(c); err != nil {
			return nil, err
		}
		env, err := b.environment(ctx, c)
		if err != nil {
			return nil, err
		}
		if want.alone {
			c.ResourceType, c.ResourceName = want.resourceType, want.resourceName
		}
		return b.open(ctx, c, env)
	}, want)
}

// wanted narrows a verification.
type wanted struct {
	resourceType, resourceName string
	identityOnly               bool
	alone                      bool // the session is for the one resource, as if the connector were
	atOnce                     bool // who we are and what is reached are asked at once, for speed
}

func (b *Broker) verify(ctx context.Context, c registry.Connector, s connector.Settings, open func(context.Context) (connector.Session, error), want wanted) (v Verification) {
	v.Connector = c
	session, err := open(ctx)
	if err != nil {
		v.Err = fault.Within(err, "connector %s", c.Name)
		return v
	}
	defer func() { v.renewed = renewedBy(session) }()
	var reached sync.WaitGroup
	if want.atOnce {
		reached.Go(func() { v.Rows = rows(ctx, c, s, session, want) })
	}
	identity, err := session.Verify(ctx)
	reached.Wait()
	switch {
	case err != nil:
		v.Rows, v.Err = nil, fault.Within(err, "connector %s", c.Name)
		return v
	case !want.atOnce && !want.identityOnly:
		v.Rows = rows(ctx, c, s, session, want)
	}
	v.Identity = &identity
	return v
}

// rows lists every resource type that is wanted, at once; they come back in the
// order of the type's declaration.
func rows(ctx context.Context, c registry.Connector, s connector.Settings, session connector.Session, want wanted) []Row {
	types := s.ResourceTypes()
	if want.resourceType != "" {
		types = []string{want.resourceType}
	}
	out := make([]Row, len(types))
	var wg sync.WaitGroup
	for i, resourceType := range types {
		wg.Go(func() { out[i] = row(ctx, c, s, session, resourceType, want.resourceName) })
	}
	wg.Wait()
	return out
}

func row(ctx context.Context, c registry.Connector, s connector.Settings, session connector.Session, resourceType, only string) Row {
	r := Row{Connector: c, ResourceType: resourceType, Names: []string{}}
	if only == "" && s.ResourceType == resourceType {
		only = s.ResourceName
	}
	r.Err = session.List(ctx, resourceType, func(resource connector.Resource) error {
		if only == "" || resource.Name == only {
			r.Names = append(r.Names, resource.Name)
		}
		return nil
	})
	if r.Err == nil && only != "" && len(r.Names) == 0 {
		r.Err = fault.New(fault.NotFound, "%s is not among the resources that the service lists", only)
	}
	slices.Sort(r.Names)
	return r
}

// Filter narrows a listing; empty fields let everything through.
type Filter struct {
	Connector, ConnectorType, ResourceType, ResourceName string
}

// listers is how many connectors are asked at once: they wait for their services, most
// of the time.
const listers = 64

// Resources yields everything that the connectors reach, as the answers come: a row
// for each connector and resource type, one failing connector never hiding
// another. yield is called by one goroutine at a time; its error stops the listing.
func (b *Broker) Resources(ctx context.Context, filter Filter, yield func(Row) error) error {
	entries, broken, err := b.selected(ctx, filter)
	if err != nil {
		return err
	}
	for _, r := range broken {
		if err := yield(r); err != nil {
			return err
		}
	}
	current, err := b.settings.Current()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan []Row)
	slots := make(chan struct{}, listers)
	for _, e := range entries {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			one, stop := context.WithTimeout(ctx, current.Network.Timeout)
			defer stop()
			rows := b.reach(one, e, filter)
			select {
			case answers <- rows:
			case <-ctx.Done():
			}
		}()
	}
	for range entries {
		select {
		case rows := <-answers:
			for _, r := range rows {
				if err := yield(r); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// selected picks the connectors that can have what the filter wants. Connectors
// whose file is broken become rows that say so.
func (b *Broker) selected(ctx context.Context, filter Filter) ([]*entry, []Row, error) {
	if filter.ConnectorType != "" {
		if _, err := b.types.Find(filter.ConnectorType); err != nil {
			return nil, nil, err
		}
	}
	if filter.ResourceType != "" {
		if err := b.types.FindResource(filter.ResourceType); err != nil {
			return nil, nil, err
		}
	}
	ix, err := b.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	if filter.Connector != "" {
		e, err := ix.lookup(filter.Connector)
		if err != nil {
			return nil, nil, err
		}
		return []*entry{e}, nil, nil
	}
	var out []*entry
	var broken []Row
	for _, c := range ix.snapshot.All() {
		e := ix.entries[c.Name]
		switch {
		case filter.ConnectorType != "" && c.Type != filter.ConnectorType:
		case e.problem != nil:
			broken = append(broken, Row{Connector: c, ResourceType: c.ResourceType, Err: e.problem})
		case filter.ResourceType == "" || e.settings.Covers(filter.ResourceType):
			out = append(out, e)
		}
	}
	for _, file := range ix.snapshot.Broken() {
		if filter.ConnectorType == "" {
			broken = append(broken, Row{Connector: registry.Connector{Name: file.Name}, Err: file.Err})
		}
	}
	return out, broken, nil
}

// reach asks one connector.
func (b *Broker) reach(ctx context.Context, e *entry, filter Filter) []Row {
	v := b.verifyEntry(ctx, e, wanted{resourceType: filter.ResourceType, resourceName: e.ownName(filter.ResourceType), atOnce: true})
	if v.Err != nil {
		out := []Row{}
		for _, resourceType := range e.settings.ResourceTypes() {
			if filter.ResourceType == "" || filter.ResourceType == resourceType {
				out = append(out, Row{Connector: e.connector, ResourceType: resourceType, Err: v.Err})
			}
		}
		return out
	}
	if filter.ResourceName != "" {
		return named(e, v.Rows, filter.ResourceName)
	}
	return v.Rows
}

// ownName is the one resource that the connector reaches of a type, if that is known.
func (e *entry) ownName(resourceType string) string {
	if resourceType == "" {
		return ""
	}
	_, name, err := e.settings.Target(resourceType, "")
	if err != nil {
		return ""
	}
	return name
}

// named keeps the rows that have the resource, by its canonical name.
func named(e *entry, rows []Row, name string) []Row {
	var out []Row
	for _, row := range rows {
		r, err := e.settings.Type.Resource(row.ResourceType)
		if err != nil {
			continue
		}
		canonical, err := r.Parse(e.settings.Values, name)
		if err == nil && slices.Contains(row.Names, canonical) {
			row.Names = []string{canonical}
			out = append(out, row)
		}
	}
	return out
}
