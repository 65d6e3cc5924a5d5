// Package e2e proves the three binaries against real programs: the Docker engine
// and both generations of its CLI, podman, buildah, skopeo, crane, docker-registry;
// kube-apiserver and etcd, three generations of kubectl, helm, client-go, Python's
// and JavaScript's clients, kubelet's code for credential providers; the AWS CLI,
// botocore and AWS's SDK for Go, aws-iam-authenticator; gcloud, gke-gcloud-auth-plugin and
// Google's libraries for Go, Python and Node; gnome-keyring. It knows the binaries by their
// contract alone: of svcconn's packages it imports the test keyring, the test issuer and the
// fake clouds and no other.
//
// The tests need root and the build tag e2e; `make e2e-deps` installs what they
// use and `make e2e` runs them. A tool that is missing skips its tests and says
// what to install; with CI=true it fails them.
//
// Every test has a world of its own: a home, folders, a session bus, a keyring,
// registries on ports of their own and links to the binaries, so that each
// process can be traced to its test. The Docker engine and the API server are
// shared: in them each test has names of its own. AWS and Google Cloud are fake ones, which
// programs reach by their host names, through a proxy: each test has its own, but for those
// that the Docker engine and the clusters of EKS and GKE talk to. When a world ends, it searches
// all that was written, printed or put into a process for each secret that the test
// made up.
package e2e
