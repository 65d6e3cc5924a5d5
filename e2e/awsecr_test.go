//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/connectors/aws/awstest"
)

// ecrHost is the host of the account's registry in a region.
func (a *account) ecrHost(region string) string {
	return a.ID() + ".dkr.ecr." + region + ".amazonaws.com"
}

// useRegistry has a registry answer at the account's host, for the world's programs
// and for the Docker engine. It takes only logins that the fake ECR gave out.
func (a *account) useRegistry(region string, repositories ...string) string {
	a.w.t.Helper()
	host := a.ecrHost(region)
	for _, name := range repositories {
		a.Repository(region, name)
	}
	registry := a.aws.Registry(host)
	a.aws.Route(host, registry)
	shared, err := sharedAWS()
	must(a.w.t, err)
	shared.Route(host, registry)
	return host
}

// ecrClients are all clients, with TLS: they find their way through a proxy to a registry
// with a certificate of a private authority.
func ecrClients(t *testing.T) []client {
	overTLS := map[string]func() client{"crane": craneTo, "skopeo": skopeoTo}
	list := clients(t)
	for i, c := range list {
		if to := overTLS[c.name]; to != nil {
			list[i] = to()
		}
	}
	return list
}

func craneTo() client {
	c := craneClient()
	c.push = func(w *world, ref string) *call { return w.cmd("crane", "push", w.path("crane.tar"), ref) }
	c.pull = func(w *world, ref string) *call { return w.cmd("crane", "pull", ref, w.path(w.unique("pulled"))) }
	return c
}

func skopeoTo() client {
	c := skopeoClient()
	c.push = func(w *world, ref string) *call {
		return w.cmd("skopeo", "copy", "docker-archive:"+w.path("skopeo.tar"), "docker://"+ref)
	}
	c.pull = func(w *world, ref string) *call {
		return w.cmd("skopeo", "copy", "docker://"+ref, "dir:"+w.path(w.unique("pulled")))
	}
	return c
}

// TestECR is the main job for ECR: register once, then push and pull with every client
// at a registry that takes only what ECR gave out.
func TestECR(t *testing.T) {
	t.Parallel()
	for _, c := range ecrClients(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, a := registeredAWS(t, "register, login docker for all registries, push and pull at ACCOUNT.dkr.ecr.REGION.amazonaws.com with logins of ECR; after logout a push is refused")
			c.prepare(w)
			host := a.useRegistry(homeRegion, "team/app")
			w.ok("svcconn", "login", "docker").says(host)
			ref := host + "/team/app:1"
			c.make(w, ref, w.unique("ecr-"+a.ID()+"-"))
			c.push(w, ref).run().exits(0)
			c.drop(w, ref)
			c.pull(w, ref).run().exits(0)
			w.ok("svcconn", "logout", "docker", host)
			after := c.push(w, ref).run().fails()
			if !strings.Contains(after.output(), "400 (Bad Request)") { // what ECR says to an empty login, which podman and its like send
				after.refused()
			}
		})
	}
}

// lateClock has AWS's clock be late, so that what it says is good for 15 minutes is so
// for 90 seconds: kept for 60, and minted anew in the background after 30 if it was used.
const lateClock = -(15*time.Minute - 90*time.Second)

// TestECRCalls counts what pulls cost, with the real docker.
func TestECRCalls(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		w, a := registeredAWS(t, "service calls: first docker pull 2 (AssumeRole, GetAuthorizationToken), second 0, refresh ahead 2 in the background, after expiry 2", "--expiration", "15m")
		w.useEngine()
		host := a.useRegistry(homeRegion, "team/app")
		w.ok("svcconn", "login", "docker", host)
		c := dockerClient("", docker)
		ref := host + "/team/app:1"
		c.make(w, ref, w.unique("calls-"+a.ID()+"-"))
		c.push(w, ref).run().exits(0)
		pull := func() {
			c.drop(w, ref)
			c.pull(w, ref).run().exits(0)
		}
		w.ok("svcconn", "agent", "forget")
		a.aws.Skew(lateClock)
		a.aws.ResetCalls()
		pull()
		a.wantCalls("first pull", "sts:AssumeRole", "ecr:GetAuthorizationToken")
		pull()
		a.wantCalls("second pull")
		within(t, time.Minute, "the login is refreshed ahead", func() bool { return len(a.calls()) == 2 })
		a.wantCalls("refresh ahead", "sts:AssumeRole", "ecr:GetAuthorizationToken")
		within(t, 2*time.Minute, "the login is stale", func() bool { return len(w.agent().Kept) == 0 })
		pull()
		a.wantCalls("pull after expiry", "sts:AssumeRole", "ecr:GetAuthorizationToken")
	})
}

