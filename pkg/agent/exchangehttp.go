package agent

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/wire"
)

// The words of RFC 8693.
const (
	grantExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
)

// Bounds of a request. Libraries send less than a kilobyte, at once.
const (
	maxForm     = 64 << 10
	httpPatient = 5 * time.Second
	// maxExchanges is how many addresses one agent listens at, at most.
	maxExchanges = 16
	// maxCallers is how many may be connected at once. Everybody on this machine can
	// connect, and each connection takes memory and a file of the agent's.
	maxCallers = 256
)

// parseExchange reads the address of an exchange: the loopback interface's, where nobody
// else on the network comes.
func parseExchange(address string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(address)
	loopback := at.Addr() == netip.IPv6Loopback() || at.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if err != nil || !loopback || at.Port() == 0 {
		return at, fault.New(fault.Invalid, "%q cannot be where tokens are exchanged: it is neither 127.0.0.1:PORT nor [::1]:PORT", address).
			Hint("svcconn login gcloud writes the right command")
	}
	return at, nil
}

// exchangeServer is a server at one address.
type exchangeServer struct {
	*http.Server
	listener net.Listener
}

// open listens at an address, as long as the agent lives.
func (x *exchange) open(address string) error {
	at, err := parseExchange(address)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return fault.New(fault.Unavailable, "the agent is about to end").Hint("try again")
	}
	if x.servers[at] != nil {
		return nil
	}
	if len(x.servers) == maxExchanges {
		return fault.New(fault.Failed, "the agent listens at %d addresses for gcloud and the SDKs of Google already", maxExchanges).
			Hint("`svcconn agent stop` closes them; the credential files that `svcconn login gcloud` writes share one")
	}
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return fault.New(fault.Failed, "gcloud and the SDKs of Google would come to %s for their token, where the agent cannot listen: %w", at, err).
			Hint("if another program is there, `svcconn login gcloud` with the same flags again chooses another port")
	}
	server := &http.Server{
		Handler: x, ReadTimeout: httpPatient, WriteTimeout: httpPatient, MaxHeaderBytes: maxForm,
		ErrorLog: log.New(io.Discard, "", 0), ConnState: atMost(maxCallers),
	}
	server.SetKeepAlivesEnabled(false)
	x.servers[at] = &exchangeServer{server, listener}
	go func() { _ = server.Serve(listener) }()
	return nil
}

// atMost is an http.Server's ConnState that hangs up on those who are too many.
func atMost(callers int64) func(net.Conn, http.ConnState) {
	var connected atomic.Int64
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if connected.Add(1) > callers {
				_ = c.Close()
			}
		case http.StateClosed, http.StateHijacked:
			connected.Add(-1)
		}
	}
}

// addresses are where it listens.
func (x *exchange) addresses() (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, at := range slices.SortedFunc(maps.Keys(x.servers), netip.AddrPort.Compare) {
		out = append(out, at.String())
	}
	return out
}

// close gives the addresses up, for a successor; answers under way are finished.
func (x *exchange) close() {
	x.mu.Lock()
	x.closed = true
	servers := slices.Collect(maps.Values(x.servers))
	clear(x.servers)
	x.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, s := range servers {
		_ = s.listener.Close() // Shutdown does not, if Serve has not begun yet
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}
}

// ServeHTTP implements http.Handler. A page in a browser that a foreign name leads here
// is told from a library by the Host header.
func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	answer := map[string]func(http.ResponseWriter, *http.Request){
		http.MethodPost + " " + wire.ExchangePath: x.serveToken, http.MethodPost + " " + wire.IntrospectPath: x.serveIntrospect,
	}[r.Method+" "+r.URL.Path]
	if answer == nil || local == nil || r.Host != local.String() {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refuse(w, "invalid_request", "the body is no form, or too large")
		return
	}
	answer(w, r)
}

func (x *exchange) serveToken(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	switch requested := form.Get("requested_token_type"); {
	case form.Get("grant_type") != grantExchange:
		refuse(w, "unsupported_grant_type", "grant_type is not "+grantExchange)
		return
	case form.Get("subject_token_type") != wire.SubjectTokenType:
		refuse(w, "invalid_request", "subject_token_type is not "+wire.SubjectTokenType)
		return
	case requested != "" && requested != typeAccessToken:
		refuse(w, "invalid_request", "requested_token_type is not "+typeAccessToken)
		return
	}
	token, ok := x.redeem(form.Get("subject_token"))
	if !ok {
		refuse(w, "invalid_grant", "the agent of svcconn does not know the token of the executable: it is good once, for a minute")
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"access_token": token.Token.Reveal(), "issued_token_type": typeAccessToken, "token_type": "Bearer",
		"expires_in": int64(max(x.lifeOf(token), 0) / time.Second),
	})
}

func (x *exchange) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	found, ok := x.holder(r.PostForm.Get("token"))
	if !ok {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	reply(w, http.StatusOK, map[string]any{"active": true, "username": found.who, "exp": found.until.Unix()})
}

// refuse answers as https://www.rfc-editor.org/rfc/rfc6749#section-5.2 says.
func refuse(w http.ResponseWriter, code, description string) {
	reply(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": description})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// The ports of an exchange are registered ones below those that systems give to
// connections of their own: they stay free as long as nobody else wants them.
const firstPort, lastPort = 10_240, 32_767

// FreeExchange is an address for an exchange where nobody listens now.
func FreeExchange() (string, error) {
	var err error
	for range 100 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(firstPort+rand.IntN(lastPort-firstPort+1)))
		if err = ExchangeIsFree(at.String()); err == nil {
			return at.String(), nil
		}
	}
	return "", fault.New(fault.Failed, "no port of the loopback interface is free: %w", err)
}

// ExchangeIsFree reports, by nil, that somebody could listen at an address.
func ExchangeIsFree(address string) error {
	at, err := parseExchange(address)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return err
	}
	return listener.Close()
}
