package admin

import (
	"context"
	"slices"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
)

// methodIcon marks auth methods.
const methodIcon = "🔒"

func listTypesCommand() command {
	return command{
		name:    "list-types",
		group:   groupTypes,
		summary: "list the connector types",
		doc:     "Lists the kinds of service that svcconn can reach, with the resource types that each gives access to and the ways to authenticate.",
		flags: printing(
			resourceTypeFlag.described("only connector types that give access to this class of resources"),
			authMethodFlag.described("only connector types that have this auth method"),
		),
		examples: []example{
			{"all connector types", "svcconn list-types"},
			{"those that reach container registries, by name alone", "svcconn list-types --resource-type docker-registry -o name"},
		},
		run: listTypes,
	}
}

// typeRow is the JSON of a connector type in a list.
type typeRow struct {
	Name          string   `json:"name"`
	Type          string   `json:"type"`
	ResourceTypes []string `json:"resource_types"`
	AuthMethods   []string `json:"auth_methods"`
	Local         bool     `json:"local"`  // everything that svcconn has runs here
	Remote        bool     `json:"remote"` // and would run on a server

	declared *connector.Type
}

func newTypeRow(t *connector.Type) typeRow {
	return typeRow{
		Name: t.Title, Type: t.Name, ResourceTypes: t.ResourceNames(), AuthMethods: t.MethodNames(),
		Local: true, Remote: true, declared: t,
	}
}

func listTypes(_ context.Context, in invocation) error {
	p, err := in.printer()
	if err != nil {
		return err
	}
	resource, method := in.text(resourceTypeFlag.name), in.text(authMethodFlag.name)
	if err := in.knownWords(resource, method); err != nil {
		return err
	}
	listing := output.Listing[typeRow]{Columns: typeColumns(), Empty: "No connector type has both."}
	for _, t := range in.types {
		if (resource == "" || slices.Contains(t.ResourceNames(), resource)) && (method == "" || slices.Contains(t.MethodNames(), method)) {
			listing.Rows = append(listing.Rows, newTypeRow(t))
		}
	}
	return output.List(p, listing)
}

// knownWords checks that some connector type has the resource type and the auth
// method; empty ones are not looked for.
func (a *app) knownWords(resource, method string) error {
	if resource != "" {
		if err := a.types.FindResource(resource); err != nil {
			return err
		}
	}
	if methods := a.methodNames(); method != "" && !slices.Contains(methods, method) {
		return fault.New(fault.NotFound, "unknown auth method %q", method).Hint("%s", didYouMean(method, methods))
	}
	return nil
}

// methodNames are the auth methods of all connector types, each once.
func (a *app) methodNames() []string {
	var names []string
	for _, t := range a.types {
		names = append(names, t.MethodNames()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func typeColumns() []output.Column[typeRow] {
	return []output.Column[typeRow]{
		{Title: "NAME", Cell: func(r typeRow) []output.Text { return output.Line(r.Name) }},
		{Title: "TYPE", Name: true, Cell: func(r typeRow) []output.Text {
			return []output.Text{{Value: r.Type, Icon: r.declared.Icon}}
		}},
		{Title: "RESOURCE TYPES", Cell: func(r typeRow) []output.Text { return resourceTypeTexts(r.declared) }},
		{Title: "AUTH METHODS", Cell: func(r typeRow) []output.Text { return output.Lines(r.AuthMethods...) }},
		{Title: "LOCAL", Cell: func(r typeRow) []output.Text { return output.YesNo(r.Local) }},
		{Title: "REMOTE", Cell: func(r typeRow) []output.Text { return output.YesNo(r.Remote) }},
	}
}

// resourceTypeTexts are a connector type's resource types with their icons.
func resourceTypeTexts(t *connector.Type) []output.Text {
	texts := make([]output.Text, len(t.Resources))
	for i, r := range t.Resources {
		texts[i] = output.Text{Value: r.Name, Icon: r.Icon}
	}
	return texts
}
