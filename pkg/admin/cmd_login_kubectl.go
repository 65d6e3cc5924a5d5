package admin

import (
	"cmp"
	"context"
	"os"
	"slices"
	"sync"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
	"github.com/svcconn/svcconn/pkg/wire"
)

func loginKubectlCommand() command {
	return command{
		name: "kubectl", summary: "point kubectl, helm and every other client of clusters at svcconn",
		doc: `Writes a cluster, a user and a context for each CLUSTER into the kubeconfig; the user runs kubectl-svcconn for its credential. A CLUSTER is its name, or the address of its API server. Only those entries change, and svcconn logout kubectl takes them back, to the byte. An entry with that name that svcconn did not write is never overwritten: choose another name with --context.

Without a CLUSTER, that of --connector, or the only one that there is. Of a cluster that only its service knows (EKS, GKE), the address and the certificate authority are asked for once; --all asks connectors that reach several for theirs. The current context stays what it is unless --use is given.`,
		args: []argument{{name: "CLUSTER", optional: true, many: true}},
		flags: printing(connectorFlag.described("the connector that shall serve the cluster"), dryRunFlag,
			flag{name: "context", value: "NAME", usage: "what the context is called, and its user and cluster; otherwise what the cloud's own tool calls it, or the cluster's name"},
			flag{name: "use", usage: "make it the current context"},
			flag{name: "all", usage: "all clusters that the connectors reach"},
			flag{name: "old-kubectl", usage: "for a kubectl older than 1.22: version v1beta1 of the exec protocol, which newer ones know too"},
			flag{name: "bare-command", usage: "write the name kubectl-svcconn alone, for a kubeconfig that is copied to other machines; programs that a desktop starts may not find it"}),
		examples: []example{
			{"one cluster", "svcconn login kubectl prod --use"},
			{"see first", "svcconn login kubectl prod --dry-run"},
			{"as somebody else, beside it", "svcconn login kubectl prod --connector prod-admin --context prod-admin"},
		},
		run: engaged(runLoginKubectl),
	}
}

func runLoginKubectl(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	clusters, err := in.clustersToLogIn(ctx, e, p)
	if err != nil {
		return err
	}
	if len(clusters) > 1 && (in.text("context") != "" || in.given("use")) {
		return fault.New(fault.Invalid, "--context and --use are for one cluster, and %d are meant", len(clusters)).Hint("name the cluster")
	}
	command, err := in.kubeCommand(e)
	if err != nil {
		return err
	}
	logins, err := in.kubeLogins(ctx, e, p, clusters, command)
	if err != nil {
		return err
	}
	plan, err := clientconfig.PlanKubeLogin(e.clientEnv(), logins, in.given("use"))
	if err != nil {
		return err
	}
	if in.given("dry-run") {
		return in.showPlan(p, plan)
	}
	return in.applyPlan(ctx, p, plan, "kubectl already asks svcconn for that.")
}

// kubeLogins finds out how the clusters are reached, all at once. With --all, one that
// cannot be is told of and left out.
func (in invocation) kubeLogins(ctx context.Context, e *engine, p output.Printer, clusters []*broker.Located, command string) ([]clientconfig.KubeLogin, error) {
	logins, failures := make([]clientconfig.KubeLogin, len(clusters)), make([]error, len(clusters))
	var asking sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, located := range clusters {
		asking.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			endpoint, err := in.endpointOf(ctx, e, located)
			endpoint.Cluster = located.ResourceName
			logins[i], failures[i] = clientconfig.KubeLogin{
				Name: cmp.Or(in.text("context"), endpoint.Context, located.ResourceName), Connector: located.Connector.Name,
				Endpoint: endpoint, Command: command, Old: in.given("old-kubectl"),
			}, err
		})
	}
	asking.Wait()
	var good []clientconfig.KubeLogin
	var failure error
	for i, err := range failures {
		switch {
		case err == nil:
			good = append(good, logins[i])
		case !in.given("all"):
			return nil, err
		default:
			failure = err
			p.Notice("svcconn: warning: %v", err)
		}
	}
	if len(good) == 0 {
		return nil, failure
	}
	return good, nil
}

// kubeCommand is how the kubeconfig shall name kubectl-svcconn.
func (in invocation) kubeCommand(e *engine) (string, error) {
	if in.given("bare-command") {
		return clientconfig.KubePlugin, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fault.New(fault.Failed, "where svcconn is cannot be told: %w", err).Hint("say --bare-command")
	}
	return clientconfig.KubeCommand(e.clientEnv(), self)
}

// clustersToLogIn are the clusters that were named or are meant, each with the
// connector that serves it.
func (in invocation) clustersToLogIn(ctx context.Context, e *engine, p output.Printer) ([]*broker.Located, error) {
	name := in.text("connector")
	switch {
	case in.given("all") && len(in.args) > 0:
		return nil, fault.New(fault.Invalid, "--all and the name of a cluster exclude each other").Hint("leave one of them out")
	case in.given("all"):
		return in.allClusters(ctx, e, p, name)
	case len(in.args) == 0 && name == "":
		return in.onlyCluster(ctx, e)
	case len(in.args) == 0:
		located, err := resolveClusterOf(ctx, e, name, "")
		return []*broker.Located{located}, err
	}
	var found []*broker.Located
	for _, cluster := range in.args {
		located, err := in.resolveCluster(ctx, e, p, name, cluster)
		if err != nil {
			return nil, err
		}
		found = append(found, located)
	}
	return found, nil
}

