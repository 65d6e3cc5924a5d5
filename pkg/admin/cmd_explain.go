package admin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func explainCommand() command {
	return command{
		name: "explain", group: useGroup, summary: "tell why an address gets, or does not get, a credential",
		doc: `Tells the whole decision about a registry, however it is spelled: which tools would ask svcconn for it and which file of theirs decides that, which connector serves it and why, what is kept until when, and what went wrong last. Nothing is asked of any service.

The exit code is that of the decision: 0 when a credential would be handed out, 3 when no connector serves the address, 7 when several do.`,
		args:     []argument{{name: "HOST"}},
		flags:    printing(),
		examples: []example{{"why does docker go anonymous?", "svcconn explain registry.example.com"}},
		run:      engaged(runExplain),
	}
}

func runExplain(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	answer, err := e.call(ctx, wire.Explain, wire.ExplainArgs{Subject: in.args[0]}, in.notices(p))
	if err != nil {
		return err
	}
	x, err := decode[wire.Explanation](answer)
	if err != nil {
		return err
	}
	for _, f := range clientconfig.ExplainDocker(e.clientEnv(), dockerKeys(x.Address)) {
		x.Clients = append(x.Clients, wire.ClientFile{Tool: f.Tool, File: f.File, Leads: f.Leads, Reason: f.Reason})
	}
	if err := p.Describe(output.Description{Name: x.Address, Value: x, View: in.explanation(x)}); err != nil {
		return err
	}
	if x.Connector != "" && !slices.ContainsFunc(x.Clients, func(c wire.ClientFile) bool { return c.Leads }) {
		p.Notice("No tool asks svcconn for it yet: svcconn login docker %s", x.Address)
	}
	return x.LastError.Fault()
}

func (in invocation) explanation(x wire.Explanation) output.Sheets {
	decision := output.Sheet{Title: x.Verdict, Properties: []output.Property{
		{Name: "ASKED FOR", Value: output.Line(x.Subject)},
		{Name: "ADDRESS", Value: output.Line(x.Address)},
		{Name: "RESOURCE TYPE", Value: output.Line(x.ResourceType)},
		{Name: "CONNECTOR", Value: output.Line(x.Connector)},
		{Name: "BECAUSE", Value: output.Line(x.Reason)},
		{Name: "KEPT", Value: output.Line(in.kept(x.Kept))},
	}}
	for _, c := range x.Clients {
		leads := "does not lead here"
		tone := output.Warn
		if c.Leads {
			leads, tone = "leads here", output.Good
		}
		decision.Properties = append(decision.Properties, output.Property{Name: c.Tool, Value: []output.Text{{Value: leads, Tone: tone}, {Value: c.Reason}, {Value: c.File, Tone: output.Dim}}})
	}
	candidates := output.Sheet{Title: "Connectors that were looked at"}
	for _, c := range x.Candidates {
		serves := "serves it"
		if !c.Serves {
			serves = "does not serve it"
		}
		candidates.Properties = append(candidates.Properties, output.Property{Name: c.Connector, Value: output.Lines(serves, c.Reason)})
	}
	if len(x.Candidates) == 0 {
		return output.Sheets{decision}
	}
	return output.Sheets{decision, candidates}
}

func (in invocation) kept(k *wire.Kept) string {
	if k == nil {
		return "nothing yet"
	}
	return fmt.Sprintf("a credential minted %s ago, for another %s", output.Span(in.world.Now().Sub(k.Minted)), output.Span(k.Until.Sub(in.world.Now()).Round(time.Second)))
}
