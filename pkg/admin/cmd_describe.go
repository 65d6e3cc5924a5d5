package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

func describeCommand() command {
	return command{
		name: "describe", group: connectorsGroup, summary: "show one connector, or the credential that it hands out",
		doc: `Shows everything that is stored for a connector, but no secret. With --client it shows instead the credential that a consumer of the connector would get, its secrets redacted.

NAME is the name of a connector, its id, or an unambiguous beginning of either.`,
		args: []argument{{name: connectorWord}},
		flags: printing(
			flag{name: "client", usage: "the credential that a consumer would get, secrets redacted"},
			resourceTypeFlag.described("with --client: the class of the resource"), resourceNameFlag.described("with --client: the resource"),
		),
		examples: []example{
			{"what is stored", "svcconn describe hub"},
			{"what docker would get", "svcconn describe hub --client"},
		},
		run: engaged(runDescribe),
	}
}

func runDescribe(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	if in.given("client") || in.text("resource-type") != "" || in.text("resource-name") != "" {
		return in.describeClient(ctx, e, p)
	}
	registered, err := e.broker.Registered(ctx, in.args[0])
	if err != nil {
		return err
	}
	r := recordOf(registered)
	if r.problem != nil {
		p.Notice("svcconn: warning: %v", r.problem)
	}
	return p.Describe(output.Description{Name: r.Name, Value: r, View: in.sheets(r)})
}

func (in invocation) sheets(r record) output.Sheets {
	var resourceTypes []output.Text
	for _, name := range r.ResourceTypes {
		resourceTypes = append(resourceTypes, in.resourceTypeCell(r.Type, name)...)
	}
	skew := "5m0s (default)"
	if r.SkewTolerance != nil {
		skew = *r.SkewTolerance
	}
	main := output.Sheet{Title: fmt.Sprintf("Connector %s", r.Name), Properties: []output.Property{
		{Name: "ID", Value: output.Line(r.ID)},
		{Name: "NAME", Value: output.Line(r.Name)},
		{Name: "TYPE", Value: in.typeCell(r.Type)},
		{Name: "AUTH METHOD", Value: output.Line(r.AuthMethod)},
		{Name: "RESOURCE TYPES", Value: resourceTypes},
		{Name: "RESOURCE NAME", Value: output.Line(r.resourceName())},
		{Name: "SCOPE", Value: output.Line(string(r.Scope))},
		{Name: "DESCRIPTION", Value: output.Line(r.Description)},
		{Name: "EXPIRATION", Value: output.Line(orEmpty(r.Expiration))},
		{Name: "EXPIRES IN", Value: output.ExpiresIn(r.expires, in.world.Now())},
		{Name: "EXPIRES SKEW TOLERANCE", Value: output.Line(skew)},
		{Name: "OWNER", Value: output.Line(r.Owner)},
		{Name: "CREATED AT", Value: output.Line(r.CreatedAt.Format(time.RFC3339))},
		{Name: "UPDATED AT", Value: output.Line(r.UpdatedAt.Format(time.RFC3339))},
	}}
	configuration := output.Sheet{Title: "Configuration"}
	for _, name := range slices.Sorted(maps.Keys(r.Configuration)) {
		configuration.Properties = append(configuration.Properties, output.Property{Name: name, Value: output.Lines(strings.Split(valueText(r.Configuration[name]), "\n")...)})
	}
	for _, name := range r.Secrets {
		configuration.Properties = append(configuration.Properties, output.Property{Name: name, Value: []output.Text{{Value: secret.Redacted, Tone: output.Dim}}})
	}
	sheets := output.Sheets{main, configuration}
	if len(r.Labels) > 0 {
		labels := output.Sheet{Title: "Labels"}
		for _, key := range slices.Sorted(maps.Keys(r.Labels)) {
			labels.Properties = append(labels.Properties, output.Property{Name: key, Value: output.Line(r.Labels[key])})
		}
		sheets = append(sheets, labels)
	}
	return sheets
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// valueText is a plain value as a person would type it.
func valueText(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ", ")
	}
	return strings.TrimSpace(fmt.Sprint(value))
}

// describeClient shows a credential without its secrets.
func (in invocation) describeClient(ctx context.Context, e *engine, p output.Printer) error {
	answer, err := e.call(ctx, wire.GetCredential, wire.CredentialArgs{
		Connector: in.args[0], ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"), Format: agent.FormatRedacted,
	}, in.notices(p))
	if err != nil {
		return err
	}
	var described agent.Description
	if err := json.Unmarshal([]byte(answer.Body.Reveal()), &described); err != nil {
		return fault.New(fault.Failed, "the agent's answer is malformed: %w", err).Hint("svcconn agent stop")
	}
	sheet := output.Sheet{Title: fmt.Sprintf("%s (%s | %s client)", described.Connector, described.ResourceType, described.ResourceName)}
	for _, name := range slices.Sorted(maps.Keys(described.Credential)) {
		value := "never"
		if described.Credential[name] != nil {
			value = fmt.Sprint(described.Credential[name])
		}
		sheet.Properties = append(sheet.Properties, output.Property{Name: strings.ToUpper(strings.ReplaceAll(name, "_", " ")), Value: output.Lines(strings.Split(strings.TrimSpace(value), "\n")...)})
	}
	return p.Describe(output.Description{Name: described.Connector, Value: described, View: output.Sheets{sheet}})
}
