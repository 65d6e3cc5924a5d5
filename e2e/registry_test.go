//go:build e2e && linux

package e2e

import (
	"fmt"
	"regexp"

	"golang.org/x/crypto/bcrypt"
)

// registry is Debian's docker-registry on a port of its own.
type registry struct {
	host, user, password string
	tokens               *tokenServer // nil with basic authentication
}

// setup changes how a registry is started.
type setup struct {
	tokens     bool     // bearer tokens of a token server, else basic authentication
	identity   bool     // the token server gives identity tokens to those who ask
	publicRepo string   // a repository that anybody may pull, with tokens
	tls        *keyPair // serve TLS
	hostname   string   // instead of 127.0.0.1
	password   string   // instead of a secret that must not leak
}

var listening = regexp.MustCompile(`listening on 127\.0\.0\.1:([0-9]+)`)

// startRegistry starts a registry with one account.
func (w *world) startRegistry(s setup) *registry {
	w.t.Helper()
	need(w.t, "docker-registry")
	r := &registry{user: "ada", password: s.password}
	if r.password == "" {
		r.password = w.secret()
	}
	auth := r.basicAuth(w)
	if s.tokens {
		r.tokens = startTokenServer(w, r, s)
		auth = r.tokens.registryAuth(w)
	}
	dir := w.unique("registry")
	config := w.file(fmt.Sprintf(`version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0", secret: e2e%s}
auth:
%s`, w.path(dir, "data"), w.tlsConfig(dir, s.tls), auth), dir, "config.yml")
	port := ""
	w.serve(dir, "", func(log string) bool {
		if match := listening.FindStringSubmatch(log); match != nil {
			port = match[1]
		}
		return port != ""
	}, "docker-registry", "serve", config)
	r.host = or(s.hostname, "127.0.0.1") + ":" + port
	return r
}

func (r *registry) basicAuth(w *world) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(r.password), bcrypt.MinCost)
	must(w.t, err)
	htpasswd := w.file(fmt.Sprintf("%s:%s\n", r.user, hash), w.unique("htpasswd"))
	return fmt.Sprintf("  htpasswd: {realm: e2e, path: %q}\n", htpasswd)
}

func (w *world) tlsConfig(dir string, pair *keyPair) string {
	if pair == nil {
		return ""
	}
	cert := w.file(pair.certPEM(), dir, "tls.crt")
	key := w.file(pair.keyPEM(w.t), dir, "tls.key")
	return fmt.Sprintf(", tls: {certificate: %q, key: %q}", cert, key)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
