package admin

import (
	"context"
	"fmt"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
)

func loginCommand() command {
	return command{
		name: "login", group: useGroup, summary: "point a native tool at svcconn",
		doc:      "Writes into a native tool's own configuration that it shall ask svcconn for credentials. No credential is written anywhere; logout takes it back exactly.",
		commands: []command{loginDockerCommand(), loginKubectlCommand()},
	}
}

func loginDockerCommand() command {
	return command{
		name: "docker", summary: "point docker, and podman, skopeo and buildah where they are in use, at svcconn",
		doc: `Adds an entry for each registry to docker's config.json (credHelpers), and to the auth.json of podman, skopeo and buildah where they are installed. Only those entries change; svcconn logout docker takes them back, to the byte.

Without a REGISTRY, all registries that the connectors serve, or that of --connector. --connector also settles which of several connectors serves the registry. --default makes svcconn docker's helper for every registry that has no helper of its own.`,
		args: []argument{{name: "REGISTRY", optional: true, many: true}},
		flags: printing(connectorFlag.described("the connector that shall serve the registry"), dryRunFlag,
			flag{name: "default", usage: "for all registries that have no helper of their own (docker's credsStore)"},
			flag{name: "containers", usage: "the file of podman, skopeo and buildah too, although none is installed"}),
		examples: []example{
			{"one registry", "svcconn login docker registry.example.com"},
			{"see first", "svcconn login docker registry.example.com --dry-run"},
			{"two connectors serve it: this one shall", "svcconn login docker registry.example.com --connector team"},
		},
		run: engaged(runLoginDocker),
	}
}

func runLoginDocker(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	pins, registries, err := in.registriesToLogIn(ctx, e)
	if err != nil {
		return err
	}
	var keys []string
	for _, name := range registries {
		keys = append(keys, dockerKeys(name)...)
	}
	plan, err := clientconfig.PlanDockerLogin(e.clientEnv(), keys, clientconfig.Options{Default: in.given("default"), Containers: in.given("containers")})
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	for _, pin := range pins {
		if err := e.broker.Pin(ctx, pin); err != nil {
			return err
		}
	}
	return in.applyPlan(ctx, p, plan, "docker already asks svcconn for that.")
}

// registriesToLogIn are the registries that were named or are meant, canonical, and the
// pins that --connector asks for.
func (in invocation) registriesToLogIn(ctx context.Context, e *engine) ([]registry.Pin, []string, error) {
	wanted := in.args
	if in.text("connector") == "" {
		registries, err := in.servedRegistries(ctx, e, wanted)
		return nil, registries, err
	}
	if len(wanted) == 0 {
		wanted = []string{""}
	}
	var pins []registry.Pin
	var registries []string
	for _, name := range wanted {
		located, err := e.broker.Resolve(ctx, broker.Request{Connector: in.text("connector"), ResourceType: broker.DockerRegistry, ResourceName: name})
		if err != nil {
			return nil, nil, err
		}
		pins = append(pins, registry.Pin{ResourceType: located.ResourceType, Address: located.ResourceName, Connector: located.Connector.ID, ResourceName: located.ResourceName})
		registries = append(registries, located.ResourceName)
	}
	return pins, registries, nil
}

// servedRegistries are the registries that were named, each served by a connector, or
// all that are served.
func (in invocation) servedRegistries(ctx context.Context, e *engine, wanted []string) ([]string, error) {
	var registries []string
	for _, address := range wanted {
		located, err := e.broker.Locate(ctx, broker.DockerRegistry, address)
		if err != nil {
			return nil, err
		}
		if located == nil {
			return nil, fault.New(fault.NotFound, "no connector serves %s", address).
				Hint("register one first: svcconn register NAME --type docker --set registry=%s --set username=USER --set password=-", address)
		}
		registries = append(registries, located.ResourceName)
	}
	if len(wanted) > 0 || in.given("default") {
		return registries, nil
	}
	logins, err := e.broker.Logins(ctx)
	if err != nil {
		return nil, err
	}
	for _, login := range logins {
		registries = append(registries, login.Registry)
	}
	if len(registries) == 0 {
		return nil, fault.New(fault.NotFound, "no connector serves a registry").
			Hint("register one first: svcconn register NAME --type docker --set registry=HOST --set username=USER --set password=-")
	}
	return registries, nil
}

// change is a change of a native tool's file, for programs.
type change struct {
	File   string `json:"file"`
	Tool   string `json:"tool"`
	Key    string `json:"key"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func changesOf(plan *clientconfig.Plan) []change {
	out := []change{}
	for _, c := range plan.Changes() {
		out = append(out, change{c.File, c.Tool, c.Key, c.Before, c.After})
	}
	return out
}

// showPlan prints what would change: a diff for people.
func (in invocation) showPlan(p output.Printer, plan *clientconfig.Plan) error {
	if p.Format != output.Table {
		return output.List(p, changeListing(changesOf(plan)))
	}
	for _, notice := range plan.Notices() {
		p.Notice("%s", notice)
	}
	if plan.Empty() {
		p.Notice("Nothing would change.")
		return nil
	}
	_, err := fmt.Fprint(p.Out, plan.Diff())
	return err
}

// applyPlan changes the files and says what was changed.
func (in invocation) applyPlan(ctx context.Context, p output.Printer, plan *clientconfig.Plan, nothing string) error {
	if err := plan.Apply(ctx); err != nil {
		return err
	}
	for _, notice := range plan.Notices() {
		p.Notice("%s", notice)
	}
	listing := changeListing(changesOf(plan))
	listing.Empty = nothing
	return output.List(p, listing)
}

func changeListing(changes []change) output.Listing[change] {
	return output.Listing[change]{Rows: changes, Empty: "Nothing changes.", Columns: []output.Column[change]{
		{Title: "TOOL", Cell: func(c change) []output.Text { return output.Line(c.Tool) }},
		{Title: "KEY", Name: true, Cell: func(c change) []output.Text { return output.Line(c.Key) }},
		{Title: "BEFORE", Cell: func(c change) []output.Text { return output.Line(c.Before) }},
		{Title: "NOW", Cell: func(c change) []output.Text { return output.Line(c.After) }},
		{Title: "FILE", Cell: func(c change) []output.Text { return output.Line(c.File) }},
	}}
}
