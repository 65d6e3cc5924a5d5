//go:build e2e && linux

package e2e

import (
	"strings"
	"testing"

	"github.com/svcconn/svcconn/connectors/gcp/gcptest"
)

// registryHost is a host of Artifact Registry, which all projects have in common.
func registryHost(location string) string { return location + "-docker.pkg.dev" }

// useArtifactRegistry has the Docker engine reach the registry of a host, which takes only
// what the shared Google gave out. The world's programs reach it by themselves.
func (p *project) useArtifactRegistry(host string) {
	p.w.t.Helper()
	shared, err := sharedAWS() // whose proxy is the engine's
	must(p.w.t, err)
	shared.Route(host, p.google.Registry(host))
}

// artifactRegistry gives the world a project of the shared Google with a registered
// connector and two repositories.
func artifactRegistry(t *testing.T, shows string, prepare func(w *world)) (w *world, p *project, repository string) {
	t.Helper()
	w = newWorld(t, shows)
	prepare(w)
	p = w.useSharedGoogle()
	host := registryHost(homeLocation)
	p.useArtifactRegistry(host)
	for _, name := range []string{"team", "other"} {
		p.Repository(homeLocation, name, gcptest.Repository{})
	}
	p.serviceAccount().register(w, "prod").exits(0)
	p.forgetCalls()
	return w, p, host + "/" + p.ID() + "/team"
}

// TestArtifactRegistry is the main job for Artifact Registry: register once, then push and
// pull with every client at a registry that takes only what Google gave out.
func TestArtifactRegistry(t *testing.T) {
	t.Parallel()
	for _, c := range ecrClients(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, p, repository := artifactRegistry(t, "register, login docker, push and pull at LOCATION-docker.pkg.dev with tokens of Google; after logout a push is refused", c.prepare)
			host := registryHost(homeLocation)
			w.ok("svcconn", "login", "docker", host).says(host)
			ref := repository + "/app:1"
			c.make(w, ref, w.unique("gar-"+p.ID()+"-"))
			c.push(w, ref).run().exits(0)
			c.drop(w, ref)
			c.pull(w, ref).run().exits(0)
			w.ok("svcconn", "logout", "docker", host)
			c.push(w, ref).run().refused()
		})
	}
}

// TestContainerRegistry covers gcr.io, which Artifact Registry serves today.
func TestContainerRegistry(t *testing.T) {
	eachDockerCLI(t, func(t *testing.T, docker string) {
		w, p, _ := artifactRegistry(t, "docker pushes and pulls at gcr.io, where the project has a repository of that name, and only there", (*world).useEngine)
		p.useArtifactRegistry("gcr.io")
		p.Repository("us", "gcr.io", gcptest.Repository{})
		listed := w.ok("svcconn", "list-resources", "--resource-type", "docker-registry").says("gcr.io/"+p.ID(), registryHost(homeLocation)+"/"+p.ID()+"/team")
		if strings.Contains(listed.output(), "eu.gcr.io") {
			t.Error("a host without a repository is listed")
		}
		w.get("gcr.io").run().exits(1).prints("credentials not found in native keychain")
		w.ok("svcconn", "login", "docker", "gcr.io/"+p.ID(), "--connector", "prod")
		c := dockerClient("", docker)
		ref := "gcr.io/" + p.ID() + "/app:1"
		c.make(w, ref, w.unique("gcr-"+p.ID()+"-"))
		c.push(w, ref).run().exits(0)
		c.drop(w, ref)
		c.pull(w, ref).run().exits(0)
	})
}

// registryLogin is a login to a registry as `credential --format docker` prints it.
func (w *world) registryLogin(name string, more ...string) login {
	w.t.Helper()
	args := []string{"svcconn", "credential", "-r", "docker-registry", "-n", name, "--format", "docker"}
	var got login
	w.decode(w.cmd(append(args, more...)...).revealing().run().exits(0), &got)
	w.guard(got.Secret)
	return got
}

