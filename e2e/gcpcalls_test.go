//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// TestGCPThrottled is slowed down by Google, and goes on.
func TestGCPThrottled(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "a service that says slow down twice is asked a third time, and the person notices nothing")
	own, _ := p.bucketNames()
	for _, action := range []struct{ service, action string }{{"oauth2", "token.jwt-bearer"}, {"storage", "buckets.list"}} {
		p.google.ResetCalls()
		p.google.Throttle(action.service, action.action, 2)
		w.ok("svcconn", "agent", "forget")
		w.ok("svcconn", "list-resources", "--resource-type", "gcs-bucket").says(own)
		if n := p.google.Count(action.service, action.action); n < 3 {
			t.Errorf("%s was called %d times, want 3 at least", action.action, n)
		}
	}
}

// TestGCPCalls counts what docker, kubectl and gcloud cost. Tokens of an impersonated
// account last as long as the connector says: these are kept for 95 seconds, and minted anew
// in the background after 65 if they were used. (The agent looks once a minute.)
func TestGCPCalls(t *testing.T) {
	t.Parallel()
	token := []string{"oauth2:token.jwt-bearer", "iamcredentials:generateAccessToken"}
	for name, tool := range map[string]struct {
		mint    []string
		prepare func(w *world, p *project) (use func())
	}{
		"docker": {token, func(w *world, p *project) func() {
			host := registryHost(homeLocation)
			p.useArtifactRegistry(host)
			p.Repository(homeLocation, "team", gcptest.Repository{})
			w.ok("svcconn", "login", "docker", host)
			c := craneTo()
			c.prepare(w)
			ref := fmt.Sprintf("%s/%s/team/app:1", host, p.ID())
			c.make(w, ref, "")
			c.push(w, ref).run().exits(0)
			return func() { c.pull(w, ref).run().exits(0) }
		}},
		"kubectl": {append(token, "container:clusters.list"), func(w *world, p *project) func() {
			p.gkeCluster(homeLocation, gkeName)
			w.ok("svcconn", "login", "kubectl", "--connector", "prod", gkeName, "--use")
			return func() { w.ok("kubectl", "get", "namespaces") }
		}},
		"gcloud": {token, func(w *world, p *project) func() {
			gcloud := w.loginGcloud("all")
			return func() { printToken(gcloud).exits(0) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "service calls of docker, kubectl and gcloud: first use 2 (key exchange, impersonation; kubectl 3, with the cluster's address), second 0, refresh ahead and after expiry as the first")
			p, _ := w.useGKE()
			l := p.impersonation()
			l.flags = []string{"--expiration", "125s"}
			l.register(w, "prod").exits(0)
			use := tool.prepare(w, p)
			use()
			w.ok("svcconn", "agent", "forget")
			p.forgetCalls()
			use()
			p.wantCalls("first use", tool.mint...)
			use()
			p.wantCalls("second use")
			within(t, 90*time.Second, "the token is refreshed ahead", func() bool { return len(p.calls()) == len(tool.mint) })
			p.wantCalls("refresh ahead", tool.mint...)
			within(t, 3*time.Minute, "the token is stale", func() bool { return len(w.agent().Kept) == 0 })
			use()
			p.wantCalls("use after expiry", tool.mint...)
		})
	}
}

// TestGCPNoLeak has auth methods that keep secrets be used in every way, with all processes
// writing down their arguments and environment.
func TestGCPNoLeak(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "no key, refresh token, access token, narrowed or not, is in argv, environment, audit log, files, logs or what commands print")
	trace := w.traceStarts()
	p := w.useGoogle()
	own, _ := p.bucketNames()
	p.Cluster(homeLocation, "demo", gcptest.Cluster{})
	p.Repository(homeLocation, "team", gcptest.Repository{})
	p.serviceAccount().register(w, "prod").exits(0)
	p.userAccount().register(w, "person", "--resource-type", "gcp-generic").exits(0)
	p.impersonation().register(w, "target", "--resource-type", "gcp-generic").exits(0)
	repository := registryHost(homeLocation) + "/" + p.ID() + "/team"
	w.token("gcp-generic", "")
	w.token("gcp-generic", "", "--connector", "person")
	w.token("gcp-generic", "", "--connector", "target")
	w.token("gcs-bucket", own)
	w.registryLogin(repository)
	w.token("kubernetes-cluster", "demo")
	gcloud := w.loginGcloud("all")
	gcloud("storage", "ls").run().exits(0)
	gcloud("container", "clusters", "list").run().exits(0)
	for _, argv := range [][]string{
		{"svcconn", "list", "-o", "json"}, {"svcconn", "describe", "prod", "-o", "yaml"}, {"svcconn", "verify", "person"}, {"svcconn", "list-resources"},
		{"svcconn", "describe", "prod", "--client", "--resource-type", "gcp-generic"},
		{"svcconn", "describe", "prod", "--client", "--resource-type", "gcs-bucket", "--resource-name", own},
		{"svcconn", "explain", repository}, {"svcconn", "agent", "status"}, {"svcconn", "login", "docker", repository},
		{"svcconn", "login", "kubectl", "--connector", "prod", "demo"}, {"docker-credential-svcconn", "list"},
	} {
		w.ok(argv...)
	}
	if w.read(trace) == "" {
		t.Fatal("nothing was traced")
	}
	if lines := strings.Count(w.read(w.path("svcconn", "state", "audit.jsonl")), "\n"); lines < 8 {
		t.Errorf("the audit log has %d lines", lines)
	}
}
