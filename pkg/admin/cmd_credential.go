package admin

import (
	"context"
	"io"
	"strings"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func credentialCommand() command {
	return command{
		name: "credential", group: useGroup, summary: "print one credential, for scripts",
		doc: `Prints one credential on stdout, for scripts and for the tools that call it; nothing else goes there. The credential is a secret: mind where it goes.

--connector may be left out where the resource tells which connector is meant.`,
		flags: []flag{
			resourceTypeFlag, resourceNameFlag,
			{name: "connector", short: "c", value: connectorWord, usage: "the connector to use"},
			{name: "format", value: credentialFormatWord, required: true, usage: strings.Join(agent.Formats(), ", ")},
		},
		examples: []example{
			{"a registry's password, for a tool without helpers", "svcconn credential --connector hub --format token"},
			{"a login in the environment, where docker takes it", `eval "$(svcconn credential --connector hub --format env)"`},
		},
		run: engaged(runCredential),
	}
}

func runCredential(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	answer, err := e.call(ctx, wire.GetCredential, wire.CredentialArgs{
		Connector: in.text("connector"), ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"), Format: in.text("format"),
	}, in.notices(p))
	if err != nil {
		return err
	}
	_, err = io.WriteString(in.stdout, answer.Body.Reveal())
	return err
}
