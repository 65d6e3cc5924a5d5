//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/oidctest"
)

// clusterLogin is one way for svcconn into the API server.
type clusterLogin struct {
	method string
	fields map[string]string
	flags  []string
	user   string // whom the API server takes us for

	revoke func()           // makes what was handed out worth nothing, within 10 seconds
	plugin *execPlugin      // what auth method exec runs
	issuer *oidctest.Server // whom auth method oidc asks
}

// clusterLogins are all auth methods, by what the tests call them; each may be
// prepared once in a world.
var clusterLogins = map[string]func(w *world, c *cluster) clusterLogin{
	"token":                      tokenLogin,
	"certificate":                certificateLogin,
	"service-account":            serviceAccountLogin,
	"client-certificate-request": certificateRequestLogin,
	"oidc":                       oidcLogin,
	"exec":                       execLogin,
}

func tokenLogin(w *world, c *cluster) clusterLogin {
	u := c.newUser(w)
	return clusterLogin{method: "token", fields: map[string]string{"token": u.token}, user: u.name, revoke: func() { c.revoke(w.t, u) }}
}

func certificateLogin(w *world, c *cluster) clusterLogin {
	name := c.unique("ada-")
	pair := c.clientCertificate(w.t, name, time.Hour)
	w.guard(pair.keyPEM(w.t))
	return clusterLogin{
		method: "token", user: name,
		fields: map[string]string{"client_certificate": pair.certPEM(), "client_key": pair.keyPEM(w.t)},
	}
}

func serviceAccountLogin(w *world, c *cluster) clusterLogin {
	a := c.newServiceAccount(w.t)
	minter := c.newUser(w, minters)
	return clusterLogin{
		method: "service-account", user: a.user(), flags: []string{"--expiration", "10m"},
		fields: map[string]string{"token": minter.token, "service_account": a.name, "namespace": a.namespace},
		revoke: func() { c.remove(w.t, a); c.restore(w.t, a) },
	}
}

// certificateRequestLogin names the user of its certificates itself.
func certificateRequestLogin(w *world, c *cluster) clusterLogin {
	minter := c.newUser(w, minters)
	c.decide(w.t, minter, approved)
	return clusterLogin{
		method: "client-certificate-request", user: minter.name, flags: []string{"--expiration", "10m"},
		fields: map[string]string{"token": minter.token},
	}
}

// oidcLogin has a refresh token from a login elsewhere; TestOIDC logs in by browser.
func oidcLogin(w *world, c *cluster) clusterLogin {
	issuer := c.useIssuer(w.t)
	token := signIn(w.t, issuer).RefreshToken
	w.guard(token)
	return clusterLogin{
		method: "oidc", user: jane, issuer: issuer,
		fields: map[string]string{
			"issuer_url": issuer.URL(), "client_id": oidctest.DefaultClient,
			"issuer_certificate_authority": issuer.CertificateAuthority(), "refresh_token": token,
		},
	}
}

func execLogin(w *world, c *cluster) clusterLogin {
	u := c.newUser(w)
	plugin := w.execPlugin(u)
	return clusterLogin{
		method: "exec", user: u.name, plugin: plugin, fields: map[string]string{"command": plugin.path},
		revoke: func() { plugin.hand(c.newToken(w, u)); c.revoke(w.t, u) },
	}
}

// secretFields are those whose values must not be in argv: they go through files.
var secretFields = []string{"token", "client_key", "password", "refresh_token"}

// registerArgs is the command that registers the login, its secrets in files that
// removePasswords removes.
func (l clusterLogin) registerArgs(w *world, name string, c *cluster, more ...string) []string {
	args := []string{"svcconn", "register", name, "--type", "kubernetes", "--auth-method", l.method,
		"--set", "server=" + c.url, "--set", "cluster_name=" + name, "--set", "certificate_authority=@" + c.path("ca.crt")}
	for field, value := range l.fields {
		if slices.Contains(secretFields, field) || strings.Contains(value, "\n") {
			value = "@" + w.file(value, w.unique("password"))
		}
		args = append(args, "--set", field+"="+value)
	}
	return append(append(args, l.flags...), more...)
}

// register registers the login under a name, which is the cluster's as well.
func (l clusterLogin) register(w *world, name string, c *cluster, more ...string) result {
	w.t.Helper()
	defer w.removePasswords()
	return w.cmd(l.registerArgs(w, name, c, more...)...).run()
}

// execPlugin is somebody else's exec plugin: a script that hands out a token for an
// hour, which it reads from outside of the world, and writes down each of its runs.
type execPlugin struct {
	w      *world
	path   string
	answer string
}

func (w *world) execPlugin(u user) *execPlugin {
	w.t.Helper()
	p := &execPlugin{w: w, path: w.path("vendor-plugin"), answer: filepath.Join(w.t.TempDir(), "answer")}
	p.hand(u)
	text := "#!/bin/sh\necho run >>" + w.path("vendor-runs") + "\nend=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)\nexec sed \"s/END/$end/\" " + p.answer + "\n"
	must(w.t, os.WriteFile(p.path, []byte(text), 0o700))
	return p
}

// hand has the plugin hand out a user's token from now on.
func (p *execPlugin) hand(u user) {
	p.w.t.Helper()
	text := fmt.Sprintf(`{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": %q, "expirationTimestamp": "END"}}`, u.token)
	must(p.w.t, os.WriteFile(p.answer, []byte(text), 0o600))
}

// runs counts how often the plugin was run.
func (p *execPlugin) runs() int { return strings.Count(p.w.read(p.w.path("vendor-runs")), "run\n") }
