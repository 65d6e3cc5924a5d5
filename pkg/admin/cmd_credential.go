package admin

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func credentialCommand() command {
	return command{
		name: "credential", group: useGroup, summary: "print one credential, for scripts",
		doc: `Prints one credential on stdout, for scripts and for the tools that call it; nothing else goes there. The credential is a secret: mind where it goes.

--connector may be left out where the resource tells which connector is meant.

The format credential-process is for the SDKs of AWS, which run svcconn as svcconn login aws says: nobody is asked anything, and the keys have 15 minutes left where their lifetime allows.`,
		flags: []flag{
			resourceTypeFlag, resourceNameFlag,
			connectorFlag, accessFlag,
			{name: "format", value: credentialFormatWord, required: true, usage: strings.Join(agent.Formats(), ", ")},
		},
		examples: []example{
			{"a registry's password, for a tool without helpers", "svcconn credential --connector hub --format token"},
			{"keys that can read one bucket", "svcconn credential --connector aws-prod -r s3-bucket -n zenfiles --access read --format json"},
			{"a login in the environment, where docker takes it", `eval "$(svcconn credential --connector hub --format env)"`},
		},
		run: engaged(runCredential),
	}
}

// processLife is what the SDKs of AWS want to be left of keys: botocore asks anew for
// what has less, and asks twice where it gets the same again.
const processLife = 15 * time.Minute

func runCredential(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	readOnly, err := in.readOnly()
	if err != nil {
		return err
	}
	args := wire.CredentialArgs{
		Connector: in.text("connector"), ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"),
		ReadOnly: readOnly, Format: in.text("format"),
	}
	ask, op := e.call, wire.GetCredential
	if args.Format == agent.FormatProcess {
		ask, op, args.Left = e.callAlone, wire.AWSProcess, processLife
	}
	answer, err := ask(ctx, op, args, in.notices(p))
	if err != nil {
		return err
	}
	_, err = io.WriteString(in.stdout, answer.Body.Reveal())
	return err
}

// The values of --access.
const (
	accessRead  = "read"
	accessWrite = "write"
)

// readOnly reads --access.
func (in invocation) readOnly() (bool, error) {
	switch access := in.text(accessFlag.name); access {
	case accessRead:
		return true, nil
	case "", accessWrite:
		return false, nil
	default:
		return false, fault.New(fault.Invalid, "unknown access %q", access).Hint("--access takes %s or %s", accessRead, accessWrite)
	}
}
