package gcptest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Repository says what a repository of Artifact Registry is. The zero value is a standard
// one of Docker images that is open to nobody.
type Repository struct {
	Format string // DOCKER, MAVEN, NPM, PYTHON, GENERIC …; "" is DOCKER
	Mode   string // STANDARD, VIRTUAL or REMOTE; "" is STANDARD. Nothing can be pushed to the others.
	Public bool   // anybody may pull from it, without a login
}

type repositoryKey struct {
	project        *Project
	location, name string
}

type repository struct {
	Repository
	repositoryKey
	created time.Time
}

// Repository makes a repository of the project, or changes it. The location is a region or
// "us", "europe" or "asia". The repositories called gcr.io and us.gcr.io (in us), eu.gcr.io
// (in europe) and asia.gcr.io (in asia) are what those hosts have. A name or a location
// that no repository may have makes every list of the project's repositories fail and say
// so.
func (p *Project) Repository(location, name string, r Repository) {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(registryLocations, location) || !isRepositoryName(location, name) {
		p.mistake(registryName, "no repository can be called %q, or none can be in %q", name, location)
		return
	}
	r.Format, r.Mode = cmp.Or(r.Format, "DOCKER"), cmp.Or(r.Mode, "STANDARD")
	key := repositoryKey{p, location, name}
	s.others.repositories[key] = &repository{r, key, s.now()}
}

// path is the resource name of the repository.
func (k repositoryKey) path() string {
	return "projects/" + k.project.id + "/locations/" + k.location + "/repositories/" + k.name
}

// described is the repository as the API has it.
// https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories#Repository
func (r *repository) described() map[string]any {
	created := r.created.UTC().Format(time.RFC3339Nano)
	out := map[string]any{
		"name": r.path(), "format": r.Format, "mode": r.Mode + "_REPOSITORY", "createTime": created, "updateTime": created,
		"registryUri": r.host() + "/" + strings.ReplaceAll(r.project.id, ":", "/") + "/" + r.name,
	}
	if _, legacy := dockerHosts[r.name]; legacy {
		out["registryUri"] = r.name + "/" + strings.ReplaceAll(r.project.id, ":", "/")
	}
	return out
}

// host is where clients of the format find the repository.
func (r *repository) host() string {
	return r.location + "-" + strings.ToLower(r.Format) + ".pkg.dev"
}
