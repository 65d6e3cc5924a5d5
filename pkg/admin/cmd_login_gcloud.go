package admin

import (
	"context"
	"os"
	"slices"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// gcloudConsumer is what reads the configurations of gcloud.
var gcloudConsumer = consumer{
	tool: clientconfig.Gcloud, gives: "access tokens", of: "Google", registered: "gcp",
	takes: func(t *connector.ResourceType) bool { return t.Gcloud != nil },
}

func loginGcloudCommand() command {
	return command{
		name: "gcloud", summary: "point gcloud, Terraform and every SDK of Google at svcconn",
		doc: `Writes a configuration of gcloud for each RESOURCE (CLOUDSDK_CONFIG, or else ~/.config/gcloud), and a credential file that it names, whose executable asks svcconn. No token is written, and nobody is asked: it works without network. The active configuration stays what it is unless --use is given: gcloud --configuration NAME takes the new one. svcconn logout gcloud takes all back, to the byte. A configuration with that name that svcconn did not write is never overwritten.

The credential file serves Terraform and the SDKs too: GOOGLE_APPLICATION_CREDENTIALS names it. They, and gcloud, run an executable only where GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 is set. The agent of svcconn gives them their tokens at a port of 127.0.0.1 that the file names; if another program has taken that port, the next login chooses another one for all files.

Without a RESOURCE, what the connector gives tokens for as a whole: its project. The configuration is then called like the connector; for a bucket CONNECTOR-BUCKET.`,
		args: []argument{{name: "RESOURCE", optional: true, many: true}},
		flags: printing(connectorFlag.described("the connector that shall give the tokens"), resourceTypeFlag.described("the class of the RESOURCE, where its name does not tell"), accessFlag,
			flag{name: "configuration", value: "NAME", usage: "what the configuration is called"},
			flag{name: "use", usage: "make it the active configuration"}, dryRunFlag),
		examples: []example{
			{"a project", "svcconn login gcloud --connector gcp-prod && gcloud storage ls --configuration gcp-prod"},
			{"one bucket, to read from", "svcconn login gcloud --connector gcp-prod gs://zenfiles --access read"},
			{"see first", "svcconn login gcloud --connector gcp-prod --use --dry-run"},
		},
		run: engaged(runLoginGcloud),
	}
}

func runLoginGcloud(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	logins, err := in.gcloudLogins(ctx, e)
	if err != nil {
		return err
	}
	exchange, err := e.exchangeAddress(ctx)
	if err != nil {
		return err
	}
	plan, err := clientconfig.PlanGcloudLogin(e.clientEnv(), logins, exchange, in.given("use"))
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	if err := in.applyPlan(ctx, p, plan, "gcloud already asks svcconn for that."); err != nil {
		return err
	}
	for _, l := range logins {
		line := "For the SDKs: export GOOGLE_APPLICATION_CREDENTIALS=" + e.clientEnv().GcloudCredentials(l.Configuration)
		if l.Says.Project != "" {
			line += " GOOGLE_CLOUD_PROJECT=" + l.Says.Project
		}
		p.Notice("%s", line)
	}
	return nil
}

// gcloudLogins are the logins to the resources that were named or are meant.
func (in invocation) gcloudLogins(ctx context.Context, e *engine) ([]clientconfig.GcloudLogin, error) {
	readOnly, err := in.readOnly()
	if err != nil {
		return nil, err
	}
	targets, err := in.targets(ctx, e, gcloudConsumer)
	if err != nil {
		return nil, err
	}
	if len(targets) > 1 && (in.text("configuration") != "" || in.given("use")) {
		return nil, fault.New(fault.Invalid, "--configuration and --use are for one resource, and %d are meant", len(targets)).Hint("name one resource")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fault.New(fault.Failed, "where svcconn is cannot be told: %w", err)
	}
	command, err := clientconfig.GcloudCommand(e.clientEnv(), self)
	if err != nil {
		return nil, err
	}
	var logins []clientconfig.GcloudLogin
	for _, t := range targets {
		logins = append(logins, clientconfig.GcloudLogin{
			Configuration: t.configuration(in.text("configuration")), Connector: t.holder.Name, ResourceType: t.resource.Name, ResourceName: t.name,
			ReadOnly: readOnly, Command: command, Says: t.resource.Gcloud(t.holder.Settings, t.name),
		})
	}
	return logins, nil
}

// configuration is what the configuration for it is called.
func (t target) configuration(given string) string {
	switch {
	case given != "":
		return given
	case !t.resource.Instances:
		return clientconfig.GcloudConfiguration(t.holder.Name)
	}
	return clientconfig.GcloudConfiguration(t.holder.Name + "-" + t.bare())
}

// exchangeAddress is where the agent shall exchange tokens for gcloud: where the credential
// files say, if the agent is there or can be, else somewhere that is free.
func (e *engine) exchangeAddress(ctx context.Context) (string, error) {
	known, err := e.clientEnv().GcloudExchange()
	if err != nil {
		return "", err
	}
	if known != "" && (agent.ExchangeIsFree(known) == nil || e.exchangesAt(ctx, known)) {
		return known, nil
	}
	return agent.FreeExchange()
}

// exchangesAt reports whether a running agent listens at an address of an exchange.
func (e *engine) exchangesAt(ctx context.Context, address string) bool {
	client, err := e.running()
	if err != nil || client == nil {
		return false
	}
	answer, err := client.Call(ctx, wire.AgentStatus, nil, secret.Text{})
	if err != nil {
		return false
	}
	status, err := decode[wire.Status](answer)
	return err == nil && slices.Contains(status.Exchanges, address)
}
