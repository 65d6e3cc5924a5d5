//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// The locations of the tests' resources.
const (
	homeLocation = "europe-west1"
	awayLocation = "us-central1"
)

// google is the Google Cloud that the Docker engine and the GKE cluster know. Tests that
// need neither have one of their own.
var google struct {
	once   sync.Once
	server *fakeGoogle
	err    error
}

// fakeGoogle is a fake Google Cloud that the programs reach as they reach the real one, by
// its host names, through a proxy.
type fakeGoogle struct {
	*gcptest.Server
	bundle string // the file that has its certificate authority
}

func newGoogle(dir string) (*fakeGoogle, error) {
	server, err := gcptest.New(gcptest.Options{})
	if err != nil {
		return nil, err
	}
	f := &fakeGoogle{server, filepath.Join(dir, "google-ca.pem")}
	return f, os.WriteFile(f.bundle, []byte(server.CertificateAuthority()), 0o600)
}

// env is what leads a program to it: Go programs by the first two, then gcloud, other
// Python and Node. What listens on this machine is not reached through the proxy. The rest
// keeps gcloud and the libraries from looking for Google's own machines.
func (f *fakeGoogle) env() []string {
	return []string{
		"HTTPS_PROXY=" + f.ProxyURL(), "SSL_CERT_FILE=" + f.bundle, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=" + f.bundle,
		"REQUESTS_CA_BUNDLE=" + f.bundle, "NODE_EXTRA_CA_CERTS=" + f.bundle, "NO_PROXY=127.0.0.1,localhost",
		"CLOUDSDK_CORE_CHECK_GCE_METADATA=false", "NO_GCE_CHECK=true", "METADATA_SERVER_DETECTION=none",
		"CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1",
	}
}

// browser is a way to pages of Google's.
func (f *fakeGoogle) browser() http.RoundTripper {
	proxy, _ := url.Parse(f.ProxyURL())
	return &http.Transport{TLSClientConfig: careless.TLSClientConfig, Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Hostname() == "127.0.0.1" {
			return nil, nil
		}
		return proxy, nil
	}}
}

func sharedGoogle() (*fakeGoogle, error) {
	google.once.Do(func() { google.server, google.err = newGoogle(suite.dir) })
	return google.server, google.err
}

func stopGoogle() {
	if google.server != nil {
		google.server.Close()
	}
}

// project is a project of a fake Google that the world reaches.
type project struct {
	*gcptest.Project
	w      *world
	google *fakeGoogle
	robot  *gcptest.ServiceAccount // who may do everything in it
	seen   int                     // calls that wantCalls has seen
}

// projects numbers the projects of the run.
var projects atomic.Int64

// useGoogle gives the world a fake Google of its own with a project in it, and a keyring.
func (w *world) useGoogle() *project {
	w.t.Helper()
	f, err := newGoogle(w.root)
	must(w.t, err)
	w.t.Cleanup(func() { f.Close() })
	return w.meet(f)
}

// useSharedGoogle gives the world a project in the Google that the Docker engine and the
// GKE cluster know.
func (w *world) useSharedGoogle() *project {
	w.t.Helper()
	f, err := sharedGoogle()
	must(w.t, err)
	return w.meet(f)
}

func (w *world) meet(f *fakeGoogle) *project {
	w.t.Helper()
	w.startKeyring()
	for _, kv := range f.env() {
		w.setenvPair(kv)
	}
	return w.newProject(f)
}

func (w *world) newProject(f *fakeGoogle) *project {
	p := &project{Project: f.Project(fmt.Sprintf("e2e-project-%d", projects.Add(1))), w: w, google: f}
	p.robot = p.ServiceAccount("robot")
	return p
}

// guardJSON has the secret parts of a file of Google's looked for.
func (w *world) guardJSON(text string) string {
	w.t.Helper()
	var parts map[string]any
	must(w.t, json.Unmarshal([]byte(text), &parts))
	for _, name := range []string{"private_key", "refresh_token", "client_secret"} {
		if part, ok := parts[name].(string); ok {
			w.guard(part)
		}
	}
	return text
}

// key is a new key of a service account, which is a secret of the world.
func (p *project) key(account *gcptest.ServiceAccount) string { return p.w.guardJSON(account.Key()) }

// googleLogin is one way for svcconn into Google Cloud.
type googleLogin struct {
	method string
	fields map[string]string
	flags  []string
	whoami string // part of what Google says who we are
}

// secretGoogleFields are those whose values must not be in argv.
var secretGoogleFields = map[string]bool{
	"service_account_json": true, "user_account_json": true, "external_account_json": true, "token": true, "client_secret": true,
}

// registerArgs is the command that registers the login, its secrets in files that
// removePasswords removes.
func (l googleLogin) registerArgs(w *world, name string, more ...string) []string {
	args := []string{"svcconn", "register", name, "--type", "gcp", "--auth-method", l.method}
	args = append(args, w.setArgs(l.fields, secretGoogleFields)...)
	return append(append(args, l.flags...), more...)
}

func (l googleLogin) register(w *world, name string, more ...string) result {
	w.t.Helper()
	defer w.removePasswords()
	return w.cmd(l.registerArgs(w, name, more...)...).run()
}

// serviceAccount is the common way: a key of a service account that may do everything.
func (p *project) serviceAccount() googleLogin {
	return googleLogin{method: "service-account", fields: map[string]string{"service_account_json": p.key(p.robot)}, whoami: p.robot.Email()}
}

// registeredGoogle is a world with a Google of its own and one registered connector, called
// prod, whose service account may do everything.
func registeredGoogle(t *testing.T, shows string, more ...string) (*world, *project) {
	t.Helper()
	w := newWorld(t, shows)
	p := w.useGoogle()
	p.serviceAccount().register(w, "prod", more...).exits(0).says("prod")
	p.google.ResetCalls()
	return w, p
}

// calls are the services' actions that were asked for about the project, or by an account of
// it, since forgetCalls, in order; not what registries and clusters were asked.
func (p *project) calls() []string { return p.allCalls()[p.seen:] }

func (p *project) allCalls() (list []string) {
	for _, call := range p.google.Calls() {
		if call.Service != "registry" && call.Service != "gke" && (call.Project == p.ID() || strings.HasSuffix(call.Principal, "@"+p.ID()+".iam.gserviceaccount.com")) {
			list = append(list, call.Service+":"+call.Action)
		}
	}
	return list
}

func (p *project) forgetCalls() { p.seen = len(p.allCalls()) }

// wantCalls requires these calls and no others since the last time, in any order.
func (p *project) wantCalls(when string, want ...string) {
	p.w.t.Helper()
	if got := p.calls(); !sameWords(got, want) {
		p.w.t.Errorf("%s: Google was asked for %v, want %v", when, got, want)
	}
	p.forgetCalls()
}

// token asks for an access token as a script does, and has it looked for.
func (w *world) token(kind, name string, more ...string) string {
	w.t.Helper()
	text := strings.TrimSpace(w.askToken(kind, name, more...).exits(0).stdout)
	w.guard(text)
	return text
}

func (w *world) askToken(kind, name string, more ...string) result {
	args := []string{"svcconn", "credential", "--resource-type", kind, "--format", "token"}
	if name != "" {
		args = append(args, "--resource-name", name)
	}
	if !strings.Contains(strings.Join(more, " "), "--connector") {
		args = append(args, "--connector", "prod")
	}
	return w.cmd(append(args, more...)...).revealing().run()
}
