package admin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

// record is a connector as list and describe print it: the JSON of cli.md.
type record struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Type          string            `json:"type"`
	AuthMethod    string            `json:"auth_method"`
	ResourceTypes []string          `json:"resource_types"`
	ResourceName  *string           `json:"resource_name"`
	Scope         connector.Scope   `json:"scope"`
	Labels        map[string]string `json:"labels"`
	Description   string            `json:"description"`
	ExpiresAt     *time.Time        `json:"expires_at"`
	SkewTolerance *string           `json:"expires_skew_tolerance"`
	Expiration    *string           `json:"expiration"`
	Configuration map[string]any    `json:"configuration"`
	Secrets       []string          `json:"secrets"`
	Owner         string            `json:"owner"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`

	icon    string
	problem error
	expires time.Time // when the stored secrets count as expired
}

func recordOf(r broker.Registered) record {
	out := record{
		ID: r.ID, Name: r.Name, Type: r.Type, AuthMethod: r.Method, ResourceTypes: []string{}, Labels: r.Labels,
		Description: r.Description, Configuration: r.Configuration, Secrets: r.Connector.Secrets.Names(), Owner: r.Owner,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), problem: r.Problem, expires: broker.ExpiredAt(r.Connector),
	}
	if r.Problem == nil {
		s := r.Settings
		out.icon, out.AuthMethod, out.ResourceTypes, out.Scope = s.Type.Icon, s.Method.Name, s.ResourceTypes(), s.Scope()
		out.Configuration = s.Values.Plain()
		out.ResourceName = orNil(s.ResourceName)
	}
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	if out.Configuration == nil {
		out.Configuration = map[string]any{}
	}
	if out.Secrets == nil {
		out.Secrets = []string{}
	}
	if !r.ExpiresAt.IsZero() {
		at := r.ExpiresAt.UTC()
		out.ExpiresAt = &at
	}
	if r.SkewTolerance != nil {
		out.SkewTolerance = orNil(r.SkewTolerance.String())
	}
	if r.Expiration != 0 {
		out.Expiration = orNil(r.Expiration.String())
	}
	return out
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// resourceName is what the table shows: <multiple> where there may be several.
func (r record) resourceName() string {
	switch {
	case r.ResourceName != nil:
		return *r.ResourceName
	case r.problem == nil && r.Scope != connector.SingleInstance:
		return "<multiple>"
	}
	return ""
}

// labelLines are the labels, a line each, sorted.
func (r record) labelLines() []string {
	var lines []string
	for key, value := range r.Labels {
		lines = append(lines, key+":"+value)
	}
	slices.Sort(lines)
	return lines
}

// sortKeys are what --sort takes.
var sortKeys = map[string]func(a, b record) int{
	"name":        func(a, b record) int { return strings.Compare(a.Name, b.Name) },
	"type":        func(a, b record) int { return strings.Compare(a.Type, b.Type) },
	"auth_method": func(a, b record) int { return strings.Compare(a.AuthMethod, b.AuthMethod) },
	"owner":       func(a, b record) int { return strings.Compare(a.Owner, b.Owner) },
	"created_at":  func(a, b record) int { return a.CreatedAt.Compare(b.CreatedAt) },
	"updated_at":  func(a, b record) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
	"expires_at":  func(a, b record) int { return compareExpiry(a.expires, b.expires) },
}

// compareExpiry puts what never expires last.
func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() || b.IsZero():
		return cmp.Compare(boolInt(a.IsZero()), boolInt(b.IsZero()))
	}
	return a.Compare(b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortRecords sorts by a key; "desc:KEY" turns it round.
func sortRecords(records []record, by string) error {
	key, descending := strings.CutPrefix(by, "desc:")
	key = strings.ReplaceAll(strings.TrimPrefix(key, "asc:"), "-", "_")
	compare, ok := sortKeys[key]
	if !ok {
		var names []string
		for name := range sortKeys {
			names = append(names, name)
		}
		slices.Sort(names)
		return fault.New(fault.Invalid, "connectors are not sorted by %q", by).
			Hint("--sort takes one of: %s; desc: before it turns the order round", strings.Join(names, ", "))
	}
	slices.SortStableFunc(records, func(a, b record) int {
		if descending {
			return compare(b, a)
		}
		return compare(a, b)
	})
	return nil
}

// resourceListing shows what connectors reach, a row for each connector and resource
// type.
func (a *app) resourceListing(rows []wire.ResourceRow, empty string) output.Listing[wire.ResourceRow] {
	return output.Listing[wire.ResourceRow]{Rows: rows, Empty: empty, Columns: []output.Column[wire.ResourceRow]{
		{Title: "CONNECTOR ID", Cell: func(r wire.ResourceRow) []output.Text { return output.Line(r.ConnectorID) }},
		{Title: "CONNECTOR NAME", Cell: func(r wire.ResourceRow) []output.Text { return output.Line(r.ConnectorName) }},
		{Title: "CONNECTOR TYPE", Cell: func(r wire.ResourceRow) []output.Text { return a.typeCell(r.ConnectorType) }},
		{Title: "RESOURCE TYPE", Cell: func(r wire.ResourceRow) []output.Text { return a.resourceTypeCell(r.ConnectorType, r.ResourceType) }},
		{Title: "RESOURCE NAMES", Name: true, Cell: resourceNamesCell},
	}}
}

func resourceNamesCell(r wire.ResourceRow) []output.Text {
	switch {
	case r.Error != nil:
		return []output.Text{{Value: "error: " + *r.Error, Icon: "💥", Tone: output.Bad}}
	case len(r.ResourceNames) == 0:
		return []output.Text{{Value: "none listed", Icon: "🤷", Tone: output.Dim}}
	}
	return output.Lines(r.ResourceNames...)
}

// typeCell is a connector type with its icon.
func (a *app) typeCell(name string) []output.Text {
	if name == "" {
		return nil
	}
	text := output.Text{Value: name}
	if t, err := a.types.Find(name); err == nil {
		text.Icon = t.Icon
	}
	return []output.Text{text}
}

// resourceTypeCell is a resource type with the icon that the connector type gives it.
func (a *app) resourceTypeCell(connectorType, name string) []output.Text {
	if name == "" {
		return nil
	}
	text := output.Text{Value: name}
	if t, err := a.types.Find(connectorType); err == nil {
		if r, err := t.Resource(name); err == nil {
			text.Icon = r.Icon
		}
	}
	return []output.Text{text}
}

// sortRows puts rows in the order of connector and resource type.
func sortRows(rows []wire.ResourceRow) {
	slices.SortStableFunc(rows, func(a, b wire.ResourceRow) int {
		return cmp.Or(strings.Compare(a.ConnectorName, b.ConnectorName), strings.Compare(a.ResourceType, b.ResourceType))
	})
}
