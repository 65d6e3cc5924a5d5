#!/bin/sh
# Installs what the end-to-end tests use, on Debian or Ubuntu, as root: the real
# programs from the distribution, and two clients that it does not have, built
# from the Go module proxy into the user's cache. Quick when all is there.
set -eu
cd "$(dirname "$0")/.."

packages="docker.io iptables docker-registry podman buildah skopeo gnome-keyring dbus dbus-daemon bats jq util-linux"
helm=v3.22.0
crane=$(go list -m -f '{{.Version}}' github.com/google/go-containerregistry)

absent=""
for package in $packages; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || absent="$absent $package"
done
if [ -n "$absent" ]; then
	apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $absent
fi

# tool NAME PACKAGE@VERSION builds a tool unless that version was built before.
tool() {
	bin=$(sh e2e/tools-dir.sh)
	mark="$bin/.$1-${2##*@}"
	[ -e "$mark" ] && [ -x "$bin/$1" ] && return
	GOBIN="$bin" CGO_ENABLED=0 go install -trimpath "$2"
	touch "$mark"
}
tool crane "github.com/google/go-containerregistry/cmd/crane@$crane"
tool helm "helm.sh/helm/v3/cmd/helm@$helm"

# podman's own suite, for TestPodmanSuite.
podman=$(podman --version | sed 's/^podman version //')
GOFLAGS=-mod=mod go mod download "github.com/containers/podman/v4@v$podman"
