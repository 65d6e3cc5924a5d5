//go:build e2e && linux

package e2e

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/oidctest"
)

// interactive is OIDC without a refresh token from elsewhere: a person has to log in.
func interactive(w *world, c *cluster) clusterLogin {
	issuer := c.useIssuer(w.t)
	return clusterLogin{method: "oidc", user: jane, issuer: issuer, fields: map[string]string{
		"issuer_url": issuer.URL(), "client_id": oidctest.DefaultClient, "issuer_certificate_authority": issuer.CertificateAuthority(),
	}}
}

// person is somebody with a browser, which the programs start by BROWSER.
type person struct {
	w     *world
	pages string // a file of the addresses that were opened
	mu    sync.Mutex
	seen  []string // what the browser showed at the end
}

// newPerson gives the world a person, who opens each page that he is sent to until
// the test ends.
func (w *world) newPerson() *person { return w.newPersonBy(careless) }

// newPersonBy is newPerson with a browser that finds its pages in its own way.
func (w *world) newPersonBy(way http.RoundTripper) *person {
	w.t.Helper()
	p := &person{w: w, pages: w.path("pages")}
	script := w.path("browser")
	must(w.t, os.WriteFile(script, []byte("#!/bin/sh\necho \"$1\" >>"+p.pages+"\n"), 0o700))
	w.setenv("BROWSER", script)
	go func() {
		for tick := time.Tick(50 * time.Millisecond); w.t.Context().Err() == nil; <-tick {
			for _, page := range p.opened()[len(p.shown()):] {
				text := browser(w.t, way, page)
				p.mu.Lock()
				p.seen = append(p.seen, text)
				p.mu.Unlock()
			}
		}
	}()
	return p
}

func (p *person) opened() []string {
	content, _ := os.ReadFile(p.pages)
	lines := strings.Split(string(content), "\n")
	return lines[:len(lines)-1]
}

func (p *person) shown() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// TestOIDC logs in with the browser, once, and again when the issuer has ended the
// session.
func TestOIDC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "register opens the browser once; tokens renew by themselves; when the login is gone kubectl says so at once, and verify logs in again")
	w.startKeyring()
	c := w.useCluster()
	l, p := interactive(w, c), w.newPerson()
	l.issuer.Behave(func(b *oidctest.Behaviour) { b.Rotate = true })
	w.cmd(l.registerArgs(w, "prod", c)...).onTerminal().exits(0)
	w.removePasswords()
	w.ok("svcconn", "login", "kubectl", "prod", "--use")
	w.wantUser(jane)
	for range 3 { // each of them with a refresh token that was good for one use
		w.ok("svcconn", "agent", "stop")
		w.wantUser(jane)
	}
	l.issuer.Revoke()
	w.ok("svcconn", "agent", "stop")
	w.cmd("kubectl", "get", "namespaces").within(20*time.Second).run().fails().says("login required", "svcconn verify prod")
	if n := len(p.opened()); n != 1 {
		t.Fatalf("the browser was opened %d times, want once", n)
	}
	w.cmd("svcconn", "verify", "prod").run().exits(6)
	w.cmd("svcconn", "verify", "prod").onTerminal().exits(0).says(jane)
	w.wantUser(jane)
	if n := len(p.opened()); n != 2 {
		t.Errorf("the browser was opened %d times, want twice", n)
	}
}

// TestOIDCDevice has no browser on this machine.
func TestOIDCDevice(t *testing.T) {
	t.Parallel()
	for name, variable := range map[string]string{"forbidden": "SVCCONN_NO_BROWSER=1", "absent": "BROWSER=/no/such/browser"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "without a browser register tells a code to enter elsewhere, and waits until that was done")
			w.startKeyring()
			c := w.useCluster()
			l := interactive(w, c)
			l.issuer.Behave(func(b *oidctest.Behaviour) { b.DeviceInterval, b.DevicePolls = time.Second, 1 })
			w.cmd(l.registerArgs(w, "prod", c)...).setenv(variable).onTerminal().exits(0).says("enter the code")
			w.removePasswords()
			w.ok("svcconn", "verify", "prod").says(jane)
		})
	}
}

// TestOIDCRefused has logins go wrong.
func TestOIDCRefused(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		behave func(*oidctest.Behaviour)
		code   int
		says   string
	}{
		"denied":    {func(b *oidctest.Behaviour) { b.Deny = true }, 4, "denied"},
		"state":     {func(b *oidctest.Behaviour) { b.TamperState = true }, 4, "state"},
		"signature": {func(b *oidctest.Behaviour) { b.BadSignature = true }, 4, "signature"},
		"nonce":     {func(b *oidctest.Behaviour) { b.WrongNonce = true }, 4, "nonce"},
		"down":      {func(b *oidctest.Behaviour) { b.Down = true }, 5, "issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a login that goes wrong is a clear error and leaves nothing behind")
			w.startKeyring()
			c := w.useCluster()
			l := interactive(w, c)
			w.newPerson()
			l.issuer.Behave(bad.behave)
			w.cmd(l.registerArgs(w, "prod", c)...).onTerminal().exits(bad.code).says(bad.says)
			w.removePasswords()
			w.wantConnectors()
			w.wantKeyring(0)
		})
	}
}

// TestOIDCNobody registers where nobody can log in.
func TestOIDCNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "without a terminal register and verify say login required, exit code 6, and open no browser")
	w.startKeyring()
	c := w.useCluster()
	l, p := interactive(w, c), w.newPerson()
	l.register(w, "prod", c).exits(6).says("login required")
	w.wantConnectors()
	l.register(w, "prod", c, "--no-verify").exits(0)
	w.cmd("svcconn", "verify", "prod").run().exits(6).says("login required")
	w.execCredential("", "--connector", "prod").run().exits(6).says("login required", "svcconn verify prod")
	if pages := p.opened(); len(pages) > 0 {
		t.Errorf("the browser was opened: %q", pages)
	}
}
