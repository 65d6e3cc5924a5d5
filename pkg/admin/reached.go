package admin

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/wire"
)

// reached is what a connector's service says that it reaches of a resource type.
type reached struct {
	connector registry.Connector
	names     []string
	err       error
}

// ask asks the services of connectors, all at once, what they reach of a resource type;
// or whether they reach the one of a name. Of several, one that fails is told of and left out; the error is for when all fail.
func (in invocation) ask(ctx context.Context, e *engine, p output.Printer, connectors []registry.Connector, resourceType, name string) ([]reached, error) {
	all := make([]reached, len(connectors))
	var asking sync.WaitGroup
	var telling sync.Mutex
	told := in.notices(p)
	for i, c := range connectors {
		asking.Go(func() {
			all[i] = e.askOne(ctx, c, resourceType, name, func(r wire.Reply) error {
				telling.Lock()
				defer telling.Unlock()
				return told(r)
			})
		})
	}
	asking.Wait()
	failed := func(r reached) bool { return r.err != nil }
	if !slices.ContainsFunc(all, func(r reached) bool { return !failed(r) }) && len(all) > 0 {
		return nil, all[0].err
	}
	for _, r := range all {
		if r.err != nil {
			p.Notice("svcconn: warning: %v", r.err)
		}
	}
	return slices.DeleteFunc(all, failed), nil
}

func (e *engine) askOne(ctx context.Context, c registry.Connector, resourceType, name string, told func(wire.Reply) error) reached {
	out := reached{connector: c}
	rows, err := e.resourceRows(ctx, wire.ResourcesArgs{Connector: c.ID, ResourceType: resourceType, ResourceName: name}, told)
	for _, row := range rows {
		if row.Error != nil && err == nil {
			err = fault.New(fault.Failed, "%s", strings.TrimPrefix(*row.Error, "connector "+c.Name+": ")).
				Hint("`svcconn verify %s` tells more", c.Name)
		}
		out.names = append(out.names, row.ResourceNames...)
	}
	out.err = fault.Within(err, "connector %s", c.Name)
	return out
}

// connectorsOf names the connectors of answers.
func connectorsOf(answers []reached) string {
	var names []string
	for _, a := range answers {
		names = append(names, a.connector.Name)
	}
	return strings.Join(names, ", ")
}
