package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
)

func loginDockerCommand() command {
	return command{
		name: "docker", summary: "point docker, and podman, skopeo and buildah where they are in use, at svcconn",
		doc: `Adds an entry for each registry to docker's config.json (credHelpers), and to the auth.json of podman, skopeo and buildah where they are installed. Only those entries change; svcconn logout docker takes them back, to the byte.

Without a REGISTRY, all registries that the connectors serve, or those of --connector; connectors that reach several (an AWS account) are asked for theirs. With a REGISTRY nothing is asked. --connector also settles which of several connectors serves the registry. Docker asks for hosts alone: with HOST/REPOSITORY it gets a login for that repository when it asks for the host, as far as the service can tell repositories apart. Log in to another repository too, or to the host, and it is for all of them. --default makes svcconn docker's helper for every registry that has no helper of its own.`,
		args: []argument{{name: "REGISTRY", optional: true, many: true}},
		flags: printing(connectorFlag.described("the connector that shall serve the registry"), dryRunFlag,
			flag{name: "default", usage: "for all registries that have no helper of their own (docker's credsStore)"},
			flag{name: "containers", usage: "the file of podman, skopeo and buildah too, although none is installed"}),
		examples: []example{
			{"one registry", "svcconn login docker registry.example.com"},
			{"see first", "svcconn login docker registry.example.com --dry-run"},
			{"two connectors serve it: this one shall", "svcconn login docker registry.example.com --connector team"},
		},
		run: engaged(runLoginDocker),
	}
}

