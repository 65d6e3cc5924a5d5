package agent

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// exchangeWorld is an exchange behind a real port, and a clock.
type exchangeWorld struct {
	*exchange
	t       *testing.T
	address string
	clock   atomic.Pointer[time.Time]
}

func startExchange(t *testing.T) *exchangeWorld {
	t.Helper()
	w := &exchangeWorld{t: t}
	w.set(time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC))
	w.exchange = newExchange(func() time.Time { return *w.clock.Load() })
	w.address = openSomewhere(t, w.exchange)
	t.Cleanup(w.close)
	return w
}

// openSomewhere opens an exchange at a free port; between finding one and taking it,
// another test may.
func openSomewhere(t *testing.T, x *exchange) string {
	t.Helper()
	for range 20 {
		address, err := FreeExchange()
		if err != nil {
			t.Fatal(err)
		}
		if x.open(address) == nil {
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (w *exchangeWorld) set(at time.Time)     { w.clock.Store(&at) }
func (w *exchangeWorld) pass(d time.Duration) { w.set(w.now().Add(d)) }
func (w *exchangeWorld) token() connector.AccessToken {
	return connector.AccessToken{Token: secret.New("ya29." + canary), Principal: "ci@acme", Expires: w.now().Add(30*time.Minute + 999*time.Millisecond)}
}

// tokenForm is what Google's libraries send.
func tokenForm(nonce string) url.Values {
	return url.Values{
		"grant_type": {grantExchange}, "audience": {"//iam.googleapis.com/x"}, "scope": {"a b"}, "requested_token_type": {typeAccessToken},
		"subject_token": {nonce}, "subject_token_type": {wire.SubjectTokenType},
	}
}

// post sends a form and reads the JSON of the answer.
func post(t *testing.T, address, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	response, err := http.PostForm("http://"+address+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		t.Fatalf("%d: %v", response.StatusCode, err)
	}
	if got := response.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	return response.StatusCode, out
}

func TestANonceIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	nonce, until := w.offer(w.token(), "prod acme")
	if !until.Equal(w.now().Add(time.Minute)) || len(nonce.Reveal()) < 26 {
		t.Errorf("until %s, %d characters", until, len(nonce.Reveal()))
	}
	status, got := post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal()))
	if status != 200 || got["access_token"] != "ya29."+canary || got["token_type"] != "Bearer" || got["issued_token_type"] != typeAccessToken || got["expires_in"] != 1800.0 {
		t.Errorf("%d, expires in %v", status, got["expires_in"])
	}
	status, got = post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal()))
	if status != 400 || got["error"] != "invalid_grant" || strings.Contains(fmt.Sprint(got), canary) {
		t.Errorf("a second time: %d %v", status, got["error"])
	}
}

func TestOfManyWithOneNonceOneGetsTheToken(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	nonce, _ := w.offer(w.token(), "prod")
	var good atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if status, _ := post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal())); status == 200 {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 {
		t.Errorf("%d got the token", good.Load())
	}
}

func TestExchangeRefuses(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	nonce, _ := w.offer(w.token(), "prod")
	with := func(key, value string) url.Values {
		form := tokenForm(nonce.Reveal())
		form.Set(key, value)
		return form
	}
	for name, tc := range map[string]struct {
		form url.Values
		code string
	}{
		"a wrong nonce":    {tokenForm("MFRGGZDFMZTWQ2LKNNWG23TPOA"), "invalid_grant"},
		"no nonce":         {with("subject_token", ""), "invalid_grant"},
		"another grant":    {with("grant_type", "refresh_token"), "unsupported_grant_type"},
		"another type":     {with("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), "invalid_request"},
		"an id token back": {with("requested_token_type", "urn:ietf:params:oauth:token-type:id_token"), "invalid_request"},
		"nothing":          {url.Values{}, "unsupported_grant_type"},
		"a body too large": {with("scope", strings.Repeat("x", maxForm)), "invalid_request"},
		"the token itself": {tokenForm("ya29." + canary), "invalid_grant"},
	} {
		status, got := post(t, w.address, wire.ExchangePath, tc.form)
		if status != 400 || got["error"] != tc.code || strings.Contains(fmt.Sprint(got), canary) {
			t.Errorf("%s: %d %v", name, status, got["error"])
		}
	}
	if status, _ := post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal())); status != 200 {
		t.Error("what was refused has used the nonce up")
	}
}

