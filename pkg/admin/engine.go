package admin

import (
	"context"
	"encoding/json"
	"os/user"
	"sync"

	"github.com/svcconn/svcconn/pkg/agent"
	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
	"github.com/svcconn/svcconn/pkg/settings"
	"github.com/svcconn/svcconn/pkg/wire"
)

// engine is one set-up: its folders and settings, a broker over them in this process
// for what changes connectors, and the way to the agent for what mints.
type engine struct {
	world    proc.World
	dirs     paths.Dirs
	settings settings.Settings
	terminal prompt.Terminal
	broker   *broker.Broker

	asking   sync.Mutex // one question at a time is put to the person
	unlocked bool       // the person has unlocked the agent's secret store; guarded by asking
}

// newEngine opens the set-up that the environment names. Close it.
func newEngine(w proc.World, types connector.Types, terminal prompt.Terminal) (*engine, error) {
	dirs, err := paths.Resolve(w.Getenv)
	if err != nil {
		return nil, err
	}
	current, err := settings.Load(dirs.Config)
	if err != nil {
		return nil, err
	}
	if current, err = current.WithEnv(w.Getenv); err != nil {
		return nil, err
	}
	e := &engine{world: w, dirs: dirs, settings: current, terminal: terminal}
	e.broker = e.newBroker(types, e.askPassphrase, personAt(w, terminal))
	return e, nil
}

// engaged runs a command with the set-up opened and the printer that it wants.
func engaged(run func(context.Context, invocation, *engine, output.Printer) error) func(context.Context, invocation) error {
	return func(ctx context.Context, in invocation) error {
		e, err := in.engine()
		if err != nil {
			return err
		}
		defer e.close()
		p, err := in.printer()
		if err != nil {
			return err
		}
		return run(ctx, in, e, p)
	}
}

// newBroker makes a broker over the set-up; ask asks for the passphrase of the file
// secret store, and person logs in; nil where nobody can be asked or sent.
func (e *engine) newBroker(types connector.Types, ask secrets.Ask, person connector.Person) *broker.Broker {
	owner := e.world.Getenv("USER")
	if me, err := user.Current(); err == nil {
		owner = me.Username
	}
	env := agentclient.AgentEnv(e.world.Env)
	host := e.host(env)
	host.Person = person
	return broker.New(broker.Config{
		Types: types, Dirs: e.dirs, Env: env, Owner: owner, Host: host,
		Secrets: secrets.Open(secrets.Config{
			StateDir: e.dirs.State, Backend: e.settings.Secrets.Backend, IdentityFile: e.settings.Secrets.IdentityFile,
			Timeout: e.settings.Secrets.Timeout, Getenv: e.world.Getenv, Ask: ask,
		}),
	})
}

func (e *engine) close() { e.broker.Close() }

// withoutPerson is how the passphrase is given where nobody can be asked.
const withoutPerson = "name a file with the passphrase in SVCCONN_PASSPHRASE_FILE"

// askPassphrase asks the person at the terminal.
func (e *engine) askPassphrase(ctx context.Context, label string, confirm bool) (secret.Text, error) {
	question := prompt.Question{Label: label, Without: withoutPerson}
	if confirm {
		return e.terminal.NewSecret(ctx, question)
	}
	return e.terminal.Secret(ctx, question)
}

// calling says that the requests under ctx come from this command, and lets them look
// at its environment.
func (e *engine) calling(ctx context.Context, surface string) context.Context {
	return broker.WithCaller(ctx, broker.Caller{
		Caller: audit.Caller{Surface: surface, Binary: program, PID: e.world.PID},
		LookupEnv: func(_ context.Context, name string) (secret.Text, bool, error) {
			text, set := e.world.LookupEnv(name)
			return secret.New(text), set, nil
		},
	})
}

// call asks the agent, or a child where no agent is wanted. A file secret store that
// is locked is unlocked by the person at the terminal, once.
func (e *engine) call(ctx context.Context, op string, args any, watch func(wire.Reply) error) (agentclient.Answer, error) {
	client, err := e.client(watch)
	if err != nil {
		return agentclient.Answer{}, err
	}
	answer, err := client.Call(ctx, op, args, secret.Text{})
	if !e.mayUnlock(err) {
		return answer, err
	}
	if err := e.unlockOnce(ctx); err != nil {
		return answer, err
	}
	return client.Call(ctx, op, args, secret.Text{})
}