func runLoginDocker(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	registries, err := in.registriesToLogIn(ctx, e, p)
	if err != nil {
		return err
	}
	pins, err := e.pinsFor(ctx, registries)
	if err != nil {
		return err
	}
	var keys []string
	for _, r := range registries {
		for _, key := range dockerKeys(r.ResourceName) {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	plan, err := clientconfig.PlanDockerLogin(e.clientEnv(), keys, clientconfig.Options{Default: in.given("default"), Containers: in.given("containers")})
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		if err := e.tellPins(ctx, p, pins); err != nil {
			return err
		}
		return in.showPlan(p, plan)
	}
	if err := e.pinAll(ctx, p, pins); err != nil {
		return err
	}
	nothing := "docker already asks svcconn for that."
	if name := in.text("connector"); name != "" { // it may not have been this one before
		nothing = fmt.Sprintf("docker already asks svcconn for that; connector %s answers.", name)
	}
	return in.applyPlan(ctx, p, plan, nothing)
}

// pinAll pins the addresses, and tells of those that led to another connector before.
func (e *engine) pinAll(ctx context.Context, p output.Printer, pins []registry.Pin) error {
	stored, err := e.broker.Pins(broker.DockerRegistry)
	if err != nil {
		return err
	}
	for _, pin := range pins {
		for _, old := range stored {
			before, gone := e.broker.Find(ctx, old.Connector)
			after, err := e.broker.Find(ctx, pin.Connector)
			if old.Address == pin.Address && gone == nil && err == nil && before.ID != after.ID {
				p.Notice("For %s, connector %s answers from now on, and no longer %s. Docker asks for hosts alone; tools that ask for a repository get what serves that.", pin.Address, after.Name, before.Name)
			}
		}
		if err := e.broker.Pin(ctx, pin); err != nil {
			return err
		}
	}
	return nil
}

// dockerTarget is a registry to log in to, or a repository of one.
type dockerTarget struct {
	*broker.Located
	// settled says that it shall be this connector from now on, whichever others could:
	// so a person said, or docker's own listing would not have it.
	settled bool
}

// tellPins says which connectors would answer for addresses.
func (e *engine) tellPins(ctx context.Context, p output.Printer, pins []registry.Pin) error {
	for _, pin := range pins {
		c, err := e.broker.Find(ctx, pin.Connector)
		if err != nil {
			return err
		}
		p.Notice("For %s, connector %s would answer.", pin.Address, c.Name)
	}
	return nil
}

// registriesToLogIn are the registries that were named or are meant, each with the
// connector that serves it.
func (in invocation) registriesToLogIn(ctx context.Context, e *engine, p output.Printer) ([]dockerTarget, error) {
	switch name := in.text("connector"); {
	case name != "":
		return in.registriesOf(ctx, e, p, name)
	case len(in.args) > 0:
		return in.namedRegistries(ctx, e)
	case in.given("default"):
		return nil, nil
	}
	return in.allRegistries(ctx, e, p)
}

// registriesOf are those that were named, or all, of one connector.
func (in invocation) registriesOf(ctx context.Context, e *engine, p output.Printer, name string) ([]dockerTarget, error) {
	one, err := e.broker.Registered(ctx, name)
	if err != nil {
		return nil, err
	}
	wanted := in.args
	if len(wanted) == 0 {
		wanted = []string{""}
		if one.ReachesMany(broker.DockerRegistry) {
			if wanted, err = in.hostsOf(ctx, e, p, one.Connector); err != nil {
				return nil, err
			}
		}
	}
	var out []dockerTarget
	for _, registry := range wanted {
		located, err := e.broker.Resolve(ctx, broker.Request{Connector: one.ID, ResourceType: broker.DockerRegistry, ResourceName: registry})
		if err != nil {
			return nil, err
		}
		out = append(out, dockerTarget{located, true})
	}
	return out, nil
}

// hostsOf asks a connector's service for the registries that it reaches.
func (in invocation) hostsOf(ctx context.Context, e *engine, p output.Printer, c registry.Connector) ([]string, error) {
	answers, err := in.ask(ctx, e, p, []registry.Connector{c}, broker.DockerRegistry, "")
	if err != nil {
		return nil, err
	}
	if hosts := hostsAmong(answers[0].names); len(hosts) > 0 {
		return hosts, nil
	}
	return nil, fault.New(fault.NotFound, "connector %s reaches no registry", c.Name).
		Hint("`svcconn list-resources --connector %s` shows what it reaches", c.Name)
}

// registration is the command that registers a connector for a registry.
func registration(address string) string {
	if strings.Contains(address, ".dkr.ecr") || strings.Contains(address, ".dkr-ecr") || strings.HasPrefix(address, "public.ecr.aws") {
		return "svcconn register NAME --type aws --auto-configure; or, if a connector for AWS reaches it already, name that with --connector"
	}
	if host, _, _ := strings.Cut(address, "/"); strings.Contains(host, "-docker.pkg.") || host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") {
		return "svcconn register NAME --type gcp --auto-configure; or, if a connector for Google Cloud reaches it already, name that with --connector"
	}
	return fmt.Sprintf("svcconn register NAME --type docker --set registry=%s --set username=USER --set password=-", address)
}

