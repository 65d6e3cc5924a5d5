// Package docker is the connector type for one container registry with a stored
// login: Docker Hub, GHCR, GitLab, Quay, Harbor, Artifactory or one of your own.
//
// It hands out what was stored, since the registry protocol can make nothing
// shorter-lived of a password, and it proves the login by the registry's own
// handshake, without a docker daemon. It refuses to send a password in the clear to
// another machine, or after a redirect to another host, whatever a registry says.
package docker

import (
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	typeName     = "docker"
	methodName   = "password"
	resourceName = "docker-registry"
)

// The fields of auth method password.
var (
	username = field.String{
		Name: "username", Title: "user name", Required: true, Example: "ci",
		Help: "The user or robot account to log in as. It is <token> where the password is an identity token, " +
			"as `az acr login` and `docker login` store them for some registries.",
		Check: checkUsername,
	}
	password = field.Secret{
		Name: "password", Title: "password or access token", Required: true,
		Help: "The user's password, or better an access token that may do no more than it has to. " +
			"With the user name <token>, an identity token (an OAuth2 refresh token).",
		Check: checkPassword,
	}
	registry = field.String{
		Name: "registry", Title: "registry", Default: registryname.DockerHub, Example: "registry.example.com:5000",
		Help:  "The registry's host, with its port where that is not 443. Left out, it is Docker Hub. A scheme and a path are dropped.",
		Check: canonicalRegistry,
	}
	insecure = field.Bool{
		Name: "insecure", Title: "insecure registry",
		Help: "Accept whatever TLS certificate the registry and its token server show, and use plain HTTP where they speak no TLS: " +
			"anyone on the way can then read the password. Without it, plain HTTP is used for registries on this machine alone " +
			"(localhost, 127.0.0.0/8, [::1]), after HTTPS was tried. It concerns verifying only: " +
			"docker has a setting of its own, insecure-registries.",
	}
	authority = field.String{
		Name: "certificate_authority", Title: "certificate authority",
		Help: "The certificate, or several, of the certificate authority that signed the registry's certificate, as PEM or as base64 of PEM: " +
			"--set certificate_authority=@ca.pem. They are trusted beside those of the system. It concerns verifying only: " +
			"docker has a folder of its own for them, /etc/docker/certs.d.",
		Check: canonicalCertificates,
	}
)

// Type is the connector type. The value is new at every call and never changes.
func Type() *connector.Type {
	return &connector.Type{
		Name:      typeName,
		Title:     "Docker Service Connector",
		Icon:      "🐳",
		Doc:       typeDoc,
		Methods:   []connector.AuthMethod{passwordMethod()},
		Resources: []connector.ResourceType{registryResource()},
		Detect:    detect,
		Open:      open,
	}
}

const typeDoc = `The Docker service connector logs in to one container registry that speaks the Docker or OCI protocol: Docker Hub, the registries of GitHub and GitLab, Quay, Harbor, Artifactory, Nexus, or one of your own. docker, buildx, compose, podman, skopeo, crane, helm and oras get the login from docker-credential-svcconn whenever they need it, and none of them keeps it.

The password stays in the secret store and is handed out as it is, since this protocol has no way to make a shorter-lived one of it. So register an access token of limited rights where the registry has them. Where svcconn has a connector type for the cloud that runs the registry, prefer that: it mints logins that expire.

Registering and verifying need no docker daemon: the connector does the handshake that docker does, and a wrong password is refused at once.

Auto-configuration takes over logins that docker, podman or skopeo already have, from their own files and from other credential helpers. These fields steer it:

* registry: only the login of this registry.
* config: only this file, or the config.json of this folder.`

func passwordMethod() connector.AuthMethod {
	return connector.AuthMethod{
		Name:   methodName,
		Title:  "Password or access token",
		Fields: field.Set{username, password, registry, insecure, authority},
		Doc: `A user name with a password, an access token or an identity token. The same login is handed out every time; it does not expire here before the registry says so, and takes no expiration.

* Docker Hub, GitHub, GitLab, Quay: use an access token in place of the password.
* Harbor, Quay, Artifactory: a robot account's name and token.
* Azure Container Registry and others that give identity tokens: the user name is <token>.`,
	}
}

func registryResource() connector.ResourceType {
	return connector.ResourceType{
		Name:  resourceName,
		Title: "Docker/OCI container registry",
		Icon:  "🐳",
		Doc: `Allows docker and all other clients of container registries to pull and push images. They are given a user name and a password for the registry as a whole.

A connector reaches one registry. Its resource name is the registry's host, in lower case and with its port where that is not 443; Docker Hub is docker.io.`,
		Formats:     []string{"HOST, as in ghcr.io", "HOST:PORT, as in registry.example.com:5000 or [::1]:5000", "[http[s]://]HOST[:PORT][/PATH]", "docker.io, index.docker.io or https://index.docker.io/v1/ for Docker Hub"},
		Permissions: []string{"read access to the repositories that are pulled", "write access to the repositories that are pushed to"},
		Parse:       func(_ field.Values, name string) (string, error) { return canonicalRegistry(name) },
		Default:     registry.Get,
		Serves:      serves,
		Username:    username.Get,
	}
}

// serves compares hosts in full: see registryname.Name.Serves.
func serves(settings connector.Settings, address string) (string, bool) {
	name, err := registryname.Parse(registry.Get(settings.Values))
	if err != nil || !name.Serves(address) {
		return "", false
	}
	return name.String(), true
}

func canonicalRegistry(text string) (string, error) {
	name, err := registryname.Parse(text)
	return name.String(), err
}

func checkUsername(text string) (string, error) {
	switch {
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", fault.New(fault.Invalid, "the user name contains a control character")
	case strings.Contains(text, ":"):
		return "", fault.New(fault.Invalid, "the user name contains a colon, which logins by HTTP cannot have").
			Hint("give the part before the colon, and what is behind it as the password")
	}
	return text, nil
}

func checkPassword(text secret.Text) error {
	if strings.ContainsFunc(text.Reveal(), unicode.IsControl) {
		return fault.New(fault.Invalid, "the password contains a line break or another control character").
			Hint("leave the line break at its end out, as `printf %%s PASSWORD` does")
	}
	return nil
}
