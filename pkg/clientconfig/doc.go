// Package clientconfig writes client configuration: the pointers by which docker,
// podman, skopeo and buildah come to docker-credential-svcconn, kubectl to
// kubectl-svcconn, and gcloud and the SDKs of AWS and of Google to svcconn. A login adds
// them to the tools' own files, a logout takes them back exactly, and explain is told which
// entry decides.
//
// A file belongs to its tool and its owner. Only our entry in it changes: order,
// layout, line ends, unknown keys, permissions, owner and symbolic links stay, and a
// logout restores every byte if nobody else wrote meanwhile. If somebody did, exactly
// our entries go. A Plan shows its changes as a diff before it applies them; a later
// tool brings an edit of its own and gets the rest from here.
//
// The journal (STATE/clients, a file for each changed file) has what a logout needs:
// the helpers that were replaced, and which objects, file and folders were not there.
// It never has content, so never a secret. It is written before a login's change and
// after a logout's, and what it says counts only where the file does lead to svcconn:
// killed at any instant, logout and a repeated login do the right thing.
//
// It refuses files that it does not fully understand. Those of docker and podman: no
// JSON object, comments, a byte order mark (docker and podman read neither), a key
// twice, a wrong type. Docker takes such a file for empty and overwrites it at the next
// `docker login`; we name the line and change nothing. It takes no part in secrets: of
// plain-text logins it sees whether they are there, and removes them when asked to.
//
// # Which files
//
// Seen with docker 28.2, skopeo 1.9, podman 4.3 and buildah 1.28 (tools_test.go sees it
// again), and read in the sources of docker/cli 29.7 and containers/container-libs
// 523e87c5.
//
// Docker looks up one key: credHelpers, else credsStore, else auths; since 28.3
// DOCKER_AUTH_CONFIG precedes all. For Docker Hub the key is "https://index.docker.io/v1/".
//
// podman, skopeo and buildah ignore credsStore. They ask for the bare host
// ("docker.io"), file by file, until one has a login for it; within a file credHelpers
// precede auths:
//
//  1. $REGISTRY_AUTH_FILE; present versions then read nothing else, older ones go on
//  2. on Linux $XDG_RUNTIME_DIR/containers/auth.json, or /run/containers/UID/auth.json:
//     where `podman login` writes plain text, gone after a reboot
//  3. $XDG_CONFIG_HOME/containers/auth.json; off Linux ~/.config/containers/auth.json
//  4. docker's file
//
// Docker's file alone would do on a fresh machine, but not with another DOCKER_CONFIG,
// and any plain-text login in the files before it wins. So a login writes the lasting
// file (3), which survives a reboot; REGISTRY_AUTH_FILE too where it is set; and the
// volatile file (2) only while that has a login or helper for the same registry, which
// goes with it at the reboot. A login there for a part of a registry ("host/team") is
// more particular than ours and stays in force.
//
// An entry with a scheme stops podman's remote client, the only one on macOS and
// Windows: "key https://index.docker.io/v1/ contains http[s]:// prefix". Docker needs
// it for Docker Hub; PlanDockerLogin puts it in no other file and gives notice.
//
// Not read: ~/.dockercfg, /etc/containers/auth.json of system services, and
// credential-helpers in registries.conf, which can put another helper before all files.
//
// # Kubeconfigs
//
// clientcmd decides what a kubeconfig means, but does not write it: it would encode the
// whole file anew, and drop comments, order and keys that it does not know. The YAML (or
// JSON) is edited as text, at places that the nodes of a YAML parser name; entries go in
// front of their lists, since where a list ends is harder to tell than where it begins.
// Afterwards clientcmd reads both texts, and the edit is refused if anything but our
// entries differs. Layouts that nobody has (aliases for lists, tags, explicit keys) are
// refused too.
//
// clientcmd's lock (FILE.lock, that must not be there) is held for the instant of
// writing. kubectl does not wait for it, but fails; and it reads before it locks, so a
// `kubectl config` that runs at the same time can undo a login, as it can undo another
// kubectl.
//
// An entry is ours if its user runs kubectl-svcconn; context and cluster are so with
// it. The rules for several files are clientcmd's (PathOptions.GetDefaultFilename).
//
// # Profiles of AWS
//
// A profile is a section of ~/.aws/config whose credential_process runs svcconn; that is
// how we know ours. What is added comes last, so that nothing before it is read
// differently; what sets it off is in the journal. A line that botocore and the SDK for Go
// read differently (an indented section, text before the first) makes us refuse the file.
//
// Neither region nor endpoints are secret, but a file may hold keys: a diff shows other
// sections without values. The credentials file is read for the names of its sections
// alone, and never written.
//
// SVCCONN_CONFIG_DIR and its like are not in the command: `env NAME=…` is no program on
// Windows, `NAME=…` none for botocore. They are inherited where a tool is started; a login
// says so where they are set.
//
// # Configurations of gcloud
//
// Seen with gcloud 528, and read in its sources, in those of google-auth for Python and of
// x/oauth2/google/externalaccount. A login writes a configuration of its own, whose
// auth/credential_file_override names a credential file in CONFIG/gcloud: that is how we
// know ours. The credential file runs svcconn for a token that the agent exchanges, at a
// port of the loopback interface, for the credential (package agent, exchange). It serves
// the SDKs too, and there is no secret in either. One port serves all files.
//
// gcloud writes a configuration anew when it sets something in it, without comments and in
// its own layout. So the record has the settings that a login wrote; a logout removes
// those, and the file if nothing else is in it. active_config is the bare name, without an
// end of line, which gcloud would take for a part of it.
//
// configparser expands percent signs, so they are written twice. Libraries split the
// command at spaces, with or without regard to quotes: a path that has one is refused.
package clientconfig
