package agentclient

import (
	"net"
	"time"
)

// netConn is a unix socket of package net: Windows has no blocking ones to speak of.
type netConn struct{ net.Conn }

func dial(path string) (connection, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	return netConn{conn}, nil
}

// readFor bounds every read from now on.
func (c netConn) readFor(limit time.Duration) { _ = c.SetReadDeadline(time.Now().Add(limit)) }

// interrupt ends a read that waits in another goroutine.
func (c netConn) interrupt() { _ = c.Close() }