// callAlone is call for a program that runs svcconn with nobody at the terminal, even
// if there is one: what needs a person fails at once.
func (e *engine) callAlone(ctx context.Context, op string, args any, watch func(wire.Reply) error) (agentclient.Answer, error) {
	client, err := e.client(watch)
	if err != nil {
		return agentclient.Answer{}, err
	}
	client.Ask = nil // its own answers from the environment
	return client.Call(ctx, op, args, secret.Text{})
}

func (e *engine) client(watch func(wire.Reply) error) (*agentclient.Client, error) {
	client, err := agentclient.New(e.world, program)
	if err != nil {
		return nil, err
	}
	client.Watch = watch
	client.Ask = func(name, label string) (secret.Text, bool, error) {
		if label == "" {
			text, set := client.LookupEnv(name)
			return text, set, nil
		}
		e.asking.Lock()
		defer e.asking.Unlock()
		text, err := e.askPassphrase(context.Background(), label, false)
		return text, err == nil, err
	}
	return client, nil
}

// mayUnlock reports whether err is a locked file store that the person at the
// terminal can unlock in the agent. (A child asks for itself.)
func (e *engine) mayUnlock(err error) bool {
	return fault.IsLocked(err) && e.world.Getenv("SVCCONN_AGENT") != "off"
}

// unlockOnce is unlock for calls that are made at the same time.
func (e *engine) unlockOnce(ctx context.Context) error {
	e.asking.Lock()
	defer e.asking.Unlock()
	if e.unlocked {
		return nil
	}
	err := e.unlock(ctx)
	e.unlocked = err == nil
	return err
}

// unlock asks for the passphrase and gives it to the agent.
func (e *engine) unlock(ctx context.Context) error {
	passphrase, err := e.passphrase(ctx)
	if err != nil {
		return err
	}
	client, err := e.client(nil)
	if err == nil {
		_, err = client.Call(ctx, wire.AgentUnlock, nil, passphrase)
	}
	return err
}

func (e *engine) passphrase(ctx context.Context) (secret.Text, error) {
	if file := e.world.Getenv("SVCCONN_PASSPHRASE_FILE"); file != "" {
		return secrets.ReadFile(ctx, file)
	}
	return e.askPassphrase(ctx, "Passphrase of the secret store", false)
}

// forget tells a running agent to drop what it keeps of a connector. Without an agent
// there is nothing to drop, and one that does not answer finds the change itself.
func (e *engine) forget(ctx context.Context, id string) {
	client, err := e.client(nil)
	if err != nil || e.world.Getenv("SVCCONN_AGENT") == "off" {
		return
	}
	conn, err := client.Dial()
	if err != nil {
		return
	}
	_ = conn.Close()
	_, _ = client.Call(ctx, wire.AgentForget, wire.ForgetArgs{Connector: id}, secret.Text{})
}

// runAgent is the agent's whole life; see package agent.
func (e *engine) runAgent(ctx context.Context, types connector.Types, stdio, background bool) error {
	if stdio {
		b := e.newBroker(types, func(ctx context.Context, label string, _ bool) (secret.Text, error) {
			ask := broker.CallerOf(ctx).AskSecret
			if ask == nil {
				return secret.Text{}, fault.New(fault.NeedsPerson, "the secret store is locked").Hint(withoutPerson)
			}
			text, err := ask(ctx, label)
			return text, fault.WithHint(err, withoutPerson)
		}, nil)
		defer b.Close()
		return agent.NewServer(b, e.dirs, wire.Release, e.world.PID, e.world.Now).RunStdio(ctx, e.world.Stdin, e.world.Stdout)
	}
	b := e.newBroker(types, nil, nil)
	defer b.Close()
	ready := func() {}
	if background {
		ready = agent.Announce(e.world.Stdout)
	}
	return agent.NewServer(b, e.dirs, wire.Release, e.world.PID, e.world.Now).Run(ctx, ready)
}

// decode reads the data of an answer.
func decode[T any](answer agentclient.Answer) (T, error) {
	var out T
	if err := json.Unmarshal(answer.Data, &out); err != nil {
		return out, fault.New(fault.Failed, "the agent's answer is malformed: %w", err).Hint("svcconn agent stop")
	}
	return out, nil
}
