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

The formats json, token and env are for scripts: env has the variables that docker, aws, gcloud, Terraform and the SDKs read, for the eval of a shell.

The format credential-process is for the SDKs of AWS, which run svcconn as svcconn login aws says: nobody is asked anything, and the keys have 15 minutes left where their lifetime allows. google-executable is the same for gcloud and the SDKs of Google, as svcconn login gcloud says: what goes wrong is part of the answer then, and the exit code 0.

The format google-key-file is the key of a connector for Google Cloud itself, as the file that SDKs read; only a connector that was told so (generate_temporary_tokens=false) hands it out.`,
		flags: []flag{
			resourceTypeFlag, resourceNameFlag,
			connectorFlag, accessFlag,
			{name: "format", value: credentialFormatWord, required: true, usage: strings.Join(agent.Formats(), ", ")},
			{name: "exchange", value: "HOST:PORT", usage: "for google-executable: where the agent gives the token for what is answered"},
		},
		examples: []example{
			{"a registry's password, for a tool without helpers", "svcconn credential --connector hub --format token"},
			{"keys that can read one bucket", "svcconn credential --connector aws-prod -r s3-bucket -n zenfiles --access read --format json"},
			{"a login in the environment, where docker takes it", `eval "$(svcconn credential --connector hub --format env)"`},
		},
		run: toldToGoogle(engaged(runCredential)),
	}
}

// processLife is what the SDKs of AWS want to be left of keys: botocore asks anew for
// what has less, and asks twice where it gets the same again.
const processLife = 15 * time.Minute

// googleLife is what gcloud wants to be left of a token, and some more: it gets what has
// less than five minutes anew, and then keeps that in a file.
const googleLife = 6 * time.Minute

// toldToGoogle answers a failure as gcloud and the SDKs of Google understand it. Nothing
// goes to stderr, which some of them take for a part of the answer.
func toldToGoogle(run func(context.Context, invocation) error) func(context.Context, invocation) error {
	return func(ctx context.Context, in invocation) error {
		err := run(ctx, in)
		if err == nil || in.text("format") != agent.FormatGoogle {
			return err
		}
		_, err = io.WriteString(in.stdout, agent.GoogleFailure(err))
		return err
	}
}

func runCredential(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	readOnly, err := in.readOnly()
	if err != nil {
		return err
	}
	args := wire.CredentialArgs{
		Connector: in.text("connector"), ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"),
		ReadOnly: readOnly, Format: in.text("format"), Exchange: in.text("exchange"),
	}
	ask, op, told := e.call, wire.GetCredential, in.notices(p)
	switch {
	case args.Format == agent.FormatProcess:
		ask, op, args.Left = e.callAlone, wire.AWSProcess, processLife
	case args.Format == agent.FormatGoogle:
		ask, op, args.Left, told = e.callAlone, wire.GoogleToken, googleLife, nil
	case args.Exchange != "":
		return fault.New(fault.Invalid, "--exchange is for the format %s alone", agent.FormatGoogle).Hint("leave one of them out")
	}
	answer, err := ask(ctx, op, args, told)
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
