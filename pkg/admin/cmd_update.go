package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/registry"
)

func updateCommand() command {
	return command{
		name: "update", group: connectorsGroup, summary: "change a connector",
		doc: `Changes a connector: all or nothing, after asking the service whether the changed one is good. What no flag names stays as it is. --clear takes ` + strings.Join(clearable, ", ") + `.

` + secretSources,
		args: []argument{{name: connectorWord}},
		flags: printing(
			flag{name: "name", value: "NEW", usage: "rename it"},
			setFlag, flag{name: "unset", value: fieldWord, many: true, usage: "remove a field"}, referenceFlag,
			flag{name: "label", short: "l", value: "KEY=VALUE|KEY-", many: true, usage: "set a label, or remove it"},
			authMethodFlag.described("another way to authenticate"),
			resourceTypeFlag.described("narrow it to another class of resources"),
			resourceNameFlag.described("narrow it to another resource"),
			flag{name: "clear", value: "WHAT", many: true, usage: "forget a setting that is not a field"},
			descriptionFlag, expiresAtFlag, skewFlag, expirationFlag, noVerifyFlag,
		),
		examples: []example{
			{"a new password, asked for", "svcconn update hub --set password"},
			{"rename it and change a label", "svcconn update hub --name docker-hub --label team=web --label old-"},
		},
		run: engaged(runUpdate),
	}
}

// clearable are the settings that --clear forgets.
var clearable = []string{"resource-type", "resource-name", "expiration", "expires-at", "expires-skew-tolerance", "description", "labels"}

func runUpdate(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	ctx = e.calling(ctx, "update")
	old, err := e.broker.Find(ctx, in.args[0])
	if err != nil {
		return err
	}
	draft := broker.DraftOf(old)
	for _, change := range []func(*broker.Draft) error{in.clearSettings, in.changeSettings, in.changeLabels} {
		if err := change(&draft); err != nil {
			return err
		}
	}
	if err := in.changeFields(ctx, &draft); err != nil {
		return err
	}
	if err := in.changeMethod(old, &draft); err != nil {
		return err
	}
	v, err := e.broker.Update(ctx, old, draft, !in.given("no-verify"))
	if err != nil {
		return err
	}
	e.forget(ctx, old.ID)
	return in.printStored(p, "Updated", v)
}

// clearSettings carries --clear out.
func (in invocation) clearSettings(d *broker.Draft) error {
	for _, what := range in.texts("clear") {
		what = strings.ReplaceAll(what, "_", "-")
		if what == "resource-id" {
			what = "resource-name"
		}
		switch what {
		case "resource-type":
			d.Spec.ResourceType, d.Spec.ResourceName = "", ""
		case "resource-name":
			d.Spec.ResourceName = ""
		case "expiration":
			d.Spec.Expiration = 0
		case "expires-at":
			d.ExpiresAt = time.Time{}
		case "expires-skew-tolerance":
			d.SkewTolerance = nil
		case "description":
			d.Description = ""
		case "labels":
			d.Labels = nil
		default:
			err := fault.New(fault.Invalid, "--clear does not take %q", what)
			if near := field.Nearest(what, clearable); near != "" {
				return err.Hint("did you mean %s? --unset removes a field", near)
			}
			return err.Hint("it takes: %s; --unset removes a field", strings.Join(clearable, ", "))
		}
		if in.given(what) {
			return fault.New(fault.Invalid, "%s is both set and cleared", what)
		}
	}
	return nil
}

// changeSettings takes the flags that are no fields.
func (in invocation) changeSettings(d *broker.Draft) error {
	given, err := in.draft(nil)
	if err != nil {
		return err
	}
	if in.given("name") {
		d.Name = in.text("name")
	}
	if in.given("description") {
		d.Description = given.Description
	}
	if !given.ExpiresAt.IsZero() {
		d.ExpiresAt = given.ExpiresAt
	}
	if given.SkewTolerance != nil {
		d.SkewTolerance = given.SkewTolerance
	}
	if in.given("expiration") {
		d.Spec.Expiration = given.Spec.Expiration
	}
	if given.Spec.Method != "" {
		d.Spec.Method = given.Spec.Method
	}
	if rt := given.Spec.ResourceType; rt != "" && rt != d.Spec.ResourceType {
		d.Spec.ResourceType, d.Spec.ResourceName = rt, "" // a name is of its own type alone
	}
	if given.Spec.ResourceName != "" {
		d.Spec.ResourceName = given.Spec.ResourceName
	}
	return nil
}

