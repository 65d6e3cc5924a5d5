package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
)

// The flags that register and update share.
var (
	setFlag         = flag{name: "set", short: "s", value: settingWord, many: true, usage: "a field of the auth method; describe-type lists them"}
	referenceFlag   = flag{name: "reference", usage: "keep where secrets are (env:, cmd:, @FILE) instead of their values, and read them at every mint"}
	noVerifyFlag    = flag{name: "no-verify", usage: "do not ask the service first"}
	descriptionFlag = flag{name: "description", value: "TEXT", usage: "what it is for"}
	expiresAtFlag   = flag{name: "expires-at", value: "TIME", usage: "when the stored secrets stop working, such as 2030-01-31T12:00:00Z"}
	skewFlag        = flag{name: "expires-skew-tolerance", value: "DURATION", usage: "how long before that they count as expired (5m)"}
	expirationFlag  = flag{name: "expiration", aliases: []string{"expiration-seconds"}, value: "DURATION", usage: "the lifetime to ask for, where the auth method mints credentials that expire"}
)

const secretSources = `A secret field is never given on the command line, where every process can read it: FIELD=@PATH takes it from a file, FIELD=- from stdin, FIELD=env:NAME from a variable, FIELD=cmd:COMMAND from a command. Left out, it is asked for on a terminal. Other fields take a literal, or @PATH; @@x is a literal @x.`

func registerCommand() command {
	return command{
		name: "register", group: connectorsGroup, summary: "register a connector",
		doc: `Registers a connector, after asking the service whether the login is good, and prints what it reaches. Its secrets go to the secret store, everything else into a file of the configuration folder. All or nothing: on an error, nothing was stored.

` + secretSources + `

With --auto-configure the fields come from what this machine already has; --set steers it. A login that lies around in plain text is moved: once it is in the secret store it is removed from there, and the tool is pointed at svcconn.`,
		args: []argument{{name: "NAME"}},
		flags: printing(
			flag{name: "type", short: "t", value: typeWord, required: true, usage: "the connector type"},
			authMethodFlag.described("the way to authenticate; may be left out where there is only one"),
			resourceTypeFlag.described("narrow it to one class of resources"),
			resourceNameFlag.described("narrow it to one resource"),
			setFlag, referenceFlag,
			flag{name: "label", short: "l", value: "KEY=VALUE", many: true, usage: "a label"},
			descriptionFlag, expiresAtFlag, skewFlag, expirationFlag, noVerifyFlag,
			flag{name: "auto-configure", usage: "take the fields from what this machine already has"},
			flag{name: "all", usage: "with --auto-configure: every login that is found, each as NAME-HOST"},
			flag{name: "keep-source", usage: "with --auto-configure: leave a plain-text login where it was found"},
		),
		examples: []example{
			{"a registry; the password is asked for", "svcconn register hub --type docker --set username=me"},
			{"in a script", "svcconn register team --type docker --set registry=registry.example.com --set username=ci --set password=@/run/secrets/password"},
			{"what docker login has left in plain text", "svcconn register hub --type docker --auto-configure --set registry=docker.io"},
		},
		run: engaged(runRegister),
	}
}

func runRegister(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	ctx = e.calling(ctx, "register")
	if err := in.checkAutoFlags(); err != nil {
		return err
	}
	t, err := in.types.Find(in.text("type"))
	if err != nil {
		return fault.WithHint(fault.New(fault.Invalid, "%w", err), "%s", fault.HintOf(err))
	}
	draft, err := in.draft(in.texts("label"))
	if err != nil {
		return err
	}
	draft.Name = in.args[0]
	draft.Spec.Type = t.Name
	if in.given("auto-configure") {
		return in.autoConfigure(ctx, e, p, t, draft)
	}
	if err := e.broker.NameFree(ctx, draft.Name); err != nil {
		return err
	}
	if err := in.readFields(ctx, t, &draft); err != nil {
		return err
	}
	return in.register(ctx, e, p, draft)
}

// checkAutoFlags refuses flags that would be ignored.
func (in invocation) checkAutoFlags() error {
	for _, name := range []string{"all", "keep-source"} {
		if in.given(name) && !in.given("auto-configure") {
			return fault.New(fault.Invalid, "flag --%s goes with --auto-configure", name)
		}
	}
	if in.given("reference") && in.given("auto-configure") {
		return fault.New(fault.Invalid, "flag --reference does not go with --auto-configure: what is found is stored")
	}
	return nil
}

// draft reads the flags that are no fields, and the labels.
func (in invocation) draft(pairs []string) (broker.Draft, error) {
	var d broker.Draft
	var err error
	if d.Labels, err = labels(pairs); err != nil {
		return d, err
	}
	if d.ExpiresAt, err = in.moment("expires-at"); err != nil {
		return d, err
	}
	if d.SkewTolerance, err = in.skew(); err != nil {
		return d, err
	}
	if d.Spec.Expiration, err = in.duration("expiration"); err != nil {
		return d, err
	}
	d.Description = in.text("description")
	d.Spec.Method, d.Spec.ResourceType, d.Spec.ResourceName = in.text("auth-method"), in.text("resource-type"), in.text("resource-name")
	return d, nil
}

// skew is nil where the default shall count; 0 is no default.
func (in invocation) skew() (*time.Duration, error) {
	if in.text("expires-skew-tolerance") == "" {
		return nil, nil
	}
	d, err := in.duration("expires-skew-tolerance")
	return &d, err
}

// readFields reads --set, and asks for the secrets that are needed and were left out.
func (in invocation) readFields(ctx context.Context, t *connector.Type, d *broker.Draft) error {
	method, err := t.Method(d.Spec.Method)
	if err != nil {
		return fault.WithHint(fault.New(fault.Invalid, "%w", err), "%s", fault.HintOf(err))
	}
	reader := in.newSetReader(method.Fields, t.Where(method))
	reader.reference = in.given("reference")
	for _, f := range method.Fields {
		if info := f.Info(); info.Secret() && info.Required {
			reader.missing = append(reader.missing, info.Name)
		}
	}
	values, err := reader.read(ctx, in.texts("set"))
	d.Spec.Values, d.References = values.Values, values.References
	return err
}

// register stores one connector and says what it reaches.
func (in invocation) register(ctx context.Context, e *engine, p output.Printer, d broker.Draft) error {
	v, err := e.broker.Register(ctx, d, !in.given("no-verify"))
	if err != nil {
		return err
	}
	return in.printStored(p, "Registered", v)
}

// printStored says what was stored and what it reaches.
func (in invocation) printStored(p output.Printer, did string, v broker.Verification) error {
	name := v.Connector.Name
	rows := agent.Verified(v).Resources
	if in.given("no-verify") {
		p.Notice("%s connector %s, unverified: `svcconn verify %s` asks the service.", did, name, name)
	} else {
		p.Notice("%s connector %s%s with access to the following resources:", did, name, asWhom(v))
	}
	if in.given("no-verify") && p.Format == output.Table {
		return nil
	}
	for i := range rows {
		rows[i].ConnectorID, rows[i].ConnectorName, rows[i].ConnectorType = v.Connector.ID, name, v.Connector.Type
	}
	return output.List(p, in.resourceListing(rows, fmt.Sprintf("None: the service lists no resources for %s.", name)))
}

// asWhom is who the service says that we are.
func asWhom(v broker.Verification) string {
	if v.Identity == nil || v.Identity.Name == "" {
		return ""
	}
	return " (as " + v.Identity.Name + ")"
}

// safeName makes a part of a connector's name of a host.
func safeName(host string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, host), "-.")
}