// ecrLogin is a login to a registry as `credential --format docker` prints it.
func (w *world) ecrLogin(host string, more ...string) login {
	w.t.Helper()
	args := []string{"svcconn", "credential", "--connector", "prod", "-r", "docker-registry", "-n", host, "--format", "docker"}
	var got login
	w.decode(w.cmd(append(args, more...)...).revealing().run().exits(0), &got)
	w.guard(got.Secret)
	return got
}

// asDocker gives a client a plain docker configuration with a login in it, outside of
// the world.
func (c *call) asDocker(host string, l login) *call {
	c.w.t.Helper()
	dir := c.w.t.TempDir()
	text, _ := json.Marshal(object{"auths": object{host: object{"auth": base64.StdEncoding.EncodeToString([]byte(l.Username + ":" + l.Secret))}}})
	must(c.w.t, os.WriteFile(dir+"/config.json", text, 0o600))
	return c.setenv("DOCKER_CONFIG=" + dir)
}

// TestECRScope has logins with fewer rights than the connector meet the registry.
func TestECRScope(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "a login for one repository is refused at others, a read-only one is refused a push; ECR Public and other accounts are never served by accident")
	host := a.useRegistry(homeRegion, "team/app", "team/other")
	c := craneTo()
	c.prepare(w)
	app, other := host+"/team/app:1", host+"/team/other:1"
	c.make(w, app, "")
	all := w.ecrLogin(host)
	for _, ref := range []string{app, other} {
		c.push(w, ref).asDocker(host, all).run().exits(0)
	}
	one := w.ecrLogin(host + "/team/app")
	c.push(w, app).asDocker(host, one).run().exits(0)
	c.pull(w, app).asDocker(host, one).run().exits(0)
	c.push(w, other).asDocker(host, one).run().refused()
	c.pull(w, other).asDocker(host, one).run().refused()
	reader := w.ecrLogin(host, "--access", "read")
	c.pull(w, app).asDocker(host, reader).run().exits(0)
	c.make(w, app, "") // another image, or nothing would be pushed
	c.push(w, app).asDocker(host, reader).run().refused()
	for _, stranger := range []string{"public.ecr.aws", "999999999999.dkr.ecr." + homeRegion + ".amazonaws.com", host + ".evil.example.com", "x." + host} {
		w.get(stranger).run().exits(1).prints("credentials not found in native keychain")
	}
}

// TestECRCrossAccount has a registry of another account grant ours access.
func TestECRCrossAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "registry_ids serves another account's registry, whose repositories grant ours access; list-resources has those it may see")
	a := w.useAWS()
	them := &account{Account: a.aws.Account(newAccountID()), w: w, aws: a.aws}
	host := them.useRegistry(homeRegion, "hidden")
	them.Repository(homeRegion, "shared/app", awstest.Grant{To: []string{a.ID()}, Actions: []string{"ecr:*"}})
	l := a.role("dev", awstest.Role{})
	l.fields["registry_ids"] = them.ID()
	l.register(w, "prod").exits(0)
	w.ok("svcconn", "login", "docker", host)
	c := craneTo()
	c.prepare(w)
	c.make(w, host+"/shared/app:1", "")
	c.push(w, host+"/shared/app:1").run().exits(0)
	c.pull(w, host+"/shared/app:1").run().exits(0)
	c.push(w, host+"/hidden:1").run().refused()
}

// TestECREmpty has a registry without a repository.
func TestECREmpty(t *testing.T) {
	t.Parallel()
	w, a := registeredAWS(t, "an empty registry verifies, and lists as itself; further regions are listed too")
	w.ok("svcconn", "verify", "prod", "--resource-type", "docker-registry").says(a.ecrHost(homeRegion))
	w.ok("svcconn", "update", "prod", "--set", "regions="+awayRegion)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		a.Repository(awayRegion, "team/"+name)
	}
	w.ok("svcconn", "list-resources", "--resource-type", "docker-registry").
		says(a.ecrHost(homeRegion), a.ecrHost(awayRegion), a.ecrHost(awayRegion)+"/team/e")
}
