package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/kubeapi"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func pullSecretCommand() command {
	return command{
		name: "pull-secret", group: useGroup, summary: "make a Kubernetes secret for a registry",
		doc: `Prints a manifest of type kubernetes.io/dockerconfigjson with the login for a registry, or puts it into a cluster with --apply: with the credential of a connector for that cluster, without kubectl. The manifest has the login in it: mind where it goes.

The annotation svcconn.dev/expires-at says until when the login is good; run the command again before that. A secret of that name which somebody else manages is not touched.`,
		args: []argument{{name: "REGISTRY", optional: true}},
		flags: []flag{
			connectorFlag.described("the connector for the registry"),
			{name: "name", value: "NAME", usage: "the name of the secret; svcconn-REGISTRY otherwise"},
			{name: "namespace", value: "NAMESPACE", usage: "its namespace; with --apply, default otherwise"},
			{name: "apply", usage: "put it into the cluster"},
			{name: "cluster-connector", value: connectorWord, usage: "with --apply: the connector for the cluster"},
			{name: "cluster", value: "CLUSTER", usage: "with --apply: the cluster, where the connector reaches several or is not named"},
			{name: "output", short: "o", value: "yaml|json", usage: "how it is printed; yaml otherwise"},
		},
		examples: []example{
			{"a manifest", "svcconn pull-secret registry.example.com --namespace web"},
			{"into the cluster", "svcconn pull-secret registry.example.com --namespace web --apply --cluster-connector prod"},
		},
		run: runPullSecret,
	}
}

func runPullSecret(ctx context.Context, in invocation) error {
	e, err := in.engine()
	if err != nil {
		return err
	}
	defer e.close()
	p, err := in.manifestPrinter()
	if err != nil {
		return err
	}
	s, err := in.pullSecret(ctx, e, p)
	if err != nil {
		return err
	}
	if in.given("apply") {
		return in.applyPullSecret(ctx, e, p, s)
	}
	manifest, err := s.Manifest()
	if err != nil {
		return err
	}
	return p.Describe(output.Description{Value: json.RawMessage(manifest.Reveal())})
}

// manifestPrinter prints in the formats that clusters read.
func (in invocation) manifestPrinter() (output.Printer, error) {
	p := output.Printer{Out: in.stdout, Err: in.world.Stderr, Format: output.YAML}
	switch format := in.text("output"); format {
	case "", string(output.YAML):
	case string(output.JSON):
		p.Format = output.JSON
	default:
		return p, fault.New(fault.Invalid, "unknown output format %q", format).Hint("a manifest is printed as yaml or json")
	}
	if !in.given("apply") && (in.text("cluster-connector") != "" || in.text("cluster") != "") {
		return p, fault.New(fault.Invalid, "a cluster is named, but nothing is applied to it").Hint("add --apply")
	}
	return p, nil
}

// pullSecret gets the login for the registry and makes a secret of it.
func (in invocation) pullSecret(ctx context.Context, e *engine, p output.Printer) (kubeapi.PullSecret, error) {
	registry := ""
	if len(in.args) > 0 {
		registry = in.args[0]
	}
	located, err := e.registryOf(ctx, in.text("connector"), registry)
	if err != nil {
		return kubeapi.PullSecret{}, err
	}
	answer, err := e.call(ctx, wire.GetCredential, wire.CredentialArgs{
		Connector: located.Connector.ID, ResourceType: broker.DockerRegistry, ResourceName: located.ResourceName, ReadOnly: true, Format: agent.FormatJSON,
	}, in.notices(p))
	if err != nil {
		return kubeapi.PullSecret{}, err
	}
	login, err := agent.ReadLogin(answer.Body)
	s := kubeapi.PullSecret{Name: in.text("name"), Namespace: in.text("namespace"), Connector: located.Connector.Name, Login: login, Key: login.Registry}
	if keys := dockerKeys(login.Registry); len(keys) > 0 {
		s.Key = keys[0]
	}
	if s.Name == "" {
		s.Name = kubeapi.NameFor(login.Registry)
	}
	return s, err
}

// registryOf finds the registry that is meant, and the connector that serves it.
func (e *engine) registryOf(ctx context.Context, connectorName, registry string) (*broker.Located, error) {
	if connectorName != "" {
		return e.broker.Resolve(ctx, broker.Request{Connector: connectorName, ResourceType: broker.DockerRegistry, ResourceName: registry})
	}
	if registry == "" {
		return nil, fault.New(fault.Invalid, "neither a registry nor a connector is named").Hint("svcconn pull-secret registry.example.com")
	}
	located, err := e.broker.Locate(ctx, broker.DockerRegistry, registry)
	if err == nil && located == nil {
		err = fault.New(fault.NotFound, "no connector serves %s", registry).
			Hint("register one first: %s", registration(registry))
	}
	return located, err
}

// applyPullSecret puts the secret into the cluster, as the cluster's connector.
func (in invocation) applyPullSecret(ctx context.Context, e *engine, p output.Printer, s kubeapi.PullSecret) error {
	if s.Namespace == "" {
		s.Namespace = "default"
	}
	if in.text("cluster-connector") == "" && in.text("cluster") == "" {
		return fault.New(fault.Invalid, "no cluster is named").Hint("add --cluster-connector NAME or --cluster CLUSTER")
	}
	located, err := in.resolveCluster(ctx, e, p, in.text("cluster-connector"), in.text("cluster"))
	if err != nil {
		return err
	}
	auth, err := in.clusterAuth(ctx, e, located.Connector.ID, located.ResourceName)
	if err != nil {
		return err
	}
	client, err := kubeapi.New(auth, proxyOf(e.world.Getenv))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, e.settings.Network.Timeout)
	defer cancel()
	if err := client.ApplySecret(ctx, s); err != nil {
		return fault.Within(err, "connector %s", located.Connector.Name)
	}
	until := "does not expire"
	if !s.Login.Expires.IsZero() {
		until = "is good until " + s.Login.Expires.UTC().Format(time.RFC3339)
	}
	p.Notice("Secret %s is in namespace %s of cluster %s; its login %s.", s.Name, s.Namespace, located.ResourceName, until)
	return nil
}
