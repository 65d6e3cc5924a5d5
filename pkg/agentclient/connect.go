package agentclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// connection is a stream to whoever hosts the broker.
type connection interface {
	io.ReadWriteCloser
	readFor(limit time.Duration) // bounds the reads from now on
	interrupt()                  // ends a read that waits in another goroutine
}

// Ready is the line that an agent prints once it listens; anything else is what
// went wrong.
const Ready = "ready"

// connect reaches the agent, starting one where there is none.
func (c *Client) connect(ctx context.Context) (connection, error) {
	if c.world.Getenv("SVCCONN_AGENT") == "off" {
		return c.child(ctx)
	}
	if conn, err := c.dial(); err == nil || !absent(err) {
		return conn, err
	}
	return c.start(ctx)
}

// Dial connects to a running agent. The error of a socket that is not there, or
// that nobody listens on, is fault.NotFound.
func (c *Client) Dial() (io.ReadWriteCloser, error) { return c.dial() }

func (c *Client) dial() (connection, error) {
	socket, err := Socket(c.Dirs.Runtime)
	if err != nil {
		return nil, err
	}
	conn, err := dial(socket)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.New(fault.Denied, "cannot connect to the agent's socket %s: %w", socket, errors.Unwrap(err)).
			Hint("it must belong to you; remove it, or set SVCCONN_RUNTIME_DIR to a folder of your own")
	}
	return nil, fault.New(fault.NotFound, "no agent is running: %w", err)
}

func absent(err error) bool { return fault.Is(err, fault.NotFound) }

// start runs `svcconn agent run` and waits until it listens. Of many front-ends
// that find no agent at once, one starts it and the others wait for that.
func (c *Client) start(ctx context.Context) (connection, error) {
	if err := atomicfile.MakeDir(c.Dirs.Runtime); err != nil {
		return nil, fault.WithHint(fault.Within(err, "cannot start the agent"), "set SVCCONN_RUNTIME_DIR to a folder that can be written, or SVCCONN_AGENT=off")
	}
	lock, err := filelock.Acquire(ctx, c.Dirs.Runtime+"/start.lock")
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if conn, err := c.dial(); err == nil || !absent(err) {
		return conn, err
	}
	if err := c.spawn(ctx); err != nil {
		return nil, err
	}
	return c.dial()
}

func (c *Client) spawn(ctx context.Context) error {
	svcconn, err := FindSvcconn()
	if err != nil {
		return err
	}
	cmd := exec.Command(svcconn, "agent", "run", "--background")
	cmd.Env = AgentEnv(c.world.Env)
	cmd.Dir = c.Dirs.Runtime
	detach(cmd)
	said, err := cmd.StdoutPipe()
	if err != nil {
		return fault.New(fault.Failed, "cannot start the agent: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fault.New(fault.Failed, "cannot start the agent %s: %w", svcconn, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = said.Close() })
	defer stop()
	line, _ := bufio.NewReader(said).ReadString('\n')
	_ = said.Close()
	if line = strings.TrimSpace(line); line != Ready {
		return startFailure(ctx, svcconn, line)
	}
	return cmd.Process.Release()
}

func startFailure(ctx context.Context, svcconn, said string) error {
	if ctx.Err() != nil {
		return fault.New(fault.KindOf(context.Cause(ctx)), "stopped while starting the agent: %w", context.Cause(ctx))
	}
	if said == "" {
		said = "it ended at once and said nothing"
	}
	return fault.New(fault.Failed, "the agent did not start: %s", said).
		Hint("`%s agent run` shows why; SVCCONN_AGENT=off does without the agent", svcconn)
}

// child runs svcconn for this one request, speaking the same protocol over its
// stdin and stdout.
func (c *Client) child(ctx context.Context) (connection, error) {
	svcconn, err := FindSvcconn()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, svcconn, "agent", "run", "--stdio")
	cmd.Env = append(AgentEnv(c.world.Env), "SVCCONN_AGENT=off")
	cmd.Stderr = c.world.Stderr
	// Our ends are plain pipes rather than cmd's own: they take read deadlines.
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, fault.New(fault.Failed, "cannot start %s: %w", svcconn, err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		_, _ = theirIn.Close(), ourOut.Close()
		return nil, fault.New(fault.Failed, "cannot start %s: %w", svcconn, err)
	}
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	err = cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		_, _ = ourIn.Close(), ourOut.Close()
		return nil, fault.New(fault.Failed, "cannot start %s: %w", svcconn, err)
	}
	return &pipes{in: ourIn, out: ourOut, cmd: cmd}, nil
}

// pipes is a connection to a child.
type pipes struct {
	in, out *os.File
	cmd     *exec.Cmd
}

func (p *pipes) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *pipes) Write(b []byte) (int, error) { return p.out.Write(b) }

func (p *pipes) readFor(limit time.Duration) { _ = p.in.SetReadDeadline(time.Now().Add(limit)) }

func (p *pipes) interrupt() { _ = p.in.Close() }

// Close ends the child, which stops when its stdin does, and waits for it.
func (p *pipes) Close() error {
	_, _ = p.out.Close(), p.in.Close()
	return p.cmd.Wait()
}
