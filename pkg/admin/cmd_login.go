package admin

import (
	"context"
	"fmt"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
)

func loginCommand() command {
	return command{
		name: "login", group: useGroup, summary: "point a native tool at svcconn",
		doc:      "Writes into a native tool's own configuration that it shall ask svcconn for credentials. No credential is written anywhere; logout takes it back exactly.",
		commands: []command{loginDockerCommand(), loginKubectlCommand(), loginAWSCommand(), loginGcloudCommand()},
	}
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
