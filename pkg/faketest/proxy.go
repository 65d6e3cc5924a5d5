package faketest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Proxy is an HTTP proxy that answers for some hosts by itself, and knows no others: with
// TLS by certificates of an authority of its own, and without. It is safe for concurrent
// use.
type Proxy struct {
	name      string
	answers   func(host string) http.Handler
	ca        *hostAuthority
	tunnels   *tunnels
	inner     *http.Server // answers what comes through tunnels
	listening Listening

	mu     sync.Mutex
	routes map[string]http.Handler // by bare host
}

// StartProxy starts a proxy on a free port of 127.0.0.1. Answers tells what answers for a
// host, which may have a port; nil is nothing. The name is who signs the certificates,
// which are good for years on either side of now.
func StartProxy(name string, now time.Time, answers func(host string) http.Handler) (*Proxy, error) {
	ca, err := newHostAuthority(name, now)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		name: name, answers: answers, ca: ca, routes: map[string]http.Handler{},
		tunnels: &tunnels{arrived: make(chan net.Conn), closed: make(chan struct{}), address: listener.Addr()},
	}
	p.inner = newServer(http.HandlerFunc(p.answerHost))
	go func() { _ = p.inner.Serve(p.tunnels) }()
	p.listening.Serve(listener, http.HandlerFunc(p.serve))
	return p, nil
}

// URL is the address of the proxy, for HTTPS_PROXY and HTTP_PROXY. What nothing answers
// for gets 502.
func (p *Proxy) URL() string { return "http://" + p.tunnels.address.String() }

// CertificateAuthority is the certificate, PEM, of the authority that signs the hosts'
// certificates.
func (p *Proxy) CertificateAuthority() string { return p.ca.PEM() }

// Route makes a handler answer for a host, whatever else would. The host has no port; the
// handler answers for all of them, with TLS and without.
func (p *Proxy) Route(host string, handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.routes[BareHost(host)] = handler
}

// Close stops the proxy and ends its tunnels. A second call does nothing.
func (p *Proxy) Close() error {
	err := p.listening.Close()
	p.tunnels.stop()
	return errors.Join(err, p.inner.Close())
}

// BareHost is a host in lower case without port and final dot.
func BareHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// handler is what answers for a host; nil is nothing.
func (p *Proxy) handler(host string) http.Handler {
	p.mu.Lock()
	routed := p.routes[BareHost(host)]
	p.mu.Unlock()
	if routed != nil {
		return routed
	}
	return p.answers(host)
}

// serve is what a client says to the proxy itself.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect && p.handler(r.Host) != nil {
		p.tunnel(w, r.Host)
		return
	}
	p.answerHost(w, r)
}

// answerHost answers a request to a host, as that host.
func (p *Proxy) answerHost(w http.ResponseWriter, r *http.Request) {
	handler := p.handler(r.Host)
	if handler == nil {
		http.Error(w, p.name+" has no route to "+r.Host, http.StatusBadGateway)
		return
	}
	handler.ServeHTTP(w, r)
}

// tunnel takes the connection over, and speaks TLS as the host that was asked for,
// whichever the handshake is for.
func (p *Proxy) tunnel(w http.ResponseWriter, host string) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return
	}
	name := BareHost(host)
	p.tunnels.give(tls.Server(early{conn, buffered.Reader}, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.ca.forHost(name) },
	}))
}

// early is a connection of which the first bytes may have been read.
type early struct {
	net.Conn
	from *bufio.Reader
}

// Read implements net.Conn.
func (e early) Read(b []byte) (int, error) { return e.from.Read(b) }

// tunnels is a listener for connections that arrive through the proxy.
type tunnels struct {
	arrived chan net.Conn
	closed  chan struct{}
	once    sync.Once
	address net.Addr
}

// give hands a connection to whoever accepts them.
func (t *tunnels) give(conn net.Conn) {
	select {
	case t.arrived <- conn:
	case <-t.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.arrived:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (t *tunnels) Close() error { t.stop(); return nil }

func (t *tunnels) stop() { t.once.Do(func() { close(t.closed) }) }

// Addr implements net.Listener.
func (t *tunnels) Addr() net.Addr { return t.address }

// hostAuthority signs the certificates of the hosts that a proxy answers for.
type hostAuthority struct {
	*Authority

	mu    sync.Mutex
	hosts map[string]*tls.Certificate
}

func newHostAuthority(name string, now time.Time) (*hostAuthority, error) {
	ca, err := NewAuthority(name, now)
	return &hostAuthority{Authority: ca, hosts: map[string]*tls.Certificate{}}, err
}

// forHost is the certificate of a host name or address, made at first use.
func (a *hostAuthority) forHost(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.hosts[host]; known != nil {
		return known, nil
	}
	made, err := a.ForServer(host)
	if err != nil {
		return nil, err
	}
	a.hosts[host] = &made
	return &made, nil
}
