package agent

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
)

// takeover is how long a new agent waits for the lock of one that gives way.
const takeover = 5 * time.Second

// Run is the agent's whole life behind its socket: it returns when it was told to
// stop, gave way to a newer one, has nothing left to hold, or ctx ends. ready is
// called once it listens.
func (s *Server) Run(ctx context.Context, ready func()) error {
	if err := harden(); err != nil {
		return err
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	s.superseded = executableReplaced()
	s.touch() // nobody can have asked before now
	ready()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.watch(ctx)
	err = s.Serve(ctx, listener)
	s.retire()
	s.drain()
	return err
}

// listen takes the lock that makes this the only agent of its runtime folder, then
// the socket. Under the lock, a socket that is there was left behind by a dead
// agent.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if err := atomicfile.MakeDir(s.dirs.Runtime); err != nil {
		return nil, err
	}
	socket, err := agentclient.Socket(s.dirs.Runtime)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MakeDir(filepath.Dir(socket)); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	lock, err := filelock.Acquire(waiting, filepath.Join(s.dirs.Runtime, "agent.lock"))
	if fault.Is(err, fault.Unavailable) {
		return nil, fault.New(fault.Failed, "another agent is running for %s", s.dirs.Runtime).Hint("svcconn agent stop")
	}
	if err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		lock.Release()
		return nil, fault.New(fault.Failed, "cannot remove the socket of a former agent: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		lock.Release()
		return nil, fault.New(fault.Failed, "cannot listen on %s: %w", socket, err).Hint("set SVCCONN_RUNTIME_DIR to a folder on a local disk")
	}
	if err := os.Chmod(socket, atomicfile.FileMode); err != nil {
		lock.Release()
		_ = listener.Close()
		return nil, fault.New(fault.Failed, "cannot close the socket %s to others: %w", socket, err)
	}
	s.socket = socket
	s.stopListening = func() {
		_ = listener.Close() // removes the socket, before anyone else can have made one
		lock.Release()
	}
	return listener, nil
}

// watch refreshes ahead, and ends the agent when it has nothing to live for.
func (s *Server) watch(ctx context.Context) {
	for {
		wait := s.broker.Tick(ctx)
		if settings, err := s.broker.Settings(); err == nil {
			left := s.exitsAt(settings.Agent.Idle).Sub(s.now())
			if left <= 0 && s.active.Load() == 0 {
				s.retire()
				return
			}
			wait = min(wait, max(left, 100*time.Millisecond))
		}
		select {
		case <-ctx.Done():
			s.retire()
			return
		case <-s.retired:
			return
		case <-s.broker.Wake():
		case <-time.After(wait):
		}
	}
}

// exitsAt is when the agent ends if nobody asks any more: some time after the last
// request and after the last kept credential is gone.
func (s *Server) exitsAt(idle time.Duration) time.Time {
	last := *s.lastUsed.Load()
	if waits := s.exchange.waits(); waits.After(last) {
		last = waits
	}
	for _, info := range s.broker.Kept() {
		until := info.Until
		if info.Expires.After(until) {
			until = info.Expires
		}
		if until.After(last) {
			last = until
		}
	}
	return last.Add(idle)
}

// drain lets requests under way finish; connections that are merely open do not
// count.
func (s *Server) drain() {
	const step, steps = 5 * time.Millisecond, 2000
	for n := 0; s.active.Load() > 0 && n < steps; n++ {
		time.Sleep(step)
	}
}

// executableReplaced reports from then on whether another file has taken the place
// of our executable: after an upgrade, the next request starts the new one.
func executableReplaced() func() bool {
	path, err := os.Executable()
	if err != nil {
		return nil
	}
	before, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return func() bool {
		now, err := os.Stat(path)
		return err == nil && now.Mode().IsRegular() && (!os.SameFile(before, now) || changed(before, now))
	}
}

func changed(a, b fs.FileInfo) bool { return a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()) }

// Announce returns the ready function of an agent that a front-end started: it says
// so on stdout, once, and leaves the stream alone from then on.
func Announce(stdout io.Writer) func() {
	return func() { fmt.Fprintln(stdout, agentclient.Ready) }
}

// RunStdio answers the requests of one front-end over a pair of streams.
func (s *Server) RunStdio(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	if err := harden(); err != nil {
		return err
	}
	s.ServeConn(ctx, struct {
		io.Reader
		io.Writer
	}{stdin, stdout}, Peer{PID: os.Getppid()})
	return nil
}
