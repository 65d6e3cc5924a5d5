package admin

import (
	"context"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
)

func logoutGcloudCommand() command {
	return command{
		name: "gcloud", summary: "gcloud, Terraform and the SDKs of Google no longer ask svcconn",
		doc:      "Removes the configurations that svcconn login gcloud wrote, with their credential files: the one that is called CONFIGURATION or, if none is, those that are for RESOURCE. What else was set in a configuration meanwhile stays. The configuration that was active before --use is so again, unless another one was chosen since. Without either, all configurations that lead to svcconn.",
		args:     []argument{{name: "CONFIGURATION|RESOURCE", optional: true, many: true}},
		flags:    printing(dryRunFlag),
		examples: []example{{"one configuration", "svcconn logout gcloud gcp-prod"}, {"all", "svcconn logout gcloud"}},
		run:      engaged(runLogoutGcloud),
	}
}

func runLogoutGcloud(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	plan, err := clientconfig.PlanGcloudLogout(e.clientEnv(), in.args)
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	return in.applyPlan(ctx, p, plan, "Nothing led to svcconn there.")
}
