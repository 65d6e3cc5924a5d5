package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

func agentCommand() command {
	return command{
		name: "agent", group: useGroup, summary: "the background process that holds minted credentials",
		doc: `The agent holds minted credentials, in memory alone, and refreshes them before they expire. It is started by whoever asks first and ends some minutes after its last credential has expired; there is no need to run it by hand. SVCCONN_AGENT=off does without it.`,
		commands: []command{
			{
				name: "status", summary: "what the agent holds and until when, never the values",
				doc:      "Shows whether the agent runs, and which credentials it keeps until when. It does not start one.",
				flags:    printing(),
				examples: []example{{"what is kept?", "svcconn agent status"}},
				run:      engaged(runAgentStatus),
			},
			{
				name: "stop", summary: "end the agent; what it holds is gone",
				doc:      "Ends the agent. What it held in memory is gone; whoever needs a credential next starts it anew.",
				examples: []example{{"forget everything, the passphrase of the secret store too", "svcconn agent stop"}},
				run:      engaged(runAgentStop),
			},
			{
				name: "forget", summary: "drop the kept credentials of one connector, or all",
				doc:      "Drops kept credentials, so that the next request mints anew.",
				args:     []argument{{name: connectorWord, optional: true}},
				examples: []example{{"the registry refuses what docker was given: get it anew", "svcconn agent forget hub"}},
				run:      engaged(runAgentForget),
			},
			{
				name: "unlock", summary: "give the agent the passphrase of the file secret store",
				doc:      "Asks for the passphrase of the file secret store, or reads it from the file that SVCCONN_PASSPHRASE_FILE names, and gives it to the agent, which then asks no more for as long as it lives.",
				examples: []example{{"before a build that runs where nobody can be asked", "svcconn agent unlock"}},
				run:      engaged(runAgentUnlock),
			},
			{
				name: "run", summary: "be the agent, in the foreground",
				doc: "Is the agent, until it has nothing left to hold. Programs start it; by hand it serves to see what it does.",
				flags: []flag{
					{name: "background", usage: "say so on stdout once it listens, for the program that starts it"},
					{name: "stdio", usage: "answer one program on stdin and stdout instead"},
				},
				examples: []example{{"watch it end by itself", "svcconn agent run"}},
				run:      runAgentRun,
			},
		},
	}
}

// running reaches the agent without starting one; nil when none runs.
func (e *engine) running() (*agentclient.Client, error) {
	client, err := e.client(nil)
	if err != nil {
		return nil, err
	}
	conn, err := client.Dial()
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err == nil {
		err = conn.Close()
	}
	return client, err
}

func runAgentStatus(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	client, err := e.running()
	if err != nil {
		return err
	}
	status := wire.Status{Config: e.dirs.Config, Kept: []wire.Kept{}}
	if status.Socket, err = agentclient.Socket(e.dirs.Runtime); err != nil {
		return err
	}
	if client != nil {
		answer, err := client.Call(ctx, wire.AgentStatus, nil, secret.Text{})
		if err != nil {
			return err
		}
		if status, err = decode[wire.Status](answer); err != nil {
			return err
		}
	}
	return p.Describe(output.Description{Name: status.Socket, Value: status, View: in.statusSheets(status)})
}

// times is how often a kept credential was handed out again.
func times(uses int64) string {
	switch uses {
	case 0:
		return "not used again"
	case 1:
		return "used once more"
	}
	return fmt.Sprintf("used %d times more", uses)
}

func (in invocation) statusSheets(s wire.Status) output.Sheets {
	if !s.Running {
		return output.Sheets{{Title: "No agent is running; the next request starts one.", Properties: []output.Property{
			{Name: "SOCKET", Value: output.Line(s.Socket)}, {Name: "CONFIGURATION", Value: output.Line(s.Config)}}}}
	}
	now := in.world.Now()
	sheets := output.Sheets{{Title: "The agent is running", Properties: []output.Property{
		{Name: "PID", Value: output.Line(fmt.Sprint(s.PID))},
		{Name: "RELEASE", Value: output.Line(s.Release)},
		{Name: "RUNNING FOR", Value: output.Line(output.Span(now.Sub(*s.Started)))},
		{Name: "ENDS IN", Value: output.Line(output.Span(s.ExitsAt.Sub(now)))},
		{Name: "SOCKET", Value: output.Line(s.Socket)},
		{Name: "CONFIGURATION", Value: output.Line(s.Config)},
		{Name: "FILE SECRET STORE", Value: output.Line(map[bool]string{true: "unlocked", false: "locked or not in use"}[s.Unlocked])},
	}}}
	kept := output.Sheet{Title: "Kept credentials"}
	for _, k := range s.Kept {
		until := "kept for another " + output.Span(k.Until.Sub(now).Round(time.Second))
		if k.Expires != nil {
			until = "expires in " + output.Span(k.Expires.Sub(now).Round(time.Second))
		}
		kept.Properties = append(kept.Properties, output.Property{Name: k.Connector, Value: output.Lines(k.ResourceName, until, times(k.Uses))})
	}
	if len(s.Kept) > 0 {
		sheets = append(sheets, kept)
	}
	return sheets
}

func runAgentStop(ctx context.Context, in invocation, e *engine, _ output.Printer) error {
	client, err := e.running()
	if err != nil {
		return err
	}
	if client == nil {
		in.tell(ctx, "No agent is running.")
		return nil
	}
	if _, err := client.Call(ctx, wire.AgentStop, nil, secret.Text{}); err != nil {
		return err
	}
	in.tell(ctx, "The agent has ended.")
	return nil
}

func runAgentForget(ctx context.Context, in invocation, e *engine, _ output.Printer) error {
	client, err := e.running()
	if err != nil {
		return err
	}
	forgot := wire.Forgot{}
	if client != nil {
		answer, err := client.Call(ctx, wire.AgentForget, wire.ForgetArgs{Connector: strings.Join(in.args, "")}, secret.Text{})
		if err != nil {
			return err
		}
		if forgot, err = decode[wire.Forgot](answer); err != nil {
			return err
		}
	}
	in.tell(ctx, dropped(forgot.Credentials))
	return nil
}

func runAgentUnlock(ctx context.Context, in invocation, e *engine, _ output.Printer) error {
	if e.world.Getenv("SVCCONN_AGENT") == "off" {
		return fault.New(fault.Invalid, "there is no agent to unlock: SVCCONN_AGENT is off").
			Hint("name a file with the passphrase in SVCCONN_PASSPHRASE_FILE, or unset SVCCONN_AGENT")
	}
	if err := e.unlock(ctx); err != nil {
		return err
	}
	in.tell(ctx, "The agent can read the file secret store until it ends.")
	return nil
}

func runAgentRun(ctx context.Context, in invocation) error {
	proc.Scrub(agentclient.AgentEnv(in.world.Env))
	e, err := in.engine()
	if err != nil {
		return in.announced(err)
	}
	defer e.close()
	return in.announced(e.runAgent(ctx, in.types, in.given("stdio"), in.given("background")))
}

// announced tells the program that starts the agent why it does not start: it reads one
// line of stdout.
func (in invocation) announced(err error) error {
	if err != nil && in.given("background") {
		fmt.Fprintln(in.world.Stdout, strings.Join(strings.Fields(err.Error()), " "))
	}
	return err
}

func dropped(credentials int) string {
	if credentials == 1 {
		return "Dropped 1 kept credential."
	}
	return fmt.Sprintf("Dropped %d kept credentials.", credentials)
}
