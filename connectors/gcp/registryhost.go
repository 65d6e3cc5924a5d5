package gcp

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// registry is a host of Artifact Registry, or what of it is a project's, or one repository
// there.
type registry struct {
	host       string // as docker calls it, with the port where it is not 443
	location   string
	project    string // "" is not said
	repository string // "" is not said
	gcr        bool   // a gcr.io host, which has one repository of each project
}

// defaultRegistryDomain is the domain of the hosts in Google's own universe.
const defaultRegistryDomain = "pkg.dev"

// hostSuffix is what hosts have between their location and the domain.
const hostSuffix = "-docker."

// gcrLocations are the hosts of Container Registry, which is no more: they lead to
// repositories of Artifact Registry that have the host for a name, in these locations.
// https://cloud.google.com/artifact-registry/docs/transition/gcr-repositories
var gcrLocations = map[string]string{"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}

var (
	// registryPlace is a region, or one of what spans several; in universes other than
	// Google's own, regions have a prefix. It is narrower than locationName: in front of a
	// host, anything that is not a location would make another host.
	// https://cloud.google.com/artifact-registry/docs/repositories/repo-locations
	registryPlace = field.Lazily(`^(?:u-)?[a-z]{2,}(?:-[a-z]+[0-9]+)?$`)
	// https://cloud.google.com/artifact-registry/docs/repositories/create-repos
	repositoryName = field.Lazily(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	repositoryLink = linkPattern("artifactregistry", "locations", "repositories")
)

func isRepository(location, name string) bool {
	if only, gcr := gcrLocations[name]; gcr {
		return only == location
	}
	return repositoryName.MatchString(name)
}

// name is the canonical resource name.
func (r registry) name() string {
	out := r.host
	if r.project != "" {
		out += "/" + projectPath(r.project)
	}
	if r.repository != "" && !r.gcr {
		out += "/" + r.repository
	}
	return out
}

// domainOfRegistries is the domain of the hosts in a universe; "" is Google's own.
func domainOfRegistries(values field.Values, universe string) (string, error) {
	if own := registryDomain.Get(values); own != "" {
		return own, nil
	}
	if universe == "" || universe == defaultUniverse {
		return defaultRegistryDomain, nil
	}
	return "", fault.New(fault.Invalid, "the domain of the registries of universe %s is not known", universe).
		Hint("say it: the hosts are LOCATION-docker.DOMAIN, --set %s=DOMAIN", registryDomain.Name)
}

// parseRegistry reads the name of a registry or repository: an address, or a link. It
// refuses those of other projects, and says so.
func parseRegistry(values field.Values, text string) (registry, error) {
	project, location, repository, ok := link(repositoryLink, text)
	if !ok {
		return registryOfAddress(values, text)
	}
	if _, err := checkProject(project); err != nil {
		return registry{}, err
	}
	if err := ofProject(projectField.Get(values), "the registry", project); err != nil {
		return registry{}, err
	}
	return repositoryIn(values, project, location, repository)
}

// repositoryIn is a repository by what Artifact Registry calls it.
func repositoryIn(values field.Values, project, location, repository string) (registry, error) {
	domain, err := domainOfRegistries(values, universeField.Get(values))
	switch {
	case err != nil:
		return registry{}, err
	case !registryPlace.MatchString(location):
		return registry{}, fault.New(fault.Invalid, "%q is not a location of Artifact Registry", location)
	case !isRepository(location, repository):
		return registry{}, notARepository(repository)
	}
	if _, gcr := gcrLocations[repository]; gcr && domain == defaultRegistryDomain {
		return registry{repository, location, project, repository, true}, nil
	}
	return registry{location + hostSuffix + domain, location, project, repository, false}, nil
}

// registryOfAddress reads an address: a host, and what docker has behind it.
func registryOfAddress(values field.Values, text string) (registry, error) {
	host, path, err := registryname.Address(text)
	if err != nil {
		return registry{}, err
	}
	r, err := registryAt(values, host)
	if err != nil || path == "" {
		return r, err
	}
	project, rest, err := splitProject(projectField.Get(values), path)
	if err != nil {
		return registry{}, err
	}
	r.project = project
	if repository := firstSegment(rest); repository != "" && !r.gcr {
		if r.repository = repository; !isRepository(r.location, repository) {
			return registry{}, notARepository(repository)
		}
	}
	return r, ofProject(projectField.Get(values), "the registry", project)
}

// registryAt reads a host: LOCATION-docker.DOMAIN, or one of gcr.io. All of it is compared.
func registryAt(values field.Values, host string) (registry, error) {
	domain, err := domainOfRegistries(values, universeField.Get(values))
	if err != nil {
		return registry{}, err
	}
	if location, gcr := gcrLocations[host]; gcr && domain == defaultRegistryDomain {
		return registry{host: host, location: location, repository: host, gcr: true}, nil
	}
	location, ok := strings.CutSuffix(host, hostSuffix+domain)
	if !ok || !registryPlace.MatchString(location) {
		return registry{}, fault.New(fault.Invalid, "%s is not a host of Artifact Registry: those are LOCATION%s%s", host, hostSuffix, domain)
	}
	return registry{host: host, location: location}, nil
}

// splitProject takes the project off the front of a path. It has two segments where its id
// has a colon; where it is not the connector's own, how it looks has to tell.
func splitProject(own, path string) (project, rest string, err error) {
	if own != "" {
		if rest, ok := strings.CutPrefix(path+"/", projectPath(own)+"/"); ok {
			return own, strings.TrimSuffix(rest, "/"), nil
		}
	}
	first, rest, _ := strings.Cut(path, "/")
	if plainProject.MatchString(first) || projectNumber.MatchString(first) {
		_, err := checkProject(first)
		return first, rest, err
	}
	second, behind, _ := strings.Cut(rest, "/")
	if project := first + ":" + second; scopedProject.MatchString(project) {
		return project, behind, nil
	}
	return "", "", fault.New(fault.Invalid, "%q is not the id of a project", first).
		Hint("the path behind the host starts with the project; one with a colon in it is written with a slash")
}

func notARepository(name string) error {
	return fault.New(fault.Invalid, "%q is not the name of a repository: those have up to 63 lower-case letters, digits and hyphens, and start with a letter", name).
		Hint("give the repository alone, without tag and digest")
}
