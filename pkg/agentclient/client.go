// Package agentclient is the front-ends' side of the wire: it finds the agent's
// socket, starts the agent when nobody listens, or runs svcconn as a child for one
// request when no agent is wanted (SVCCONN_AGENT=off), and carries bytes.
//
// It links the standard library only and refuses to know what the bytes mean: a
// front-end that docker starts thousands of times pays for all that is linked here.
package agentclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

const (
	// firstWord is how long an agent may take to say anything at all.
	firstWord = 10 * time.Second
	// grace is what the agent gets on top of the budget that it named, to say
	// itself that time is up.
	grace = 2 * time.Second
	// attempts bounds how often an operation is sent: an agent may be killed or
	// give way to a newer one while it is asked. The kernel goes on taking
	// connections for a killed process until it has torn it down, hence a pause after
	// each that doubles: 0.6 s in all.
	attempts   = 7
	firstPause = 5 * time.Millisecond
)

// Client talks to the agent of one set-up. Make it with New.
type Client struct {
	Dirs   paths.Dirs
	binary string
	world  proc.World

	// Ask answers the agent's questions: for an environment variable (name set) or
	// to a person (prompt set). Nil answers from the environment alone.
	Ask func(name, prompt string) (value secret.Text, set bool, err error)
	// Watch is told what comes before the answer: items, progress, notices.
	Watch func(wire.Reply) error
}

// New makes a client for the set-up that the environment names. binary is what
// the agent's audit log calls the front-end.
func New(w proc.World, binary string) (*Client, error) {
	dirs, err := paths.Resolve(w.Getenv)
	if err != nil {
		return nil, err
	}
	return &Client{Dirs: dirs, binary: binary, world: w}, nil
}

// Answer is the end of an operation that succeeded.
type Answer struct {
	Absent bool            // docker.get: nobody serves the address
	Data   json.RawMessage // what the operation's comment in package wire says
	Body   secret.Text
}

// Call carries out one operation. args may be nil; body travels as bytes that are
// never logged. Errors of the agent come back with their kind and hint.
func (c *Client) Call(ctx context.Context, op string, args any, body secret.Text) (Answer, error) {
	request := wire.Request{Protocol: wire.Protocol, Op: op, Config: c.Dirs.Config,
		Client: wire.Client{Binary: c.binary, Release: wire.Release, PID: c.world.PID}}
	if args != nil {
		var err error
		if request.Args, err = wire.Encode(args); err != nil {
			return Answer{}, fault.New(fault.Failed, "cannot ask the agent: %w", err)
		}
	}
	var err error
	for pause := firstPause; pause < firstPause<<attempts; pause *= 2 {
		var answer Answer
		if answer, err = c.once(ctx, request, body); !errors.Is(err, errAgain) {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-time.After(pause):
		}
	}
	return Answer{}, fault.New(fault.Unavailable, "the agent went away %d times while it was asked: %w", attempts, err).
		Hint("try again; SVCCONN_AGENT=off does without the agent")
}

// errAgain marks a failure of the agent before it answered: asking anew is safe,
// since every operation may be repeated.
var errAgain = errors.New("the agent did not finish")

func (c *Client) once(ctx context.Context, request wire.Request, body secret.Text) (Answer, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.interrupt)
	defer stop()
	if err := wire.Write(conn, request, body); err != nil {
		if errors.Is(err, wire.ErrTooLarge) {
			return Answer{}, fault.New(fault.Invalid, "the input is too large: more than %d MiB", wire.MaxBody>>20)
		}
		return Answer{}, c.broken(ctx, err)
	}
	return c.listen(ctx, conn)
}

func (c *Client) listen(ctx context.Context, conn connection) (Answer, error) {
	deadline := firstWord
	for {
		conn.readFor(deadline)
		var reply wire.Reply
		body, err := wire.Read(conn, &reply)
		if err != nil {
			return Answer{}, c.broken(ctx, err)
		}
		switch reply.Event {
		case wire.Success:
			return Answer{Absent: reply.Absent, Data: reply.Data, Body: body}, nil
		case wire.Failure:
			if reply.Error == nil {
				return Answer{}, fault.New(fault.Failed, "the agent reported an error without a text").Hint("svcconn agent stop")
			}
			return Answer{}, reply.Error.Fault()
		case wire.GiveWay:
			return Answer{}, errAgain
		case wire.Working:
			deadline = reply.Budget + grace
			continue
		case wire.Ask:
			err = c.answer(conn, reply)
		default:
			if c.Watch != nil {
				err = c.Watch(reply)
			}
		}
		if err != nil {
			return Answer{}, err
		}
	}
}

// answer tells the agent a value of our environment, or what a person says.
func (c *Client) answer(conn io.Writer, ask wire.Reply) error {
	var value secret.Text
	var set bool
	if c.Ask != nil {
		var err error
		if value, set, err = c.Ask(ask.Name, ask.Text); err != nil {
			return err
		}
	} else if text, ok := c.world.LookupEnv(ask.Name); ok && ask.Name != "" {
		value, set = secret.New(text), true
	}
	return wire.Write(conn, wire.Answer{Set: set}, value)
}

// LookupEnv is what an Ask function of a program with a terminal falls back to.
func (c *Client) LookupEnv(name string) (secret.Text, bool) {
	text, ok := c.world.LookupEnv(name)
	return secret.New(text), ok && name != ""
}

func (c *Client) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fault.New(fault.KindOf(context.Cause(ctx)), "stopped while waiting for the agent: %w", context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.Unavailable, "the agent does not answer").
			Hint("`svcconn agent stop` ends it, and the next request starts a new one")
	case errors.Is(err, wire.ErrTooLarge):
		return fault.New(fault.Failed, "the agent's answer is not one: %w", err).Hint("svcconn agent stop")
	}
	return errAgain
}