// changeLabels sets KEY=VALUE and removes KEY-.
func (in invocation) changeLabels(d *broker.Draft) error {
	for _, text := range in.texts("label") {
		if key, ok := strings.CutSuffix(text, "-"); ok && !strings.Contains(text, "=") {
			if _, there := d.Labels[key]; !there {
				return fault.New(fault.Invalid, "there is no label %q to remove", key)
			}
			delete(d.Labels, key)
			continue
		}
		one, err := labels([]string{text})
		if err != nil {
			return err
		}
		if d.Labels == nil {
			d.Labels = map[string]string{}
		}
		for key, value := range one {
			d.Labels[key] = value
		}
	}
	return nil
}

// changeFields sets and removes fields. A secret that is set anew replaces the stored
// one or the reference.
func (in invocation) changeFields(ctx context.Context, d *broker.Draft) error {
	t, err := in.types.Find(d.Spec.Type)
	if err != nil {
		return err
	}
	method, err := t.Method(d.Spec.Method)
	if err != nil {
		return fault.WithHint(fault.New(fault.Invalid, "%w", err), "%s", fault.HintOf(err))
	}
	for _, name := range in.texts("unset") {
		name = strings.ReplaceAll(name, "-", "_")
		if !d.Spec.Values.Has(name) && !slices.Contains(d.Keep, name) && d.References[name] == "" {
			return fault.Within(unsetUnknown(method.Fields, name, t.Where(method)), "--unset")
		}
		d.Remove(name)
	}
	reader := in.newSetReader(method.Fields, t.Where(method))
	reader.reference = in.given("reference")
	values, err := reader.read(ctx, in.texts("set"))
	if err != nil {
		return err
	}
	for name, value := range values.Plain() {
		d.Spec.Values.Set(name, value)
	}
	for name, value := range values.Secrets() {
		d.Remove(name)
		d.Spec.Values.SetSecret(name, value)
	}
	for name, ref := range values.References {
		d.Remove(name)
		d.Refer(name, ref)
	}
	return nil
}

// changeMethod takes leave of the fields that a new auth method does not have: defaults,
// which nobody chose, by itself; what somebody chose has to be unset by them.
func (in invocation) changeMethod(old registry.Connector, d *broker.Draft) error {
	t, err := in.types.Find(d.Spec.Type)
	if err != nil {
		return err
	}
	method, err := t.Method(d.Spec.Method)
	if err != nil {
		return err
	}
	before, err := t.Method(old.Spec().Method)
	if err != nil || before.Name == method.Name {
		return nil // of a method that is gone, the broker tells
	}
	var chosen []string
	for _, f := range before.Fields {
		info := f.Info()
		if _, stays := method.Fields.Find(info.Name); stays {
			continue
		}
		value, plain := d.Spec.Values.Plain()[info.Name]
		switch {
		case plain && asTyped(value) == info.Default:
			d.Remove(info.Name)
		case plain || slices.Contains(d.Keep, info.Name) || d.References[info.Name] != "":
			chosen = append(chosen, info.Name)
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s has no field %s", t.Where(method), strings.Join(chosen, ", ")).
		Hint("what is of no use to it has to go: --unset %s", strings.Join(chosen, " --unset "))
}

// asTyped is a value as a person would type it.
func asTyped(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}

func unsetUnknown(fields field.Set, name, where string) error {
	if _, ok := fields.Find(name); ok {
		return fault.New(fault.Invalid, "field %s is not set", name)
	}
	return fields.Unknown(name, where)
}
