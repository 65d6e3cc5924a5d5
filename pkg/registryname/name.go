// Package registryname is the one normaliser for the names of OCI registries:
// what a person registers, what a tool sends to a credential helper, and what is
// written into the files of those tools all become one canonical Name here, so
// that a login reaches its registry under every spelling, and no other host.
//
// A canonical name is a host in lower case, internationalised domains as punycode,
// IPv6 in brackets and its shortest form, with a port only where it is not 443;
// Docker Hub's several names are "docker.io". What counts as a registry is docker's
// own rule for image references: the text has a dot or a port, or is "localhost".
//
// It refuses to guess: user-info, queries, fragments, underscores, odd spellings of
// IPv4 addresses and whatever else a URL library would quietly mend are errors,
// since each of them has been used to make a credential go to another host. It
// touches neither network nor disk.
package registryname

import (
	"net/netip"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// Name is the canonical name of a registry. Names are comparable with ==; the zero
// value names none. Parse is the only way to make one.
type Name struct {
	host string // with brackets for IPv6, without port
	port string // "" is 443
}

// DockerHub is the canonical name of Docker Hub.
const DockerHub = "docker.io"

const (
	hubEndpoint = "registry-1.docker.io"        // the host that serves Docker Hub's registry API
	hubKey      = "https://index.docker.io/v1/" // what docker calls Docker Hub in its files and to its helpers
)

// Parse reads a registry as a person or a file names it: HOST[:PORT], also as a
// URL. A path behind it is checked and dropped, since registries are logged in to
// as a whole. For every Name n, Parse(n.String()) is n. Errors are fault.Invalid
// and never quote a text that may hold a password.
func Parse(text string) (Name, error) {
	name, _, err := parse(text)
	return name, err
}

// Address reads what a tool sends to a credential helper: a host, a host with port,
// either of them with a repository behind it, or a URL with or without /v1/ or
// /v2/. It returns the canonical host and the path of the repository, "" where
// none is named. Errors are those of Parse.
func Address(text string) (host, path string, err error) {
	name, path, err := parse(text)
	return name.String(), path, err
}

func parse(text string) (Name, string, error) {
	parts, err := split(text)
	if err != nil {
		return Name{}, "", err
	}
	path, err := cleanPath(parts)
	if err != nil {
		return Name{}, "", err
	}
	host, err := canonicalHost(parts.host)
	if err != nil {
		return Name{}, "", err
	}
	port, err := canonicalPort(parts, host)
	if err != nil {
		return Name{}, "", err
	}
	if port == "" && isHub(host) {
		host = DockerHub
	}
	return Name{host: host, port: port}, path, nil
}

// canonicalPort drops the ports that go without saying. A host of one label is
// only a registry by its port, so there the port stays.
func canonicalPort(p parts, host string) (string, error) {
	if !strings.ContainsAny(host, ".[") && host != "localhost" {
		switch {
		case p.port == "" && p.scheme == "http":
			return "80", nil
		case p.port == "" && p.scheme == "https":
			return "443", nil
		case p.port == "":
			return "", notARegistry(p)
		}
		return p.port, nil
	}
	if p.port == "443" || p.port == "80" && p.scheme == "http" {
		return "", nil
	}
	return p.port, nil
}

func notARegistry(p parts) error {
	if p.path != "" {
		return fault.New(fault.Invalid, "%s/%s is a repository on Docker Hub, not a registry: a registry has a dot or a port in its name, or is localhost", p.host, p.path).
			Hint("for Docker Hub, say docker.io; for a registry of your own, give its full host name or its port")
	}
	return fault.New(fault.Invalid, "%s is not a registry: a registry has a dot or a port in its name, or is localhost", p.host).
		Hint("give the full host name or the port, as in %[1]s.example.com or %[1]s:5000; Docker Hub is docker.io", p.host)
}

func isHub(host string) bool {
	return host == DockerHub || host == "index.docker.io" || host == hubEndpoint
}

// String returns the canonical name, "" for the zero Name. It is also the key of the
// registry in the auth.json of podman, skopeo and buildah, and what a credential
// helper's list answers: those three refuse keys with a scheme.
func (n Name) String() string {
	if n.port == "" {
		return n.host
	}
	return n.host + ":" + n.port
}

// IsDockerHub reports whether this is Docker Hub.
func (n Name) IsDockerHub() bool { return n.host == DockerHub && n.port == "" }

// IsLoopback reports whether the registry is on this machine: localhost,
// 127.0.0.0/8 or [::1], on any port. These are the ones that docker talks plain
// HTTP to without being told.
func (n Name) IsLoopback() bool { return Loopback(n.hostname()) }

// Loopback reports whether a host without port, IPv6 without brackets, is this
// machine.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (n Name) hostname() string { return strings.Trim(n.host, "[]") }

// Endpoint is the HOST[:PORT] that serves the registry's API.
func (n Name) Endpoint() string {
	if n.IsDockerHub() {
		return hubEndpoint
	}
	return n.String()
}

// DockerKey is the key of the registry in docker's config.json, where credHelpers and
// auths are looked up by exact text: it suits docker, buildx, compose, crane and oras.
func (n Name) DockerKey() string {
	if n.IsDockerHub() {
		return hubKey
	}
	return n.String()
}

// Serves reports whether a tool's address belongs to this registry: the canonical
// hosts are the same, ports included. An address that is none belongs to nobody,
// nor do the two that `docker login` keeps its web login's own tokens under: they
// are no logins to Docker Hub's registry.
func (n Name) Serves(address string) bool {
	other, path, err := parse(address)
	return err == nil && other == n && n != Name{} && !(n.IsDockerHub() && isWebLoginPath(path))
}

// IsWebLogin reports whether an address is one of those under which `docker login`
// keeps the tokens of its web login (https://index.docker.io/v1/access-token and
// /refresh-token).
func IsWebLogin(address string) bool {
	name, path, err := parse(address)
	return err == nil && name.IsDockerHub() && isWebLoginPath(path)
}

func isWebLoginPath(path string) bool {
	path = strings.TrimPrefix(path, "v1/")
	return path == "access-token" || path == "refresh-token"
}

// Under reports whether the registry is a proper subdomain of a domain, on the
// usual port: x.azurecr.io is under azurecr.io, azurecr.io, x.azurecr.io:5000 and
// x.azurecr.io.example.com are not.
func (n Name) Under(domain string) bool {
	return n.port == "" && domain != "" && strings.HasSuffix(n.host, "."+domain)
}
