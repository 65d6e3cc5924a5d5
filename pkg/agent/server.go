// Package agent hosts a broker for the front-ends: a per-user background process
// behind a unix socket, started on demand, living as long as what it holds; or one
// request over stdin and stdout where no agent is wanted. It renders credentials in
// the forms that native tools read.
//
// It refuses peers that are other users, writes no credential anywhere, and does
// not let its memory be dumped.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/broker"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// Server answers the wire protocol with a broker. Make it with NewServer.
type Server struct {
	broker  *broker.Broker
	dirs    paths.Dirs
	release string
	now     func() time.Time
	echoes  *echoes

	rejections *rejections
	exchange   *exchange

	// superseded reports that our own executable was replaced on disk; nil never.
	superseded func() bool

	started  time.Time
	pid      int
	socket   string
	lastUsed atomic.Pointer[time.Time]
	requests sync.WaitGroup
	active   atomic.Int64

	retireOnce    sync.Once
	retired       chan struct{}
	stopListening func() // gives up socket and lock; nil when there are none
}

// NewServer makes a server for the set-up of dirs.
func NewServer(b *broker.Broker, dirs paths.Dirs, release string, pid int, now func() time.Time) *Server {
	s := &Server{
		broker: b, dirs: dirs, release: release, now: now, pid: pid,
		echoes: newEchoes(), rejections: newRejections(now), exchange: newExchange(now), started: now(), retired: make(chan struct{}),
	}
	s.touch()
	return s
}

func (s *Server) touch() {
	at := s.now()
	s.lastUsed.Store(&at)
}

// Serve answers connections until the listener is closed. Each connection is one
// front-end; its requests are answered one after another.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fault.New(fault.Failed, "the agent's socket failed: %w", err)
		}
		s.requests.Add(1)
		go func() {
			defer s.requests.Done()
			defer conn.Close()
			peer, err := peerOf(conn)
			if err != nil {
				return // another user: nothing is worth telling him
			}
			s.ServeConn(ctx, conn, peer)
		}()
	}
}

// Peer is what the transport knows of the other side; PID 0 is nothing.
type Peer struct{ PID int }

// ServeConn answers the requests of one stream until it ends.
func (s *Server) ServeConn(ctx context.Context, stream io.ReadWriter, peer Peer) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		var request wire.Request
		body, err := wire.Read(stream, &request)
		if err != nil {
			return
		}
		s.touch()
		s.active.Add(1)
		c := &call{server: s, stream: stream, request: request, body: body}
		over := s.answer(ctx, c, peer)
		s.active.Add(-1)
		s.touch()
		if over {
			return
		}
	}
}

// answer carries out one request; it reports whether the connection is done with.
func (s *Server) answer(ctx context.Context, c *call, peer Peer) bool {
	if err := s.acceptable(c.request); err != nil {
		return c.finish(wire.Reply{Event: wire.Failure, Error: wire.FromFault(err)}, secret.Text{}) != nil
	}
	if s.mustGiveWay(c.request.Client.Release) {
		s.retire()
		_ = c.finish(wire.Reply{Event: wire.GiveWay}, secret.Text{})
		return true
	}
	ctx = broker.WithCaller(ctx, c.caller(peer))
	reply, body, err := c.carryOut(ctx)
	if err != nil {
		reply, body = wire.Reply{Event: wire.Failure, Error: wire.FromFault(err)}, secret.Text{}
	}
	return c.finish(reply, body) != nil
}

func (s *Server) acceptable(request wire.Request) error {
	if request.Protocol != wire.Protocol {
		return fault.New(fault.Invalid, "%s speaks version %d of the protocol, the agent version %d", request.Client.Binary, request.Protocol, wire.Protocol).
			Hint("install the three binaries of one release, then `svcconn agent stop`")
	}
	if request.Config != "" && request.Config != s.dirs.Config {
		return fault.New(fault.Invalid, "the agent at %s serves the configuration %s, not %s", s.dirs.Runtime, s.dirs.Config, request.Config).
			Hint("set SVCCONN_RUNTIME_DIR to a folder of its own for each SVCCONN_CONFIG_DIR")
	}
	return nil
}

// mustGiveWay: a newer front-end, or a new svcconn in our place on disk, wants a newer
// agent.
func (s *Server) mustGiveWay(client string) bool {
	if s.stopListening == nil { // not behind a socket: we are what the client just started
		return false
	}
	return newer(client, s.release) || s.superseded != nil && s.superseded()
}

// retire stops taking connections and frees the socket for a successor; requests
// under way are finished.
func (s *Server) retire() {
	s.retireOnce.Do(func() {
		s.exchange.close() // before there can be a successor
		if s.stopListening != nil {
			s.stopListening()
		}
		close(s.retired)
	})
}

// call is one request being carried out. Its writes may come from several
// goroutines; after finish there are none.
type call struct {
	server  *Server
	stream  io.ReadWriter
	request wire.Request
	body    secret.Text

	mu   sync.Mutex
	over bool
}

var errOver = errors.New("the request is over")

func (c *call) finish(reply wire.Reply, body secret.Text) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	return wire.Write(c.stream, reply, body)
}

// tell sends an event before the answer.
func (c *call) tell(reply wire.Reply) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return errOver
	}
	return wire.Write(c.stream, reply, secret.Text{})
}

func (c *call) notice(text string) { _ = c.tell(wire.Reply{Event: wire.Notice, Text: text}) }

func (c *call) item(data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return c.tell(wire.Reply{Event: wire.Item, Data: text})
}

// ask puts a question to the client: for its variable of that name, or to the
// person there.
func (c *call) ask(name, prompt string) (secret.Text, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return secret.Text{}, false, errOver
	}
	if err := wire.Write(c.stream, wire.Reply{Event: wire.Ask, Name: name, Text: prompt}, secret.Text{}); err != nil {
		return secret.Text{}, false, err
	}
	var answer wire.Answer
	value, err := wire.Read(c.stream, &answer)
	return value, answer.Set, err
}

func (c *call) caller(peer Peer) broker.Caller {
	pid := peer.PID
	if pid == 0 {
		pid = c.request.Client.PID
	}
	return broker.Caller{
		Caller: audit.Caller{Surface: c.request.Op, Binary: c.request.Client.Binary, PID: pid, Parent: parentOf(pid)},
		LookupEnv: func(_ context.Context, name string) (secret.Text, bool, error) {
			return c.ask(name, "")
		},
		AskSecret: func(_ context.Context, prompt string) (secret.Text, error) {
			value, set, err := c.ask("", prompt)
			if err == nil && !set {
				err = fault.New(fault.NeedsPerson, "%s is needed and nobody is there to give it", prompt)
			}
			return value, err
		},
	}
}