// What is no library of Google's gets nothing: another method or path, and a name that
// leads a browser here.
func TestStrangersFindNothing(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	nonce, _ := w.offer(w.token(), "prod")
	form := tokenForm(nonce.Reveal()).Encode()
	for name, tc := range map[string]struct{ method, target, host string }{
		"GET":           {http.MethodGet, wire.ExchangePath + "?" + form, ""},
		"PUT":           {http.MethodPut, wire.ExchangePath, ""},
		"another path":  {http.MethodPost, "/v1/tokens", ""},
		"below":         {http.MethodPost, wire.ExchangePath + "/", ""},
		"the root":      {http.MethodPost, "/", ""},
		"rebinding":     {http.MethodPost, wire.ExchangePath, "evil.example.com"},
		"another port":  {http.MethodPost, wire.ExchangePath, "127.0.0.1:1"},
		"its name":      {http.MethodPost, wire.ExchangePath, "localhost:" + w.port()},
		"introspection": {http.MethodGet, wire.IntrospectPath, ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, "http://"+w.address+tc.target, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = tc.host
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}
	// As a query, and as another type of body, it is not read.
	if status, got := post(t, w.address, wire.ExchangePath+"?"+form, url.Values{}); status != 400 || got["error"] != "unsupported_grant_type" {
		t.Errorf("as a query: %d", status)
	}
	response, err := http.Post("http://"+w.address+wire.ExchangePath, "text/plain", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusBadRequest {
		t.Errorf("as text: %d", response.StatusCode)
	}
}

func (w *exchangeWorld) port() string { _, port, _ := net.SplitHostPort(w.address); return port }

func TestOffersAndTokensEnd(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	nonce, until := w.offer(w.token(), "prod")
	if !w.waits().Equal(until) {
		t.Errorf("waits until %s", w.waits())
	}
	w.pass(time.Minute)
	if status, got := post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal())); status != 400 || got["error"] != "invalid_grant" {
		t.Errorf("after a minute: %d", status)
	}
	if !w.waits().IsZero() || len(w.offers) != 0 {
		t.Error("an offer that is over is still there")
	}
	endless := w.token()
	endless.Expires = time.Time{}
	nonce, _ = w.offer(endless, "prod")
	if _, got := post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal())); got["expires_in"] != 3600.0 {
		t.Errorf("a token that does not say when it ends: %v", got["expires_in"])
	}
	if _, got := post(t, w.address, wire.IntrospectPath, url.Values{"token": {"ya29." + canary}}); got["active"] != true {
		t.Error("it is not active")
	}
	w.pass(time.Hour)
	if _, got := post(t, w.address, wire.IntrospectPath, url.Values{"token": {"ya29." + canary}}); got["active"] != false || len(w.holders) != 0 {
		t.Error("it is active for ever")
	}
}

// gcloud keeps tokens by the name of their account: ours must be nobody else's.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	names := map[any]bool{}
	for i, via := range []string{"prod acme", "prod gs://zenfiles to read", "prod gs://zenfiles to read"} {
		token := w.token()
		token.Token = secret.New(fmt.Sprint("ya29.", i))
		if i == 2 {
			token.Principal = ""
		}
		if _, got := post(t, w.address, wire.IntrospectPath, url.Values{"token": {token.Token.Reveal()}}); len(got) != 1 || got["active"] != false {
			t.Errorf("before it is handed out: %v", got)
		}
		nonce, _ := w.offer(token, via)
		post(t, w.address, wire.ExchangePath, tokenForm(nonce.Reveal()))
		_, got := post(t, w.address, wire.IntrospectPath, url.Values{"token": {token.Token.Reveal()}, "token_type_hint": {typeAccessToken}})
		name := fmt.Sprint(got["username"])
		if got["active"] != true || !strings.Contains(name, "(svcconn "+via+", ") || strings.HasPrefix(name, "ci@acme ") != (i < 2) || strings.Contains(name, "#") {
			t.Errorf("%v", got)
		}
		names[name] = true
	}
	if len(names) != 3 {
		t.Errorf("names are shared: %v", names)
	}
}

func TestAddressesOfAnExchange(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"127.0.0.1:20000": true, "[::1]:20000": true, "": false, "127.0.0.1": false, "127.0.0.1:0": false, "0.0.0.0:20000": false, "[::]:20000": false,
		"127.0.0.2:20000": false, "192.0.2.1:20000": false, "localhost:20000": false, "[::1%lo]:20000": false, "[::ffff:127.0.0.1]:20000": false, ":20000": false,
	} {
		if _, err := parseExchange(address); (err == nil) != good || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestFreeExchangeIsBelowTheEphemeralPorts(t *testing.T) {
	t.Parallel()
	for range 20 {
		address, err := FreeExchange()
		at, parsed := netip.ParseAddrPort(address)
		if err != nil || parsed != nil || at.Port() < firstPort || at.Port() > lastPort {
			t.Errorf("%q, %v, %v", address, err, parsed)
		}
	}
}

func TestAnExchangeThatIsTakenOrOver(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	if err := w.open(w.address); err != nil || len(w.addresses()) != 1 || w.addresses()[0] != w.address {
		t.Errorf("a second time: %v, %q", err, w.addresses())
	}
	other := newExchange(time.Now)
	t.Cleanup(other.close)
	err := other.open(w.address)
	if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "the agent cannot listen") || !strings.Contains(fault.HintOf(err), "svcconn login gcloud") || ExchangeIsFree(w.address) == nil {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	w.close()
	if err := other.open(w.address); err != nil {
		t.Errorf("the port was not given up: %v", err)
	}
	if err := w.open(w.address); !fault.Is(err, fault.Unavailable) {
		t.Errorf("after its end: %v", err)
	}
}

// A connection that says nothing does not keep the agent from ending, nor for long.
func TestSilentConnectionsAreCut(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ended := make(chan struct{})
	go func() { w.close(); close(ended) }()
	<-ended
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}
