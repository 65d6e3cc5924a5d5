package admin

import (
	"context"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
)

func logoutKubectlCommand() command {
	return command{
		name: "kubectl", summary: "kubectl, helm and their like no longer ask svcconn",
		doc:      `Removes what svcconn login kubectl wrote: the cluster, the user and the context of each CLUSTER, which is the name of the context or of the cluster. The current context is again what it was before --use, and a kubeconfig that login made is gone when nothing else is in it. Without a CLUSTER, all entries that lead to svcconn.`,
		args:     []argument{{name: "CLUSTER", optional: true, many: true}},
		flags:    printing(dryRunFlag),
		examples: []example{{"one cluster", "svcconn logout kubectl prod"}, {"all", "svcconn logout kubectl"}},
		run:      engaged(runLogoutKubectl),
	}
}

func runLogoutKubectl(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	plan, err := clientconfig.PlanKubeLogout(e.clientEnv(), in.args)
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	return in.applyPlan(ctx, p, plan, "Nothing led to svcconn there.")
}
