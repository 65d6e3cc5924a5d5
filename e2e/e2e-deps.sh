#!/bin/sh
# Installs what the end-to-end tests use, on Debian or Ubuntu, as root: the real
# programs from the distribution, and into the user's cache what it does not have,
# from the Go module proxy and npm. Quick when all is there; the first time,
# kube-apiserver alone takes some five minutes to build. Google's CLI is not in Debian:
# https://cloud.google.com/sdk/docs/install, with the components gke-gcloud-auth-plugin and bq.
set -eu
cd "$(dirname "$0")/.."

packages="docker.io iptables docker-registry podman buildah skopeo gnome-keyring dbus dbus-daemon bats jq util-linux
	etcd-server python3-kubernetes groff zsh fish awscli python3-boto3"
helm=v3.22.0
authenticator=v0.6.13
client_node=1.4.0 # the last for node 20
google_node=10.9.1
gcr=v2.2.1
crane=$(go list -m -f '{{.Version}}' github.com/google/go-containerregistry)

# Whoever has a node has its npm, if not from Debian.
command -v npm >/dev/null || packages="$packages nodejs npm"

absent=""
for package in $packages; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || absent="$absent $package"
done
if [ -n "$absent" ]; then
	apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $absent
fi

bin=$(sh e2e/tools-dir.sh)
mkdir -p "$bin"

# once NAME VERSION COMMAND... makes a tool unless that version was made before.
once() {
	name=$1 mark="$bin/.$1-$2"
	shift 2
	[ -e "$mark" ] && [ -e "$bin/$name" ] && return
	"$@"
	touch "$mark"
}

# tool NAME PACKAGE@VERSION builds a tool of the module proxy.
tool() {
	once "$1" "${2##*@}" env GOBIN="$bin" CGO_ENABLED=0 go install -trimpath "$2"
}
tool crane "github.com/google/go-containerregistry/cmd/crane@$crane"
tool helm "helm.sh/helm/v3/cmd/helm@$helm"
tool aws-iam-authenticator "sigs.k8s.io/aws-iam-authenticator/cmd/aws-iam-authenticator@$authenticator"
tool docker-credential-gcr "github.com/GoogleCloudPlatform/docker-credential-gcr/v2@$gcr"

# The API server and the kubectl of its release, of the version that the module in
# e2e/kube requires.
kube=$(cd e2e/kube && go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${kube#v1.} minor=${minor%%.*}
version=k8s.io/component-base/version
kubernetes() {
	CGO_ENABLED=0 go build -C e2e/kube -trimpath -o "$bin/$1" \
		-ldflags "-s -w -X $version.gitVersion=$kube -X $version.gitMajor=1 -X $version.gitMinor=$minor" "k8s.io/kubernetes/cmd/$2"
}
once kube-apiserver "$kube" kubernetes kube-apiserver kube-apiserver
once "kubectl-1.$minor" "$kube" kubernetes "kubectl-1.$minor" kubectl
# The tests build their own programs there; this is what takes long about them.
CGO_ENABLED=0 go build -C e2e/kube -trimpath k8s.io/client-go/kubernetes k8s.io/kubernetes/pkg/credentialprovider/plugin
CGO_ENABLED=0 go build -C e2e/googleauth -trimpath -o /dev/null .

# Debian's kubectl is old, which is what we want of it, beside a newer one.
old_kubectl() {
	folder=$(mktemp -d)
	chmod 755 "$folder"
	(cd "$folder" && apt-get download -q kubernetes-client && dpkg-deb -x kubernetes-client_*.deb .)
	install -m 755 "$folder/usr/bin/kubectl" "$bin/kubectl-debian"
	rm -rf "$folder"
}
once kubectl-debian 12 old_kubectl

# JavaScript's clients.
once node_modules "$client_node-$google_node" npm install --prefix "$bin" --no-audit --no-fund --ignore-scripts \
	"@kubernetes/client-node@$client_node" "google-auth-library@$google_node"

# podman's own suite, for TestPodmanSuite.
podman=$(podman --version | sed 's/^podman version //')
GOFLAGS=-mod=mod go mod download "github.com/containers/podman/v4@v$podman"