// hostsAmong are the registries of a listing, without their repositories.
func hostsAmong(names []string) []string {
	var hosts []string
	for _, name := range names {
		host, _, _ := strings.Cut(name, "/")
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// namedRegistries are those that were named, each served by a connector.
func (in invocation) namedRegistries(ctx context.Context, e *engine) ([]dockerTarget, error) {
	var out []dockerTarget
	for _, address := range in.args {
		located, err := e.broker.Locate(ctx, broker.DockerRegistry, address)
		if err != nil {
			return nil, err
		}
		if located == nil {
			return nil, fault.New(fault.NotFound, "no connector serves %s", address).
				Hint("register one first: %s", registration(address))
		}
		one, err := e.broker.Registered(ctx, located.Connector.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, dockerTarget{located, one.ReachesMany(broker.DockerRegistry)})
	}
	return out, nil
}

// allRegistries are those that are known here, and those of the connectors that reach
// several.
func (in invocation) allRegistries(ctx context.Context, e *engine, p output.Printer) ([]dockerTarget, error) {
	logins, err := e.broker.Logins(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	var out []dockerTarget
	for _, login := range logins {
		located, err := e.broker.Locate(ctx, broker.DockerRegistry, login.Registry)
		if err != nil {
			return nil, err
		}
		known[login.Registry] = true
		out = append(out, dockerTarget{located, false})
	}
	many, err := e.broker.Many(ctx, broker.DockerRegistry)
	if err != nil {
		return nil, err
	}
	answers, err := in.ask(ctx, e, p, many, broker.DockerRegistry, "")
	switch {
	case err != nil && len(out) == 0:
		return nil, err
	case err != nil:
		p.Notice("svcconn: warning: %v", err)
	}
	for _, answer := range answers {
		for _, host := range hostsAmong(answer.names) {
			if known[host] {
				continue
			}
			target, err := e.listedRegistry(ctx, answer.connector, host)
			if err != nil {
				return nil, err
			}
			known[host] = true
			out = append(out, target)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "no connector serves a registry").
			Hint("register one first: svcconn register NAME --type docker --set registry=HOST --set username=USER --set password=-")
	}
	return out, nil
}

// listedRegistry is a registry that a connector's service has listed. Docker is led to
// whoever serves it; that two connectors do so equally is an error.
func (e *engine) listedRegistry(ctx context.Context, c registry.Connector, host string) (dockerTarget, error) {
	located, err := e.broker.Locate(ctx, broker.DockerRegistry, host)
	if located == nil && err == nil {
		located, err = e.broker.Resolve(ctx, broker.Request{Connector: c.ID, ResourceType: broker.DockerRegistry, ResourceName: host})
	}
	return dockerTarget{located, true}, err
}

// pinsFor are the pins by which docker comes to the registries: those that settle which
// connector serves one, and those by which the host, which is all that docker asks for,
// leads to a connector that is for a repository.
func (e *engine) pinsFor(ctx context.Context, targets []dockerTarget) ([]registry.Pin, error) {
	pins := map[string]registry.Pin{}
	stored, err := e.broker.Pins(broker.DockerRegistry)
	if err != nil {
		return nil, err
	}
	for _, pin := range stored {
		pins[pin.Address] = pin
	}
	var out []registry.Pin
	set := func(address string, c registry.Connector, name string) {
		pin := registry.Pin{ResourceType: broker.DockerRegistry, Address: address, Connector: c.ID, ResourceName: name}
		pins[address] = pin
		out = append(out, pin)
	}
	for _, t := range targets {
		host, _, isRepository := strings.Cut(t.ResourceName, "/")
		if t.settled {
			set(t.ResourceName, t.Connector, t.ResourceName)
		}
		if !isRepository {
			continue
		}
		needed, err := e.hostNeedsPin(ctx, host, t)
		if err != nil {
			return nil, err
		}
		if needed {
			set(host, t.Connector, e.widened(ctx, pins[host], host, t))
		}
	}
	return out, nil
}

// hostNeedsPin reports whether the host of a repository would not lead to its connector.
func (e *engine) hostNeedsPin(ctx context.Context, host string, t dockerTarget) (bool, error) {
	if t.settled {
		return true, nil
	}
	located, err := e.broker.Locate(ctx, broker.DockerRegistry, host)
	return err == nil && located == nil, err
}

// widened is the resource that a host is pinned to: the repository, or the whole host
// where another repository of the same connector is logged in to already.
func (e *engine) widened(ctx context.Context, pinned registry.Pin, host string, t dockerTarget) string {
	if pinned.Connector != t.Connector.ID || pinned.ResourceName == t.ResourceName {
		return t.ResourceName
	}
	whole, err := e.broker.Resolve(ctx, broker.Request{Connector: t.Connector.ID, ResourceType: broker.DockerRegistry, ResourceName: host})
	if err != nil {
		return t.ResourceName // it is for that repository alone
	}
	return whole.ResourceName
}
