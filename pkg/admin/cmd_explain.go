package admin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func explainCommand() command {
	return command{
		name: "explain", group: useGroup, summary: "tell why an address gets, or does not get, a credential",
		doc: `Tells the whole decision about a registry, however it is spelled, or about a cluster: a context of the kubeconfig, the address of an API server, or a cluster's name. It says which tools would ask svcconn for it and which file of theirs decides that, which connector serves it and why, what is kept until when, and what went wrong last. Nothing is asked of any service.

The exit code is that of the decision: 0 when a credential would be handed out, 3 when no connector serves the address, 7 when several do.`,
		args:  []argument{{name: "HOST|CONTEXT|URL"}},
		flags: printing(resourceTypeFlag.described("what is meant, where that could be in doubt: docker-registry or kubernetes-cluster")),
		examples: []example{
			{"why does docker go anonymous?", "svcconn explain registry.example.com"},
			{"who gives kubectl its credential?", "svcconn explain prod"},
		},
		run: engaged(runExplain),
	}
}

func runExplain(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	ask := wire.ExplainArgs{Subject: in.args[0], ResourceType: in.text("resource-type")}
	var kube *clientconfig.KubeSubject
	if ask.ResourceType != broker.DockerRegistry {
		kube = clientconfig.ExplainKube(e.clientEnv(), in.args[0])
	}
	if kube != nil {
		ask = kubeSubject(*kube, ask)
	}
	answer, err := e.call(ctx, wire.Explain, ask, in.notices(p))
	if err != nil {
		return err
	}
	x, err := decode[wire.Explanation](answer)
	if err != nil {
		return err
	}
	x.Subject = in.args[0]
	x.Clients = e.clientFiles(x, kube)
	if err := p.Describe(output.Description{Name: x.Address, Value: x, View: in.explanation(x)}); err != nil {
		return err
	}
	if x.Connector != "" && !slices.ContainsFunc(x.Clients, func(c wire.ClientFile) bool { return c.Leads }) {
		p.Notice("No tool asks svcconn for it yet: svcconn login docker %s", x.Address)
	}
	return x.LastError.Fault()
}

// kubeSubject asks for the cluster that a context leads to, rather than for its name.
func kubeSubject(kube clientconfig.KubeSubject, ask wire.ExplainArgs) wire.ExplainArgs {
	ask.ResourceType = broker.KubernetesCluster
	switch {
	case kube.Cluster != "":
		ask.Subject, ask.Connector = kube.Cluster, kube.Connector
	case kube.Server != "":
		ask.Subject = kube.Server
	}
	return ask
}

// clientFiles are the files of native tools that have to do with an address.
func (e *engine) clientFiles(x wire.Explanation, kube *clientconfig.KubeSubject) []wire.ClientFile {
	var findings []clientconfig.Finding
	switch {
	case kube != nil:
		findings = kube.Findings
	case x.ResourceType == broker.DockerRegistry:
		findings = clientconfig.ExplainDocker(e.clientEnv(), dockerKeys(x.Address))
	default:
		findings = clientconfig.NoKubeContext(e.clientEnv(), x.Address)
	}
	out := []wire.ClientFile{}
	for _, f := range findings {
		out = append(out, wire.ClientFile{Tool: f.Tool, File: f.File, Leads: f.Leads, Reason: f.Reason})
	}
	return out
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