// TestRegistryProjects has two projects on one host.
func TestRegistryProjects(t *testing.T) {
	t.Parallel()
	w, p, repository := artifactRegistry(t, "of two projects on one host the path decides; for who asks by the host alone, as docker does, they are ambiguous until one is pinned", func(*world) {})
	c := craneTo()
	c.prepare(w)
	host := registryHost(homeLocation)
	them := w.newProject(p.google)
	them.Repository(homeLocation, "team", gcptest.Repository{})
	theirs := host + "/" + them.ID() + "/team"
	l := them.serviceAccount()
	l.register(w, "theirs").exits(0)
	whose := func(host string) string {
		var got login
		w.decode(w.get(host).run().exits(0), &got)
		w.guard(got.Secret)
		if got.Username != "oauth2accesstoken" {
			t.Errorf("the user name for %s is %q", host, got.Username)
		}
		email, _ := p.google.TokenInfo(got.Secret)
		return email
	}
	for name, want := range map[string]string{repository: p.robot.Email(), theirs: them.robot.Email(), theirs + "/app": them.robot.Email()} {
		if got := whose(name); got != want {
			t.Errorf("the login for %s is of %s, want %s", name, got, want)
		}
	}
	w.get(host).run().exits(1).says("prod", "theirs", "--connector")
	mine, others := repository+"/app:1", theirs+"/app:1"
	c.make(w, mine, "")
	for _, pinned := range []struct{ connector, ours, refused string }{{"prod", mine, others}, {"theirs", others, mine}} {
		w.ok("svcconn", "login", "docker", host, "--connector", pinned.connector)
		c.push(w, pinned.ours).run().exits(0)
		c.pull(w, pinned.ours).run().exits(0)
		c.make(w, pinned.refused, "") // another image, or nothing would be pushed
		c.push(w, pinned.refused).run().refused()
	}
	w.ok("svcconn", "login", "docker", repository).says("connector prod answers from now on, and no longer theirs")
	c.push(w, mine).run().exits(0)
}

// TestRegistryScope has logins with fewer rights, and hosts that are none of ours.
func TestRegistryScope(t *testing.T) {
	t.Parallel()
	w, _, repository := artifactRegistry(t, "a read-only login is refused a push; hosts that only look like Google's are never served", func(*world) {})
	c := craneTo()
	c.prepare(w)
	ref := repository + "/app:1"
	c.make(w, ref, "")
	c.push(w, ref).asDocker(registryHost(homeLocation), w.registryLogin(repository)).run().exits(0)
	reader := w.registryLogin(repository, "--access", "read")
	c.pull(w, ref).asDocker(registryHost(homeLocation), reader).run().exits(0)
	c.make(w, ref, "") // another image, or nothing would be pushed
	c.push(w, ref).asDocker(registryHost(homeLocation), reader).run().refused()
	host := registryHost(homeLocation)
	for _, stranger := range []string{host + ".evil.example.com", "x." + host, "evil-docker.pkg.dev.example.com", "docker.pkg.dev", "pkg.dev", "gcr.io", "us.gcr.io", "k8s.gcr.io", "mirror.gcr.io", host + "/another-project/team"} {
		w.get(stranger).run().exits(1).prints("credentials not found in native keychain")
	}
}

// TestRegistryLocations lists repositories in several places.
func TestRegistryLocations(t *testing.T) {
	t.Parallel()
	w, p := registeredGoogle(t, "repositories are found in every location, or in those of the field locations; those of other formats are not registries")
	p.Repository(homeLocation, "team", gcptest.Repository{})
	p.Repository("europe", "shared", gcptest.Repository{})
	p.Repository(awayLocation, "far", gcptest.Repository{})
	p.Repository(homeLocation, "wheels", gcptest.Repository{Format: "PYTHON"})
	list := func() string { return w.ok("svcconn", "list-resources", "--resource-type", "docker-registry").output() }
	name := func(location, repository string) string {
		return registryHost(location) + "/" + p.ID() + "/" + repository
	}
	all := list()
	for _, want := range []string{name(homeLocation, "team"), name("europe", "shared"), name(awayLocation, "far")} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not listed:\n%s", want, all)
		}
	}
	if strings.Contains(all, "wheels") {
		t.Error("a repository of Python packages is listed")
	}
	w.ok("svcconn", "update", "prod", "--set", "locations="+homeLocation)
	if some := list(); !strings.Contains(some, "team") || strings.Contains(some, "far") {
		t.Errorf("with locations=%s, these are listed:\n%s", homeLocation, some)
	}
}
