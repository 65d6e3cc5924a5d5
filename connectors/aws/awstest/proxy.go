package awstest

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// proxy is an HTTP proxy that answers for the hosts of AWS, and for those of Route, by
// itself, and knows no others.
type proxy struct {
	aws      http.Handler
	ca       *authority
	listener net.Listener
	tunnels  *tunnels
	inner    *http.Server // answers what comes through tunnels

	mu     sync.Mutex
	routes map[string]http.Handler // by host without port
}

// startProxy starts the proxy, and what answers behind its tunnels.
func (s *Server) startProxy() (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{
		aws: http.HandlerFunc(s.answerAWS), ca: s.ca, listener: listener, routes: map[string]http.Handler{},
		tunnels: &tunnels{arrived: make(chan net.Conn), closed: make(chan struct{}), address: listener.Addr()},
	}
	p.inner = &http.Server{Handler: http.HandlerFunc(p.answerHost), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = p.inner.Serve(p.tunnels) }()
	s.serve(listener, http.HandlerFunc(p.serve))
	return p, nil
}

// ProxyURL is the address of an HTTP proxy, for HTTPS_PROXY and HTTP_PROXY. It answers for
// every host of AWS's, with a certificate that CertificateAuthority has signed, and for
// those of Route. Whatever else is asked of it gets 502.
func (s *Server) ProxyURL() string { return "http://" + s.proxy.listener.Addr().String() }

// Route makes a handler answer for a host, in place of AWS where it is one of AWS's: a
// registry as 123456789012.dkr.ecr.eu-central-1.amazonaws.com, for one. The host has no
// port; the handler answers for all of them, with TLS and without.
func (s *Server) Route(host string, handler http.Handler) {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	s.proxy.routes[bare(host)] = handler
}

// handler is what answers for a host; nil is nothing.
func (p *proxy) handler(host string) http.Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	if routed := p.routes[bare(host)]; routed != nil {
		return routed
	}
	if _, ours := parseHost(host); ours {
		return p.aws
	}
	return nil
}

// serve is what a client says to the proxy itself.
func (p *proxy) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case p.handler(r.Host) == nil:
		http.Error(w, "awstest has no route to "+r.Host, http.StatusBadGateway)
	case r.Method == http.MethodConnect:
		p.tunnel(w, r.Host)
	default:
		p.answerHost(w, r)
	}
}

// answerHost answers a request to a host, as that host.
func (p *proxy) answerHost(w http.ResponseWriter, r *http.Request) {
	handler := p.handler(r.Host)
	if handler == nil {
		http.Error(w, "awstest has no route to "+r.Host, http.StatusBadGateway)
		return
	}
	handler.ServeHTTP(w, r)
}

// tunnel takes the connection over, and speaks TLS as the host that was asked for,
// whichever the handshake is for.
func (p *proxy) tunnel(w http.ResponseWriter, host string) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return
	}
	name := bare(host)
	p.tunnels.give(tls.Server(early{conn, buffered.Reader}, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.ca.forHost(name) },
	}))
}

// stop ends the tunnels.
func (p *proxy) stop() {
	p.tunnels.stop()
	_ = p.inner.Close()
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
