package admin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
)

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
	targets, err := in.keysToLogIn(ctx, e)
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

// keyTarget is what keys are wanted for: a resource, and the connector for it.
type keyTarget struct {
	holder   broker.Registered
	resource *connector.ResourceType
	name     string // canonical
}

// profile is what the profile for it is called.
func (t keyTarget) profile(given string) string {
	switch {
	case given != "":
		return given
	case !t.resource.Instances:
		return t.holder.Name
	}
	_, bare, hasScheme := strings.Cut(t.name, "://")
	if !hasScheme {
		bare = t.name
	}
	return t.holder.Name + "-" + safeName(bare)
}

// scoped reports whether its connector is for that resource alone.
func (t keyTarget) scoped() bool { return t.holder.Settings.ResourceName == t.name }

// keysToLogIn are the resources that were named or are meant, each with its connector.
func (in invocation) keysToLogIn(ctx context.Context, e *engine) ([]keyTarget, error) {
	if name := in.text("resource-type"); name != "" {
		if err := e.broker.Types().FindResource(name); err != nil {
			return nil, err
		}
	}
	holders, err := e.keyHolders(ctx, in.text("connector"))
	if err != nil {
		return nil, err
	}
	names := in.args
	if len(names) == 0 {
		names = []string{""}
	}
	var targets []keyTarget
	for _, name := range names {
		t, err := settleKeys(holders, in.text("resource-type"), name)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// keyHolders are the connectors that give keys of AWS: the one of that name, or all.
func (e *engine) keyHolders(ctx context.Context, name string) ([]broker.Registered, error) {
	if name != "" {
		one, err := e.broker.Registered(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case one.Problem != nil:
			return nil, one.Problem
		case len(keyTypes(one, "")) == 0:
			return nil, fault.New(fault.Invalid, "connector %s gives no keys of AWS", one.Name).Hint("`svcconn describe %s` shows what it is for", one.Name)
		}
		return []broker.Registered{one}, nil
	}
	all, _, err := e.broker.AllRegistered(ctx)
	if err != nil {
		return nil, err
	}
	holders := slices.DeleteFunc(all, func(r broker.Registered) bool { return r.Problem != nil || len(keyTypes(r, "")) == 0 })
	if len(holders) == 0 {
		return nil, fault.New(fault.NotFound, "no connector gives keys of AWS").Hint("register one first: svcconn register NAME --type aws --auto-configure")
	}
	return holders, nil
}

// keyTypes are the resource types of a connector that are reached with keys: the one of
// that name, or all.
func keyTypes(r broker.Registered, only string) []*connector.ResourceType {
	var out []*connector.ResourceType
	for _, name := range r.Settings.ResourceTypes() {
		t, err := r.Settings.Type.Resource(name)
		if err == nil && t.Profile != nil && (only == "" || only == name) {
			out = append(out, t)
		}
	}
	return out
}

// settleKeys finds the one connector, and the one resource type, that a resource is
// meant for. For one that was named, a connector that is for it alone comes before
// others, and a resource type that has but one before those that any name could be of.
func settleKeys(holders []broker.Registered, resourceType, name string) (keyTarget, error) {
	var found []keyTarget
	var failure error
	for _, holder := range holders {
		for _, t := range keyTypes(holder, resourceType) {
			_, canonical, err := holder.Settings.Target(t.Name, name)
			if err != nil {
				failure = fault.Within(err, "connector %s", holder.Name)
				continue
			}
			found = append(found, keyTarget{holder, t, canonical})
		}
	}
	for _, better := range []func(keyTarget) bool{keyTarget.scoped, func(t keyTarget) bool { return !t.resource.Instances }} {
		if name != "" && slices.ContainsFunc(found, better) {
			found = slices.DeleteFunc(found, func(t keyTarget) bool { return !better(t) })
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return keyTarget{}, severalHolders(found, name)
	case len(holders) == 1 && failure != nil:
		return keyTarget{}, failure
	}
	return keyTarget{}, fault.New(fault.NotFound, "no connector gives keys for %s", strings.TrimSpace(resourceType+" "+name)).
		Hint("`svcconn list` shows what connectors are for")
}

func severalHolders(found []keyTarget, name string) error {
	var lines []string
	for _, t := range found {
		lines = append(lines, fmt.Sprintf("connector %s (%s)", t.holder.Name, t.resource.Name))
	}
	what := name
	if what == "" {
		what = "what is meant"
	}
	flags := "--connector " + found[0].holder.Name
	if found[0].holder.ID == found[len(found)-1].holder.ID {
		flags += " --resource-type " + found[0].resource.Name
	}
	return fault.New(fault.Ambiguous, "%s could be reached in several ways: %s", what, strings.Join(lines, ", ")).
		Hint("say which: svcconn login aws %s", strings.TrimSpace(flags+" "+name))
}
