package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// consumer is a native tool that login leads to svcconn for resources that it reaches by
// some of the connectors' credentials.
type consumer struct {
	tool       string // as login calls it: "aws"
	gives      string // what connectors give it, "keys", and
	of         string // of whom: "AWS"
	registered string // the connector type that gives them
	takes      func(*connector.ResourceType) bool
}

// target is what a tool shall be led to svcconn for: a resource, and the connector for it.
type target struct {
	holder   broker.Registered
	resource *connector.ResourceType
	name     string // canonical
}

// bare is the name of its resource without a scheme.
func (t target) bare() string {
	if _, bare, hasScheme := strings.Cut(t.name, "://"); hasScheme {
		return bare
	}
	return t.name
}

// scoped reports whether its connector is for that resource alone.
func (t target) scoped() bool { return t.holder.Settings.ResourceName == t.name }

// targets are the resources that were named or are meant, each with its connector.
func (in invocation) targets(ctx context.Context, e *engine, tool consumer) ([]target, error) {
	if name := in.text("resource-type"); name != "" {
		if err := e.broker.Types().FindResource(name); err != nil {
			return nil, err
		}
	}
	holders, err := tool.holders(ctx, e, in.text("connector"))
	if err != nil {
		return nil, err
	}
	names := in.args
	if len(names) == 0 {
		names = []string{""}
	}
	var targets []target
	for _, name := range names {
		t, err := tool.settle(holders, in.text("resource-type"), name)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// holders are the connectors that give what the tool takes: the one of that name, or all.
func (c consumer) holders(ctx context.Context, e *engine, name string) ([]broker.Registered, error) {
	if name != "" {
		one, err := e.broker.Registered(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case one.Problem != nil:
			return nil, one.Problem
		case len(c.types(one, "")) == 0:
			return nil, fault.New(fault.Invalid, "connector %s gives no %s of %s", one.Name, c.gives, c.of).Hint("`svcconn describe %s` shows what it is for", one.Name)
		}
		return []broker.Registered{one}, nil
	}
	all, _, err := e.broker.AllRegistered(ctx)
	if err != nil {
		return nil, err
	}
	holders := slices.DeleteFunc(all, func(r broker.Registered) bool { return r.Problem != nil || len(c.types(r, "")) == 0 })
	if len(holders) == 0 {
		return nil, fault.New(fault.NotFound, "no connector gives %s of %s", c.gives, c.of).
			Hint("register one first: svcconn register NAME --type %s --auto-configure", c.registered)
	}
	return holders, nil
}

// types are the resource types of a connector that the tool reaches: the one of that name,
// or all.
func (c consumer) types(r broker.Registered, only string) []*connector.ResourceType {
	var out []*connector.ResourceType
	for _, name := range r.Settings.ResourceTypes() {
		t, err := r.Settings.Type.Resource(name)
		if err == nil && c.takes(t) && (only == "" || only == name) {
			out = append(out, t)
		}
	}
	return out
}

// settle finds the one connector, and the one resource type, that a resource is
// meant for. For one that was named, a connector that is for it alone comes before
// others, and a resource type that has but one before those that any name could be of.
func (c consumer) settle(holders []broker.Registered, resourceType, name string) (target, error) {
	var found []target
	var failure error
	for _, holder := range holders {
		for _, t := range c.types(holder, resourceType) {
			_, canonical, err := holder.Settings.Target(t.Name, name)
			if err != nil {
				failure = fault.Within(err, "connector %s", holder.Name)
				continue
			}
			found = append(found, target{holder, t, canonical})
		}
	}
	for _, better := range []func(target) bool{target.scoped, func(t target) bool { return !t.resource.Instances }} {
		if name != "" && slices.ContainsFunc(found, better) {
			found = slices.DeleteFunc(found, func(t target) bool { return !better(t) })
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return target{}, c.severalHolders(found, name)
	case len(holders) == 1 && failure != nil:
		return target{}, failure
	}
	return target{}, fault.New(fault.NotFound, "no connector gives %s for %s", c.gives, strings.TrimSpace(resourceType+" "+name)).
		Hint("`svcconn list` shows what connectors are for")
}

func (c consumer) severalHolders(found []target, name string) error {
	var lines []string
	for _, t := range found {
		lines = append(lines, fmt.Sprintf("connector %s (%s)", t.holder.Name, t.resource.Name))
	}
	what := name
	if what == "" {
		what = "what is meant"
	}
	flags := "--connector " + found[0].holder.Name
	if found[0].holder.ID == found[len(found)-1].holder.ID {
		flags += " --resource-type " + found[0].resource.Name
	}
	return fault.New(fault.Ambiguous, "%s could be reached in several ways: %s", what, strings.Join(lines, ", ")).
		Hint("say which: svcconn login %s %s", c.tool, strings.TrimSpace(flags+" "+name))
}
