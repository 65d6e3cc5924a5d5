package admin

import (
	"context"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
)

func logoutAWSCommand() command {
	return command{
		name: "aws", summary: "aws, Terraform and the SDKs of AWS no longer ask svcconn",
		doc:      "Removes the profiles that svcconn login aws wrote: the one that is called PROFILE or, if none is, those that are for RESOURCE. A file that login made is gone when nothing else is in it. Without either, all profiles that lead to svcconn.",
		args:     []argument{{name: "PROFILE|RESOURCE", optional: true, many: true}},
		flags:    printing(dryRunFlag),
		examples: []example{{"one profile", "svcconn logout aws aws-prod"}, {"all", "svcconn logout aws"}},
		run:      engaged(runLogoutAWS),
	}
}

func runLogoutAWS(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	plan, err := clientconfig.PlanAWSLogout(e.clientEnv(), in.args)
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	return in.applyPlan(ctx, p, plan, "Nothing led to svcconn there.")
}
