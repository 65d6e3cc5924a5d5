package admin

import (
	"context"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registryname"
)

func logoutCommand() command {
	return command{
		name: "logout", group: useGroup, summary: "undo login exactly",
		doc:      "Takes back what login wrote into a native tool's configuration: what was there before is there again. Connectors and their secrets stay; svcconn delete removes those.",
		commands: []command{logoutDockerCommand(), logoutKubectlCommand()},
	}
}

func logoutDockerCommand() command {
	return command{
		name: "docker", summary: "docker, podman, skopeo and buildah no longer ask svcconn",
		doc:  "Removes the entries of the registries from docker's config.json and from the auth.json of podman, skopeo and buildah, and puts back what they replaced. Without a REGISTRY, all entries that lead to svcconn.",
		args: []argument{{name: "REGISTRY", optional: true, many: true}},
		flags: printing(dryRunFlag,
			flag{name: "default", usage: "also docker's default (credsStore)"}),
		examples: []example{{"one registry", "svcconn logout docker registry.example.com"}, {"all", "svcconn logout docker"}},
		run:      engaged(runLogoutDocker),
	}
}

func runLogoutDocker(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	var keys, addresses []string
	for _, text := range in.args {
		name, err := registryname.Parse(text)
		if err != nil {
			return err
		}
		keys = append(keys, dockerKeys(name.String())...)
		addresses = append(addresses, name.String())
	}
	plan, err := clientconfig.PlanDockerLogout(e.clientEnv(), keys, clientconfig.Options{Default: in.given("default")})
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	if err := in.applyPlan(ctx, p, plan, "Nothing led to svcconn there."); err != nil {
		return err
	}
	return e.broker.Unpin(ctx, broker.DockerRegistry, addresses)
}
