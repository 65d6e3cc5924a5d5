package gcp

import (
	"net/url"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// The ids of projects. Those within an organisation's domain have it in front
// (example.com:project), those of universes other than Google's own the universe's prefix.
// https://cloud.google.com/resource-manager/docs/creating-managing-projects
var (
	plainProject  = field.Lazily(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	scopedProject = field.Lazily(`^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?:[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)
	projectNumber = field.Lazily(`^[0-9]+$`)
)

func isProject(text string) bool {
	return plainProject.MatchString(text) || scopedProject.MatchString(text)
}

// checkProject takes the id of a project. Its number names it as well, but not in the
// addresses of registries and in the names of contexts, where they would not match.
func checkProject(text string) (string, error) {
	switch {
	case isProject(text):
		return text, nil
	case projectNumber.MatchString(text):
		return "", fault.New(fault.Invalid, "%s is the number of a project: its id is needed", text).
			Hint("gcloud projects describe %s --format='value(projectId)' tells it", text)
	}
	return "", fault.New(fault.Invalid, "%q is not the id of a project: those have 6 to 30 lower-case letters, digits and hyphens, and start with a letter", text).
		Hint("a project's name is not its id: `gcloud projects list` shows both")
}

// projectPath is a project in the addresses of registries.
// https://cloud.google.com/artifact-registry/docs/docker/names#domain
func projectPath(project string) string { return strings.Replace(project, ":", "/", 1) }

// ofProject refuses what is of another project than the connector.
func ofProject(own, what, project string) error {
	if own == "" || own == project {
		return nil
	}
	return fault.New(fault.Invalid, "project mismatch: %s is of project %s, and the connector is for project %s", what, project, own).
		Hint("register a connector for that project: --set %s=%s", projectField.Name, project)
}

// knownProject is the project of the connector, which has to be known.
func (s *session) knownProject() (string, error) {
	if project := s.project(); project != "" {
		return project, nil
	}
	return "", fault.New(fault.Invalid, "the connector has no project, and what it logs in with does not tell one").
		Hint("say it with --set %s=PROJECT", projectField.Name)
}

var locationName = field.Lazily(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// maxLabel is the longest part of a host name: locations are within one.
const maxLabel = 63

func isLocation(text string) bool { return len(text) <= maxLabel && locationName.MatchString(text) }

// checkLocation takes what can be a zone, a region or a multi-region; which there are, the
// services say.
func checkLocation(text string) (string, error) {
	text = strings.ToLower(text)
	if !isLocation(text) {
		return "", fault.New(fault.Invalid, "%q is not the name of a location", text).
			Hint("locations are named as in europe-west1, europe-west1-b or europe")
	}
	return text, nil
}

var zoneName = field.Lazily(`^([a-z]+(?:-[a-z]+)*-[a-z]+[0-9]+)-[a-z0-9]+$`)

// regionOf is the region that a zone is in; "" for what is no zone.
func regionOf(location string) string {
	if parts := zoneName.FindStringSubmatch(location); parts != nil {
		return parts[1]
	}
	return ""
}

// checkDomain takes a domain with or without a port. It is checked with a label in front,
// since that is how it is used.
func checkDomain(text string) (string, error) {
	const label = "service."
	name, err := registryname.Parse(label + text)
	if err != nil || strings.Contains(text, "/") {
		return "", fault.New(fault.Invalid, "it is not a domain").Hint("write it as DOMAIN[:PORT]")
	}
	return strings.TrimPrefix(name.String(), label), nil
}

// checkEndpoint brings the address of a service into the form https://HOST[:PORT][/PATH].
// Plain http is for services on this machine: questions and answers have tokens in them.
func checkEndpoint(text string) (string, error) {
	const plain = "http://"
	if len(text) < len(plain) || !strings.EqualFold(text[:len(plain)], plain) {
		return connector.ServerURL(text)
	}
	server, err := connector.ServerURL("https://" + text[len(plain):])
	if err != nil {
		return "", err
	}
	u, err := url.Parse(plain + text[len(plain):])
	switch {
	case err != nil || u.Port() == "443": // which goes without saying for https alone
		return "", fault.New(fault.Invalid, "the endpoint is plain HTTP at the port of HTTPS").Hint("write https")
	case !registryname.Loopback(u.Hostname()):
		return "", fault.New(fault.Invalid, "the endpoint is plain HTTP, which would show tokens to everyone on the way").
			Hint("use https; http is for services on this machine: localhost, 127.0.0.1")
	}
	return plain + strings.TrimPrefix(server, "https://"), nil
}

func checkCertificates(text string) (string, error) {
	pem, err := hop.Certificates(text)
	return pem, fault.WithHint(err, "give a file of certificates in PEM format: --set ca_bundle=@ca.pem")
}

// linkPattern matches what Google calls a resource of a service that lies in a location:
// projects/P/locations/L/COLLECTION/NAME, also with the service in front, and as the link
// to itself that its API has for it. The groups are project, location and name.
// https://cloud.google.com/apis/design/resource_names
func linkPattern(service, locations, collection string) field.Pattern {
	return field.Lazily(`^(?:https://[a-z0-9-]*` + service + `[a-z0-9-]*\.[a-z0-9.:-]+/v1(?:beta[0-9]+)?/|//` + service + `\.[a-z0-9.-]+/)?` +
		`projects/([^/]+)/(?:` + locations + `)/([^/]+)/` + collection + `/([^/]+)$`)
}

// link takes a resource's link apart; ok is false where a text is none. Whether its parts
// are names of anything is checked by those who ask.
func link(pattern field.Pattern, text string) (project, location, name string, ok bool) {
	parts := pattern().FindStringSubmatch(text)
	if parts == nil {
		return "", "", "", false
	}
	return parts[1], parts[2], parts[3], true
}
