package admin

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func listResourcesCommand() command {
	return command{
		name: "list-resources", group: connectorsGroup, summary: "list everything that the connectors reach",
		doc: "Asks all services at once what the connectors reach. A connector that fails has its error in its row, and hides no other. --resource-type and --resource-name narrow the question and make it quick.",
		flags: printing(
			flag{name: "connector", short: "c", value: connectorWord, usage: "only this connector"},
			flag{name: "connector-type", value: typeWord, usage: "only connectors of this type"},
			resourceTypeFlag, resourceNameFlag,
			flag{name: "exclude-errors", short: "e", usage: "leave out the connectors that fail"},
		),
		examples: []example{
			{"everything", "svcconn list-resources"},
			{"which connector reaches this registry?", "svcconn list-resources --resource-type docker-registry --resource-name registry.example.com"},
		},
		run: engaged(runListResources),
	}
}

func runListResources(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	rows, err := e.resourceRows(ctx, wire.ResourcesArgs{
		Connector: in.text("connector"), ConnectorType: in.text("connector-type"),
		ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"),
	}, in.notices(p))
	if err != nil {
		return err
	}
	if in.given("exclude-errors") {
		rows = slices.DeleteFunc(rows, func(r wire.ResourceRow) bool { return r.Error != nil })
	}
	sortRows(rows)
	if p.Format == output.Name {
		rows = in.named(p, rows)
	}
	return output.List(p, in.resourceListing(rows, "No registered connector reaches a resource that matches. `svcconn list` shows what is registered."))
}

// resourceRows asks the agent what connectors reach.
func (e *engine) resourceRows(ctx context.Context, args wire.ResourcesArgs, told func(wire.Reply) error) ([]wire.ResourceRow, error) {
	rows := []wire.ResourceRow{}
	_, err := e.call(ctx, wire.Resources, args, func(reply wire.Reply) error {
		if reply.Event != wire.Item {
			return told(reply)
		}
		var row wire.ResourceRow
		err := json.Unmarshal(reply.Data, &row)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

// named keeps what has names; what failed is told on stderr, since a bare list has no
// place for it.
func (in invocation) named(p output.Printer, rows []wire.ResourceRow) []wire.ResourceRow {
	var out []wire.ResourceRow
	for _, row := range rows {
		if row.Error != nil {
			p.Notice("svcconn: warning: %s", *row.Error)
		}
		if len(row.ResourceNames) > 0 {
			out = append(out, row)
		}
	}
	return out
}

// notices passes what the agent has to say on to the person.
func (in invocation) notices(p output.Printer) func(wire.Reply) error {
	return func(reply wire.Reply) error {
		if reply.Event == wire.Notice {
			p.Notice("svcconn: %s", reply.Text)
		}
		return nil
	}
}