// resolveCluster finds a cluster by what a person calls it, and the connector for it.
// Of several connectors that may reach several, the services tell whose it is; the only
// one there is finds out by itself.
func (in invocation) resolveCluster(ctx context.Context, e *engine, p output.Printer, connectorName, cluster string) (*broker.Located, error) {
	if connectorName != "" {
		return resolveClusterOf(ctx, e, connectorName, cluster)
	}
	located, err := e.broker.Locate(ctx, broker.KubernetesCluster, cluster)
	if err != nil || located != nil {
		return located, err
	}
	many, err := e.broker.Many(ctx, broker.KubernetesCluster)
	if err != nil {
		return nil, err
	}
	if len(many) == 1 {
		return resolveClusterOf(ctx, e, many[0].ID, cluster)
	}
	answers, err := in.ask(ctx, e, p, many, broker.KubernetesCluster, cluster)
	if err != nil {
		return nil, err
	}
	answers = slices.DeleteFunc(answers, func(r reached) bool { return len(r.names) == 0 })
	switch len(answers) {
	case 0:
		return nil, fault.New(fault.NotFound, "no connector reaches the cluster %s", cluster).
			Hint("`svcconn list-resources --resource-type %s` lists what is reached; to add one: svcconn register NAME --type kubernetes --auto-configure", broker.KubernetesCluster)
	case 1:
		return resolveClusterOf(ctx, e, answers[0].connector.ID, answers[0].names[0])
	}
	return nil, fault.New(fault.Ambiguous, "%d connectors reach a cluster %s: %s", len(answers), cluster, connectorsOf(answers)).
		Hint("say which is meant: svcconn login kubectl %s --connector %s", cluster, answers[0].connector.Name)
}

func resolveClusterOf(ctx context.Context, e *engine, connectorName, cluster string) (*broker.Located, error) {
	if cluster == "" {
		one, err := e.broker.Registered(ctx, connectorName)
		if err != nil {
			return nil, err
		}
		if one.ReachesMany(broker.KubernetesCluster) {
			return nil, fault.New(fault.Invalid, "connector %s may reach several clusters and none was named", one.Name).
				Hint("name one; `svcconn list-resources --connector %s --resource-type %s` lists them. To log in to all: svcconn login kubectl --connector %[1]s --all", one.Name, broker.KubernetesCluster)
		}
	}
	return e.broker.Resolve(ctx, broker.Request{Connector: connectorName, ResourceType: broker.KubernetesCluster, ResourceName: cluster})
}

// allClusters are those of one connector, or of all: what is known here, and what the
// connectors that may reach several are asked for.
func (in invocation) allClusters(ctx context.Context, e *engine, p output.Printer, connectorName string) ([]*broker.Located, error) {
	clusters, err := e.broker.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	many, err := e.broker.Many(ctx, broker.KubernetesCluster)
	if err != nil {
		return nil, err
	}
	if connectorName != "" {
		c, err := e.broker.Find(ctx, connectorName)
		if err != nil {
			return nil, err
		}
		clusters = slices.DeleteFunc(clusters, func(l *broker.Located) bool { return l.Connector.ID != c.ID })
		many = slices.DeleteFunc(many, func(other registry.Connector) bool { return other.ID != c.ID })
	}
	answers, err := in.ask(ctx, e, p, many, broker.KubernetesCluster, "")
	switch {
	case err != nil && len(clusters) == 0:
		return nil, err
	case err != nil:
		p.Notice("svcconn: warning: %v", err)
	}
	for _, answer := range answers {
		for _, name := range answer.names {
			located, err := resolveClusterOf(ctx, e, answer.connector.ID, name)
			if err != nil {
				return nil, err
			}
			clusters = append(clusters, located)
		}
	}
	if len(clusters) == 0 {
		return nil, noCluster()
	}
	return clusters, nil
}

func noCluster() error {
	return fault.New(fault.NotFound, "no connector reaches a cluster").Hint("register one first: svcconn register NAME --type kubernetes --auto-configure")
}

// onlyCluster is the one that there is, as far as that can be told here.
func (in invocation) onlyCluster(ctx context.Context, e *engine) ([]*broker.Located, error) {
	clusters, err := e.broker.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	many, err := e.broker.Many(ctx, broker.KubernetesCluster)
	switch {
	case err != nil:
		return nil, err
	case len(many) > 0:
		return nil, fault.New(fault.Invalid, "no cluster was named, and connector %s may reach several", many[0].Name).
			Hint("name one, as in svcconn login kubectl NAME --connector %s; or say --all", many[0].Name)
	case len(clusters) == 0:
		return nil, noCluster()
	case len(clusters) > 1:
		return nil, fault.New(fault.Invalid, "the connectors reach %d clusters and none was named", len(clusters)).
			Hint("name one, as in svcconn login kubectl %s; or say --all", clusters[0].ResourceName)
	}
	return clusters, nil
}

// endpointOf is how a cluster is reached. Where only its service knows, a credential
// is got for it, which says so.
func (in invocation) endpointOf(ctx context.Context, e *engine, located *broker.Located) (connector.KubernetesEndpoint, error) {
	if endpoint, ok := located.Endpoint(); ok {
		return endpoint, nil
	}
	auth, err := in.clusterAuth(ctx, e, located.Connector.ID, located.ResourceName)
	return auth.Endpoint, err
}

// clusterAuth gets a credential for a cluster from the agent.
func (in invocation) clusterAuth(ctx context.Context, e *engine, connectorName, cluster string) (connector.KubernetesAuth, error) {
	answer, err := e.call(ctx, wire.GetCredential, wire.CredentialArgs{
		Connector: connectorName, ResourceType: broker.KubernetesCluster, ResourceName: cluster, Format: agent.FormatJSON,
	}, nil)
	if err != nil {
		return connector.KubernetesAuth{}, err
	}
	return agent.ReadCluster(answer.Body)
}
