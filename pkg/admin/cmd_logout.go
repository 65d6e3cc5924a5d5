package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/registryname"
)

func logoutCommand() command {
	return command{
		name: "logout", group: useGroup, summary: "undo login exactly",
		doc:      "Takes back what login wrote into a native tool's configuration: what was there before is there again. Connectors and their secrets stay; svcconn delete removes those.",
		commands: []command{logoutDockerCommand(), logoutKubectlCommand(), logoutAWSCommand(), logoutGcloudCommand()},
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
	keys, pinned, err := in.registriesToLogOut(e)
	if err != nil {
		return err
	}
	all := len(in.args) == 0 && !in.given("default")
	plan := &clientconfig.Plan{}
	if all || len(keys) > 0 || in.given("default") {
		if plan, err = clientconfig.PlanDockerLogout(e.clientEnv(), keys, clientconfig.Options{Default: in.given("default")}); err != nil {
			return err
		}
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	nothing := "Nothing led to svcconn there."
	if len(pinned) > 0 {
		nothing = "docker goes on asking svcconn for that host, as other logins want it; name the host alone to end that."
	}
	if err := in.applyPlan(ctx, p, plan, nothing); err != nil || !all && len(pinned) == 0 {
		return err
	}
	return e.broker.Unpin(ctx, broker.DockerRegistry, pinned)
}

// registriesToLogOut are the keys of the registries that were named, and the addresses
// whose pins go with them: those of a host's repositories too. A host of which one
// repository was named keeps its key while others are pinned.
func (in invocation) registriesToLogOut(e *engine) (keys, pinned []string, err error) {
	pins, err := e.broker.Pins(broker.DockerRegistry)
	if err != nil {
		return nil, nil, err
	}
	for _, text := range in.args {
		host, path, err := registryname.Address(text)
		if err != nil {
			return nil, nil, err
		}
		name := host
		if path != "" {
			name += "/" + strings.Trim(path, "/")
		}
		gone := func(p registry.Pin) bool {
			return p.Address == name || strings.HasPrefix(p.Address, name+"/") || p.Address == host && p.ResourceName == name
		}
		left := false
		for _, p := range pins {
			switch {
			case gone(p):
				pinned = append(pinned, p.Address)
			case strings.HasPrefix(p.Address+"/", host+"/"):
				left = true
			}
		}
		pins = slices.DeleteFunc(pins, gone)
		if !left || path == "" {
			keys = append(keys, dockerKeys(host)...)
		}
	}
	return keys, pinned, nil
}
