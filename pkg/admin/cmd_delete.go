package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/registry"
)

func deleteCommand() command {
	return command{
		name: "delete", group: connectorsGroup, summary: "delete connectors, their secrets and what is kept of them",
		doc: `Deletes connectors together with their secrets and kept credentials. It asks first; --yes answers that.

A connector that a native tool's configuration leads to is not deleted, since docker would then fail or go on anonymously, and kubectl, aws and gcloud fail: take the configuration back first (svcconn logout), or say --force.`,
		args: []argument{{name: connectorWord, many: true}},
		flags: []flag{
			{name: "yes", short: "y", usage: "do not ask"},
			{name: "force", short: "f", usage: "even if a native tool's configuration leads to it"},
		},
		examples: []example{{"one connector", "svcconn delete hub"}},
		run:      engaged(runDelete),
	}
}

func runDelete(ctx context.Context, in invocation, e *engine, _ output.Printer) error {
	ctx = e.calling(ctx, "delete")
	var doomed []registry.Connector
	for _, name := range in.args {
		c, err := e.broker.Find(ctx, name)
		if err != nil {
			return err
		}
		if err := e.unused(ctx, c); err != nil && !in.given("force") {
			return err
		}
		doomed = append(doomed, c)
	}
	if err := in.confirmed(ctx, doomed); err != nil {
		return err
	}
	for _, c := range doomed {
		if err := e.broker.Delete(ctx, c); err != nil {
			return err
		}
		e.forget(ctx, c.ID)
		in.tell(ctx, fmt.Sprintf("Deleted connector %s.", c.Name))
	}
	return nil
}

// confirmed asks the person, unless --yes was given.
func (in invocation) confirmed(ctx context.Context, doomed []registry.Connector) error {
	if in.given("yes") {
		return nil
	}
	names := make([]string, len(doomed))
	for i, c := range doomed {
		names[i] = c.Name
	}
	label := fmt.Sprintf("Delete %s with its secrets?", strings.Join(names, ", "))
	yes, err := in.terminal.Confirm(ctx, prompt.Question{Label: label, Without: "say --yes"})
	if err == nil && !yes {
		err = fault.New(fault.Failed, "nothing was deleted")
	}
	return err
}

// unused returns an error that names the native tool's configuration that leads to the
// connector.
func (e *engine) unused(ctx context.Context, c registry.Connector) error {
	pointers, err := clientconfig.Pointers(e.clientEnv())
	if err != nil {
		return err
	}
	for _, p := range pointers {
		if p.Key == "" { // docker's default leads to whatever serves
			continue
		}
		located, err := e.broker.Locate(ctx, broker.DockerRegistry, p.Key)
		if err == nil && located != nil && located.Connector.ID == c.ID {
			return fault.New(fault.Failed, "connector %s is in use: %s leads %s to it (%s)", c.Name, p.File, p.Key, p.Tool).
				Hint("svcconn logout docker %s, then delete it; or say --force", located.ResourceName)
		}
	}
	if err := e.unusedByKubectl(ctx, c); err != nil {
		return err
	}
	r, err := e.broker.Registered(ctx, c.ID)
	if err != nil || r.Problem != nil {
		return nil
	}
	if len(awsConsumer.types(r, "")) > 0 {
		err = e.unusedByAWS(ctx, c)
	}
	if err == nil && len(gcloudConsumer.types(r, "")) > 0 {
		err = e.unusedByGcloud(ctx, c)
	}
	return err
}

// unusedByGcloud looks for the connector in the configurations of gcloud and their
// credential files.
func (e *engine) unusedByGcloud(ctx context.Context, c registry.Connector) error {
	pointers, err := clientconfig.GcloudPointers(e.clientEnv())
	if err != nil {
		return err
	}
	for _, p := range pointers {
		used, err := e.broker.Find(ctx, p.Connector)
		if p.Connector != "" && err == nil && used.ID == c.ID {
			return fault.New(fault.Failed, "connector %s is in use: %s leads to it (gcloud)", c.Name, p.File).
				Hint("svcconn logout gcloud %s, then delete it; or say --force", p.Name())
		}
	}
	return nil
}

// unusedByAWS looks for the connector in the profiles of AWS.
func (e *engine) unusedByAWS(ctx context.Context, c registry.Connector) error {
	pointers, err := clientconfig.AWSPointers(e.clientEnv())
	if err != nil {
		return err
	}
	for _, p := range pointers {
		used, err := e.broker.Find(ctx, p.Connector)
		if p.Connector != "" && err == nil && used.ID == c.ID {
			return fault.New(fault.Failed, "connector %s is in use: profile %s of %s leads to it (aws)", c.Name, p.Profile, p.File).
				Hint("svcconn logout aws %s, then delete it; or say --force", p.Profile)
		}
	}
	return nil
}

// unusedByKubectl looks for the connector in kubeconfigs, if it reaches clusters: a
// broken kubeconfig must not keep others from being deleted.
func (e *engine) unusedByKubectl(ctx context.Context, c registry.Connector) error {
	t, err := e.broker.Types().Find(c.Type)
	if err != nil {
		return nil
	}
	if _, err := t.Resource(broker.KubernetesCluster); err != nil {
		return nil
	}
	pointers, err := clientconfig.KubePointers(e.clientEnv())
	if err != nil {
		return err
	}
	for _, p := range pointers {
		used, err := e.broker.Find(ctx, p.Connector)
		if p.Connector != "" && err == nil && used.ID == c.ID {
			return fault.New(fault.Failed, "connector %s is in use: user %s of %s leads to it (kubectl)", c.Name, p.User, p.File).
				Hint("svcconn logout kubectl %s, then delete it; or say --force", p.User)
		}
	}
	return nil
}
