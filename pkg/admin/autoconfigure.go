package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
)

// autoConfigure registers what this machine already has. A login that lay in plain text
// is moved: it is taken away there once it is stored, and the tool asks svcconn.
func (in invocation) autoConfigure(ctx context.Context, e *engine, p output.Printer, t *connector.Type, draft broker.Draft) error {
	if t.Detect == nil {
		return fault.New(fault.Invalid, "connector type %s has no auto-configuration", t.Name).
			Hint("give its fields: svcconn describe-type %s", t.Name)
	}
	found, err := in.detect(ctx, e, t, draft.Spec.Method)
	if err != nil {
		return err
	}
	if len(found) > 1 && !in.given("all") {
		return severalFound(t, found)
	}
	for _, one := range found {
		for _, note := range one.Notes {
			p.Notice("svcconn: %s", note)
		}
		if err := in.adopt(ctx, e, p, t, draft, one, len(found) > 1); err != nil {
			return err
		}
	}
	return nil
}

// detect finds logins, of the auth method that was asked for if one was.
func (in invocation) detect(ctx context.Context, e *engine, t *connector.Type, method string) ([]connector.Detected, error) {
	hints, err := hintsOf(in.texts("set"))
	if err != nil {
		return nil, err
	}
	if method == "" {
		return t.Detect(ctx, e.detectHost(), hints)
	}
	if _, err := t.Method(method); err != nil {
		return nil, fault.WithHint(fault.New(fault.Invalid, "%w", err), "%s", fault.HintOf(err))
	}
	if t.MethodHint {
		hints[connector.HintMethod] = method
	}
	found, err := t.Detect(ctx, e.detectHost(), hints)
	if err != nil || len(found) == 0 {
		return found, err
	}
	other := found[0]
	found = slices.DeleteFunc(found, func(one connector.Detected) bool { return one.Spec.Method != method })
	if len(found) == 0 {
		return nil, fault.New(fault.Invalid, "the login in %s is one for auth method %s, not %s", other.Source.Description, other.Spec.Method, method).
			Hint("leave --auth-method out")
	}
	return found, nil
}

// hintsOf reads --set FIELD=VALUE as steering: plain text, files included.
func hintsOf(flags []string) (map[string]string, error) {
	hints := map[string]string{}
	for _, text := range flags {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "--set takes FIELD=VALUE")
		}
		plain, err := plainText(value)
		if err != nil {
			return nil, fault.Within(err, "field %s", name)
		}
		hints[strings.ReplaceAll(name, "-", "_")] = plain
	}
	return hints, nil
}

// severalFound lists what there is to choose from.
func severalFound(t *connector.Type, found []connector.Detected) error {
	var lines []string
	for _, one := range found {
		lines = append(lines, fmt.Sprintf("%s (%s)", resourceOf(t, one), one.Source.Description))
	}
	return fault.New(fault.Ambiguous, "this machine has %d logins: %s", len(found), strings.Join(lines, "; ")).
		Hint("choose one with --set registry=HOST, or take all with --all")
}

// resourceOf names what a detected login is for.
func resourceOf(t *connector.Type, one connector.Detected) string {
	if ofOneResource(t) {
		return t.Resources[0].Default(one.Spec.Values)
	}
	return one.Source.Description
}

func ofOneResource(t *connector.Type) bool {
	return len(t.Resources) == 1 && t.Resources[0].Default != nil
}

// forResource says what a detected login is for, where it is for one thing.
func forResource(t *connector.Type, one connector.Detected) string {
	if !ofOneResource(t) {
		return ""
	}
	return " for " + resourceOf(t, one)
}

func (in invocation) adopt(ctx context.Context, e *engine, p output.Printer, t *connector.Type, draft broker.Draft, one connector.Detected, several bool) error {
	draft.Spec.Values, draft.Spec.Method = one.Spec.Values, one.Spec.Method
	if draft.Spec.Expiration == 0 {
		draft.Spec.Expiration = one.Spec.Expiration
	}
	if draft.ExpiresAt.IsZero() {
		draft.ExpiresAt = one.Expires
	}
	if one.Temporary && draft.ExpiresAt.IsZero() {
		return fault.New(fault.Invalid, "the login in %s is temporary, and nothing says until when it is good", one.Source.Description).
			Hint("say it: --expires-at 2030-01-31T12:00:00Z")
	}
	if several {
		draft.Name += "-" + safeName(resourceOf(t, one))
	}
	p.Notice("Found a login%s in %s.", forResource(t, one), one.Source.Description)
	if err := in.register(ctx, e, p, draft); err != nil {
		return err
	}
	switch {
	case !one.Source.PlainText || in.given("keep-source"):
		return nil
	case len(t.Resources) > 1:
		p.Notice("The login also stays in %s (%s): `svcconn login` points tools at svcconn; then remove it there.", one.Source.File, one.Source.Key)
		return nil
	case t.Resources[0].Name != broker.DockerRegistry:
		// What a kubeconfig has is also its owner's way in; it is not ours to take away.
		p.Notice("The login also stays in %s: `svcconn login kubectl %s` writes a context that uses svcconn; then remove it there.", one.Source.File, resourceOf(t, one))
		return nil
	}
	return in.move(ctx, e, p, resourceOf(t, one), one.Source)
}

// move points the tool at svcconn first, then takes the plain-text login away: at no
// instant is the tool without one.
func (in invocation) move(ctx context.Context, e *engine, p output.Printer, registry string, from connector.Source) error {
	env := e.clientEnv()
	tool := clientconfig.Containers
	if from.File == env.DockerFile() {
		tool = clientconfig.Docker
	}
	login, err := clientconfig.PlanDockerLogin(env, dockerKeys(registry), clientconfig.Options{})
	if err != nil {
		return err
	}
	if err := login.Apply(ctx); err != nil {
		return err
	}
	forget, err := clientconfig.PlanForgetPlainText(env, tool, from.File, []string{from.Key})
	if err != nil {
		return err
	}
	if err := forget.Apply(ctx); err != nil {
		return err
	}
	p.Notice("Removed the plain-text login for %s from %s; docker now asks svcconn.", registry, from.File)
	return nil
}

// detectHost is the machine as the person has it: auto-configuration looks where the
// person's own tools look.
func (e *engine) detectHost() connector.Host { return e.host(e.world.Env) }
