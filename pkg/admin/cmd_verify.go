package admin

import (
	"context"
	"time"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func verifyCommand() command {
	return command{
		name: "verify", group: connectorsGroup, summary: "ask the service who a connector is and what it reaches",
		doc: `Asks the service who it says that we are, and lists what the connector reaches. Nothing is changed, but that a person at a terminal can log in anew where a login is missing: to an identity provider, in the browser or by a code.

--retry-for asks again for that long while the service refuses or does not answer: fresh accounts and keys take a while to be known everywhere.`,
		args: []argument{{name: connectorWord}},
		flags: printing(resourceTypeFlag, resourceNameFlag,
			flag{name: "verify-only", short: "v", usage: "only who we are, not what is reached"},
			flag{name: "retry-for", value: "DURATION", usage: "ask again for that long"}),
		examples: []example{{"is the login still good?", "svcconn verify hub"}},
		run:      engaged(runVerify),
	}
}

func runVerify(ctx context.Context, in invocation, e *engine, p output.Printer) error {
	retryFor, err := in.duration("retry-for")
	if err != nil {
		return err
	}
	v, failure, err := in.verifyUntil(ctx, e, p, in.world.Now().Add(retryFor))
	if err != nil {
		return err
	}
	if err := in.printVerified(p, v); err != nil {
		return err
	}
	return failure
}

// verifyUntil asks, and asks again until the deadline while that may help.
func (in invocation) verifyUntil(ctx context.Context, e *engine, p output.Printer, deadline time.Time) (wire.Verified, error, error) {
	args := wire.VerifyArgs{Connector: in.args[0], ResourceType: in.text("resource-type"), ResourceName: in.text("resource-name"), IdentityOnly: in.given("verify-only")}
	for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
		v, failure, err := in.verifyOnce(ctx, e, p, args)
		again := failure != nil && (fault.Is(failure, fault.Denied) || fault.Is(failure, fault.Unavailable))
		if err != nil || !again || !in.world.Now().Add(wait).Before(deadline) {
			return v, failure, err
		}
		p.Notice("svcconn: not yet: %v; asking again in %s", failure, wait)
		select {
		case <-ctx.Done():
			return v, failure, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

func (in invocation) verifyOnce(ctx context.Context, e *engine, p output.Printer, args wire.VerifyArgs) (v wire.Verified, failure, err error) {
	answer, err := e.call(ctx, wire.Verify, args, in.notices(p))
	if err != nil {
		return v, nil, err
	}
	if v, err = decode[wire.Verified](answer); err != nil {
		return v, nil, err
	}
	failure = v.Failure.Fault()
	if fault.Is(failure, fault.NeedsPerson) && !fault.IsLocked(failure) && personAt(in.world, e.terminal) != nil {
		return in.verifyHere(ctx, e, args)
	}
	v.Failure = nil // the error is told once
	return v, failure, nil
}

// verifyHere asks in this process, which the person is at: he can log in. What the
// agent keeps is of the login before.
func (in invocation) verifyHere(ctx context.Context, e *engine, args wire.VerifyArgs) (v wire.Verified, failure, err error) {
	found, err := e.broker.Verify(e.calling(ctx, "verify"), args.Connector, args.ResourceType, args.ResourceName, args.IdentityOnly)
	if err != nil {
		return v, nil, err
	}
	if found.Err == nil {
		e.forget(ctx, found.Connector.ID)
	}
	v = agent.Verified(found)
	v.Failure = nil
	return v, found.Err, nil
}

// printVerified prints what the service said: as one thing for programs, as a sentence
// and a table for people.
func (in invocation) printVerified(p output.Printer, v wire.Verified) error {
	if p.Format == output.JSON || p.Format == output.YAML {
		return p.Describe(output.Description{Name: v.Connector, Value: v})
	}
	if v.Identity != nil {
		detail := ""
		if v.Identity.Detail != "" {
			detail = " (" + v.Identity.Detail + ")"
		}
		p.Notice("Connector %s is good: the service says that it is %s%s.", v.Connector, v.Identity.Name, detail)
	}
	if v.Error != nil || in.given("verify-only") {
		return nil
	}
	return output.List(p, in.resourceListing(v.Resources, "It reaches no resources."))
}
