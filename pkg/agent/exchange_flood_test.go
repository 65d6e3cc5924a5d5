package agent

import (
	"errors"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/wire"
)

// Who connects and says nothing, as every user of the machine can, does not take the
// agent's memory: who is one too many is hung up on, until others are gone.
func TestIdleCallersAreBounded(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	var callers []net.Conn
	for range maxCallers + 1 {
		c, err := net.Dial("tcp", w.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		callers = append(callers, c)
	}
	last := callers[maxCallers]
	if err := last.SetReadDeadline(time.Now().Add(httpPatient / 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := last.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one caller too many is still connected: %v", err)
	}
	for _, c := range callers {
		_ = c.Close()
	}
	nonce, _ := w.offer(w.token(), "prod")
	for range 1000 { // until the server has seen them go
		response, err := http.PostForm("http://"+w.address+wire.ExchangePath, tokenForm(nonce.Reveal()))
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("after that: %s", response.Status)
		}
		return
	}
	t.Error("nobody can come any more")
}

// Whoever asks for ever more addresses does not get them.
func TestAddressesAreBounded(t *testing.T) {
	t.Parallel()
	w := startExchange(t)
	for len(w.addresses()) < maxExchanges {
		openSomewhere(t, w.exchange)
	}
	address, err := FreeExchange()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.open(address); !fault.Is(err, fault.Failed) || fault.HintOf(err) == "" || len(w.addresses()) != maxExchanges {
		t.Errorf("one more: %v", err)
	}
	if err := w.open(w.address); err != nil {
		t.Errorf("one that it has: %v", err)
	}
}
