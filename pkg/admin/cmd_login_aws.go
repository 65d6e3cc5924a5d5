package admin

import (
	"context"
	"os"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
)

// awsConsumer is what reads the profiles of AWS.
var awsConsumer = consumer{
	tool: clientconfig.AWS, gives: "keys", of: "AWS", registered: "aws",
	takes: func(t *connector.ResourceType) bool { return t.Profile != nil },
}

func loginAWSCommand() command {
	return command{
		name: "aws", summary: "point aws, Terraform and every SDK of AWS at svcconn",
		doc: `Writes a profile for each RESOURCE into ~/.aws/config (AWS_CONFIG_FILE), whose credential_process asks svcconn for keys. No key is written, and nobody is asked: it works without network. Only those profiles change, and svcconn logout aws takes them back, to the byte. A profile with that name that svcconn did not write is never overwritten; nor is one written whose name the file with plain-text keys (~/.aws/credentials) has too, since those would come first.

Without a RESOURCE, what the connector gives keys for as a whole: its account. The profile is then called like the connector; for a bucket CONNECTOR-BUCKET. --profile default is taken where no profile is named.

Variables such as SVCCONN_CONFIG_DIR cannot be written into a profile: where they are set, aws has to be started with them too.`,
		args: []argument{{name: "RESOURCE", optional: true, many: true}},
		flags: printing(connectorFlag.described("the connector that shall give the keys"), resourceTypeFlag.described("the class of the RESOURCE, where its name does not tell"), accessFlag,
			flag{name: "profile", value: "NAME", usage: "what the profile is called"}, dryRunFlag),
		examples: []example{
			{"an account", "svcconn login aws --connector aws-prod && aws s3 ls --profile aws-prod"},
			{"one bucket, to read from", "svcconn login aws --connector aws-prod s3://zenfiles --access read"},
			{"see first", "svcconn login aws --connector aws-prod --profile default --dry-run"},
		},
		run: engaged(runLoginAWS),
	}
}

func runLoginAWS(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	readOnly, err := in.readOnly()
	if err != nil {
		return err
	}
	targets, err := in.targets(ctx, e, awsConsumer)
	if err != nil {
		return err
	}
	if len(targets) > 1 && in.text("profile") != "" {
		return fault.New(fault.Invalid, "--profile is for one resource, and %d are meant", len(targets)).Hint("name one resource")
	}
	self, err := os.Executable()
	if err != nil {
		return fault.New(fault.Failed, "where svcconn is cannot be told: %w", err)
	}
	command, err := clientconfig.AWSCommand(e.clientEnv(), self)
	if err != nil {
		return err
	}
	var logins []clientconfig.AWSLogin
	for _, t := range targets {
		logins = append(logins, clientconfig.AWSLogin{
			Profile: t.profile(in.text("profile")), Connector: t.holder.Name, ResourceType: t.resource.Name, ResourceName: t.name,
			ReadOnly: readOnly, Command: command, Says: t.resource.Profile(t.holder.Settings, t.name),
		})
	}
	plan, err := clientconfig.PlanAWSLogin(e.clientEnv(), logins)
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	return in.applyPlan(ctx, p, plan, "aws already asks svcconn for that.")
}

// profile is what the profile for it is called.
func (t target) profile(given string) string {
	switch {
	case given != "":
		return given
	case !t.resource.Instances:
		return t.holder.Name
	}
	return t.holder.Name + "-" + safeName(t.bare())
}
