package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/output"
)

func listCommand() command {
	return command{
		name: "list", group: connectorsGroup, summary: "list the registered connectors",
		doc: "Lists the registered connectors, without asking any service. Filters narrow the list; several labels must all match.",
		flags: printing(
			typeFlag, authMethodFlag, resourceTypeFlag, resourceNameFlag,
			flag{name: "label", short: "l", value: "KEY[=VALUE]", many: true, usage: "only those with this label; without =VALUE, with any value"},
			flag{name: "sort", value: "KEY", usage: "name, type, auth_method, owner, created_at, updated_at or expires_at; desc: before it turns the order round"},
		),
		examples: []example{
			{"all connectors", "svcconn list"},
			{"those for container registries, as JSON", "svcconn list --resource-type docker-registry -o json"},
			{"those that expire first", "svcconn list --sort expires_at"},
		},
		run: engaged(runList),
	}
}

func runList(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	all, broken, err := e.broker.AllRegistered(ctx)
	if err != nil {
		return err
	}
	records := []record{}
	for _, r := range all {
		if in.wants(r) {
			records = append(records, recordOf(r))
		}
	}
	by := in.text("sort")
	if by == "" {
		by = "name"
	}
	if err := sortRecords(records, by); err != nil {
		return err
	}
	for _, r := range records {
		if r.problem != nil {
			p.Notice("svcconn: warning: %v", r.problem)
		}
	}
	for _, file := range broken {
		p.Notice("svcconn: warning: %v", file.Err)
	}
	return output.List(p, in.listing(records))
}

// wants reports whether a connector passes the filters.
func (in invocation) wants(r broker.Registered) bool {
	record := recordOf(r)
	matches := func(flag, value string) bool { return in.text(flag) == "" || in.text(flag) == value }
	name := ""
	if record.ResourceName != nil {
		name = *record.ResourceName
	}
	wanted := in.text("resource-name")
	if r.Problem == nil && r.Settings.ResourceType != "" {
		if t, err := r.Settings.Type.Resource(r.Settings.ResourceType); err == nil {
			if canonical, err := t.Parse(r.Settings.Values, wanted); err == nil {
				wanted = canonical
			}
		}
	}
	return matches("type", record.Type) && matches("auth-method", record.AuthMethod) &&
		(in.text("resource-type") == "" || slices.Contains(record.ResourceTypes, in.text("resource-type"))) &&
		(in.text("resource-name") == "" || wanted == name) && hasLabels(record.Labels, in.texts("label"))
}

func hasLabels(labels map[string]string, wanted []string) bool {
	for _, want := range wanted {
		key, value, exact := strings.Cut(want, "=")
		has, ok := labels[key]
		if !ok || exact && has != value {
			return false
		}
	}
	return true
}

func (in invocation) listing(records []record) output.Listing[record] {
	now := in.world.Now()
	return output.Listing[record]{
		Rows: records, Empty: "No connectors are registered here that match. `svcconn register --help` shows how to add one.",
		Columns: []output.Column[record]{
			{Title: "NAME", Name: true, Cell: func(r record) []output.Text { return output.Line(r.Name) }},
			{Title: "ID", Cell: func(r record) []output.Text { return output.Line(r.ID) }},
			{Title: "TYPE", Cell: func(r record) []output.Text { return in.typeCell(r.Type) }},
			{Title: "RESOURCE TYPES", Cell: func(r record) []output.Text {
				var cell []output.Text
				for _, name := range r.ResourceTypes {
					cell = append(cell, in.resourceTypeCell(r.Type, name)...)
				}
				return cell
			}},
			{Title: "RESOURCE NAME", Cell: func(r record) []output.Text { return output.Line(r.resourceName()) }},
			{Title: "OWNER", Cell: func(r record) []output.Text { return output.Line(r.Owner) }},
			{Title: "EXPIRES IN", Cell: func(r record) []output.Text { return output.ExpiresIn(r.expires, now) }},
			{Title: "LABELS", Cell: func(r record) []output.Text { return output.Lines(r.labelLines()...) }},
		},
	}
}
