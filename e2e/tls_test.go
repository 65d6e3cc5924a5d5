//go:build e2e && linux

package e2e

import (
	"testing"
	"time"
)

// TestCustomAuthority has a registry whose certificate only a private authority
// vouches for, as in most companies.
func TestCustomAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a private authority: unknown is an error that names the field, certificate_authority and insecure work")
	w.startKeyring()
	ca := newAuthority(t)
	pair := ca.serverCert(t, time.Hour)
	r := w.startRegistry(setup{tls: &pair})
	w.register("hub", r).fails().says("certificate", "certificate_authority")
	w.wantConnectors()
	w.wantKeyring(0)
	bundle := w.file(ca.certPEM(), "certs", "ca.crt")
	w.register("hub", r, "--set", "certificate_authority=@"+bundle).exits(0)
	w.ok("svcconn", "verify", "hub")
	need(t, "skopeo")
	w.ok("svcconn", "login", "docker", r.host)
	w.ok("skopeo", "copy", "--dest-cert-dir", w.path("certs"), "docker-archive:"+w.imageFile(r.host+"/team/app:1"), "docker://"+r.host+"/team/app:1")
	w.ok("skopeo", "inspect", "--cert-dir", w.path("certs"), "docker://"+r.host+"/team/app:1").says("sha256:")
	w.ok("svcconn", "delete", "hub", "--yes", "--force")
	w.register("hub", r, "--set", "insecure=true").exits(0)
}

// TestClock has certificates that a clock far off makes invalid: one that was
// valid yesterday, one that will be tomorrow.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]time.Duration{"clock fast": -23 * time.Hour, "clock slow": 25 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a certificate out of its time is refused and the error speaks of the clock")
			w.startKeyring()
			ca := newAuthority(t)
			pair := ca.serverCert(t, ends)
			r := w.startRegistry(setup{tls: &pair})
			bundle := w.file(ca.certPEM(), "ca.crt")
			w.register("hub", r, "--set", "certificate_authority=@"+bundle).fails().says("certificate", "clock")
			w.wantConnectors()
			w.wantKeyring(0)
		})
	}
}
