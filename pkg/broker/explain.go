package broker

import (
	"context"
	"fmt"
	"slices"

	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/fault"
)

// Explanation is the whole decision about an address, from local data alone.
type Explanation struct {
	ResourceType string
	Address      string   // normalised
	Located      *Located // nil when nobody serves it, or when Err says why not
	Err          error    // ambiguous, pinned to what is gone, expired
	Candidates   []Candidate
	Kept         *cache.Info // the credential that would be handed out
	LastError    error       // what the last mint failed with, while that is remembered
}

// Candidate is a connector that was looked at, and why it serves or does not.
type Candidate struct {
	Connector string
	Serves    bool
	Reason    string
}

// maxCandidates keeps an explanation readable where there are thousands.
const maxCandidates = 20

// Explain tells the decision about an address that Locate would take, and why; or, if the
// native tool names the connector, about the resource of that name.
func (b *Broker) Explain(ctx context.Context, resourceType, address, connector string) (Explanation, error) {
	p, err := place{resourceType: resourceType, address: address}.normalise()
	if err != nil {
		return Explanation{}, err
	}
	ix, err := b.current(ctx)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{ResourceType: p.resourceType, Address: p.address, Candidates: ix.candidates(p)}
	if connector == "" {
		x.Located, x.Err = b.locate(ctx, p)
	} else {
		x.Located, x.Err = b.resolve(ctx, Request{Connector: connector, ResourceType: resourceType, ResourceName: address})
	}
	if x.Located == nil {
		return x, nil
	}
	x.Err = b.expired(x.Located.Connector)
	b.explainKept(ctx, &x)
	return x, nil
}

func (b *Broker) explainKept(ctx context.Context, x *Explanation) {
	id, name := x.Located.Connector.ID, x.Located.ResourceName
	for _, info := range b.cache.Kept() {
		if info.ConnectorID == id && info.ResourceName == name && info.ResourceType == x.ResourceType {
			x.Kept = &info
		}
	}
	current, err := b.settings.Current()
	if err != nil {
		return
	}
	if env, err := b.environment(ctx, x.Located.Connector); err == nil {
		x.LastError = b.cache.LastFailure(b.ask(x.Located.entry, x.Located, Request{}, env, current).Key)
	}
}

// candidates says of every connector that has to do with the resource type why it
// serves the address or does not; those that serve it come first.
func (ix *index) candidates(p place) []Candidate {
	var out []Candidate
	for _, c := range ix.snapshot.All() {
		e := ix.entries[c.Name]
		switch {
		case e.problem != nil:
			out = append(out, Candidate{c.Name, false, "it cannot be used: " + e.problem.Error()})
		case e.settings.Covers(p.resourceType):
			serves, reason := e.reasonFor(p)
			out = append(out, Candidate{c.Name, serves, reason})
		}
	}
	for _, file := range ix.snapshot.Broken() {
		out = append(out, Candidate{file.Name, false, "its file is broken: " + file.Err.Error()})
	}
	slices.SortStableFunc(out, func(a, b Candidate) int {
		switch {
		case a.Serves == b.Serves:
			return 0
		case a.Serves:
			return -1
		}
		return 1
	})
	return out[:min(len(out), maxCandidates)]
}

func (e *entry) reasonFor(p place) (bool, string) {
	if _, ok := e.endpoint(); ok && p.resourceType == KubernetesCluster {
		return e.reasonForCluster(p)
	}
	if name := e.settings.ResourceName; name != "" {
		return within(p.address, name), "its resource is " + name
	}
	r, err := e.settings.Type.Resource(p.resourceType)
	if err != nil || r.Serves == nil {
		return false, "its type serves no addresses of " + p.resourceType
	}
	if name, ok := r.Serves(e.settings, p.address); ok {
		return true, fmt.Sprintf("its type serves %s", name)
	}
	if _, err := r.Parse(e.settings.Values, p.address); err != nil {
		return false, err.Error()
	}
	return false, "it serves that address only when it is named, with --connector"
}

// Failure is the error that an explanation comes down to: nil when a credential
// would be handed out.
func (x Explanation) Failure() error {
	switch {
	case x.Err != nil:
		return x.Err
	case x.Located == nil:
		return fault.New(fault.NotFound, "no connector serves %s", x.Address).
			Hint("each connector that was looked at is listed with the reason; `svcconn register` adds one")
	}
	return x.LastError
}
