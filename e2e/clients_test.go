//go:build e2e && linux

package e2e

import (
	"os"
	"testing"
)

// client is a program that moves images, with the commands that do so. Where it
// cannot build or run, make brings an image from elsewhere and start is nil.
type client struct {
	name    string
	prepare func(w *world)
	make    func(w *world, ref, greeting string)
	push    func(w *world, ref string) *call
	pull    func(w *world, ref string) *call
	drop    func(w *world, ref string)
	start   func(w *world, ref string) *call

	tolerant bool // it takes a helper's failure for "not found"
}

// clients are all that this machine should have; a missing one shows when it is
// prepared.
func clients(t *testing.T) []client {
	list := []client{podmanClient(), buildahClient(), skopeoClient(), craneClient()}
	if len(dockerCLIs()) == 0 {
		t.Run("docker", func(t *testing.T) { need(t, "docker") })
	}
	for version, path := range dockerCLIs() {
		list = append(list, dockerClient("docker-"+version, path))
	}
	return list
}

func dockerClient(name, docker string) client {
	return client{
		name:     name,
		tolerant: true,
		prepare:  (*world).useEngine,
		make: func(w *world, ref, greeting string) {
			w.ok(docker, "build", "--tag", ref, w.buildContext(greeting))
			w.t.Cleanup(func() { w.cmd(docker, "rmi", "--force", ref).run() })
		},
		push:  func(w *world, ref string) *call { return w.cmd(docker, "push", ref) },
		pull:  func(w *world, ref string) *call { return w.cmd(docker, "pull", ref) },
		drop:  func(w *world, ref string) { w.ok(docker, "rmi", ref) },
		start: func(w *world, ref string) *call { return w.cmd(docker, "run", "--rm", "--network", "none", ref) },
	}
}

func podmanClient() client {
	return client{
		name:    "podman",
		prepare: func(w *world) { need(w.t, "podman"); w.useContainerStorage() },
		make: func(w *world, ref, greeting string) {
			w.ok("podman", "build", "--isolation", "chroot", "--tag", ref, w.buildContext(greeting))
		},
		push:  func(w *world, ref string) *call { return w.cmd("podman", "push", "--tls-verify=false", ref) },
		pull:  func(w *world, ref string) *call { return w.cmd("podman", "pull", "--tls-verify=false", ref) },
		drop:  func(w *world, ref string) { w.ok("podman", "rmi", ref) },
		start: func(w *world, ref string) *call { return w.cmd("podman", "run", "--rm", "--network", "none", ref) },
	}
}

func buildahClient() client {
	return client{
		name:    "buildah",
		prepare: func(w *world) { need(w.t, "buildah"); w.useContainerStorage() },
		make: func(w *world, ref, greeting string) {
			w.ok("buildah", "bud", "--isolation", "chroot", "--tag", ref, w.buildContext(greeting))
		},
		push: func(w *world, ref string) *call { return w.cmd("buildah", "push", "--tls-verify=false", ref) },
		pull: func(w *world, ref string) *call { return w.cmd("buildah", "pull", "--tls-verify=false", ref) },
		drop: func(w *world, ref string) { w.ok("buildah", "rmi", ref) },
	}
}

func skopeoClient() client {
	return client{
		name:    "skopeo",
		prepare: func(w *world) { need(w.t, "skopeo") },
		make:    func(w *world, ref, _ string) { must(w.t, os.Rename(w.imageFile(ref), w.path("skopeo.tar"))) },
		push: func(w *world, ref string) *call {
			return w.cmd("skopeo", "copy", "--dest-tls-verify=false", "docker-archive:"+w.path("skopeo.tar"), "docker://"+ref)
		},
		pull: func(w *world, ref string) *call {
			return w.cmd("skopeo", "copy", "--src-tls-verify=false", "docker://"+ref, "dir:"+w.path(w.unique("pulled")))
		},
		drop: func(*world, string) {},
	}
}

func craneClient() client {
	return client{
		name:    "crane",
		prepare: func(w *world) { need(w.t, "crane") },
		make:    func(w *world, ref, _ string) { must(w.t, os.Rename(w.imageFile(ref), w.path("crane.tar"))) },
		push: func(w *world, ref string) *call {
			return w.cmd("crane", "push", "--insecure", w.path("crane.tar"), ref)
		},
		pull: func(w *world, ref string) *call {
			return w.cmd("crane", "pull", "--insecure", ref, w.path(w.unique("pulled")))
		},
		drop: func(*world, string) {},
	}
}

// useContainerStorage gives podman and buildah folders of the world, and no
// systemd, journal or shared memory of the machine.
func (w *world) useContainerStorage() {
	storage := w.file("[storage]\ndriver = \"vfs\"\ngraphroot = \""+w.path("storage")+"\"\nrunroot = \""+w.path("storage-run")+"\"\n", "storage.conf")
	containers := w.file("[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\ntmp_dir = \""+
		w.path("libpod")+"\"\n[containers]\nlog_driver = \"k8s-file\"\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n", "containers.conf")
	w.setenv("CONTAINERS_STORAGE_CONF", storage)
	w.setenv("CONTAINERS_CONF", containers)
}
