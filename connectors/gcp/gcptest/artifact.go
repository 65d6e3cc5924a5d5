package gcptest

import (
	"net/http"
	"slices"
	"strings"
)

const registryName = "artifactregistry"

func artifactRegistryService() *service {
	// gcloud asks for locations in the version before.
	const location, before = "/v1/projects/{project}/locations", "/v1beta2/projects/{project}/locations"
	const repository = location + "/{location}/repositories"
	return &service{
		name: registryName, api: "artifactregistry.googleapis.com", title: "Artifact Registry API",
		operations: []operation{
			{action: "locations.list", method: http.MethodGet, path: location, run: listLocations},
			{action: "locations.list", method: http.MethodGet, path: before, run: listLocations},
			{action: "repositories.list", method: http.MethodGet, path: repository, run: listRepositories},
			{action: "repositories.get", method: http.MethodGet, path: repository + "/{repository}", run: getRepository},
		},
	}
}

// maxRepositories is how many items a page of Artifact Registry has at most.
const maxRepositories = 1000

// pageSize is how many items the caller asks for; 0 is no number.
func (r *request) pageSize() (int, error) { return r.most("pageSize", maxRepositories) }

func listLocations(r *request) (answer, error) {
	parent := "projects/" + r.project()
	if err := r.allow("artifactregistry.locations.list", resource{project: r.project(), name: parent}); err != nil {
		return answer{}, err
	}
	most, err := r.pageSize()
	if err != nil {
		return answer{}, err
	}
	found, next, err := page(r, nil, slices.Clone(registryLocations), strings.Clone, most)
	if err != nil {
		return answer{}, err
	}
	return answerJSON(listing{}.with("locations", describe(found, func(id string) any {
		return map[string]any{"name": parent + "/locations/" + id, "locationId": id, "displayName": id}
	})).next(next))
}

// checkRegistryLocation refuses a location where Artifact Registry is not. Unlike many
// APIs, it has none that stands for all.
func checkRegistryLocation(location string) error {
	if !slices.Contains(registryLocations, location) {
		return invalid("Invalid location: %q is not a supported location.", location)
	}
	return nil
}

func listRepositories(r *request) (answer, error) {
	location := r.vars["location"]
	if err := checkRegistryLocation(location); err != nil {
		return answer{}, err
	}
	parent := resource{project: r.project(), name: "projects/" + r.project() + "/locations/" + location}
	if err := r.allow("artifactregistry.repositories.list", parent); err != nil {
		return answer{}, err
	}
	p, err := r.flawless(r.project())
	if err != nil {
		return answer{}, err
	}
	most, err := r.pageSize()
	if err != nil {
		return answer{}, err
	}
	var all []*repository
	for key, one := range r.server.others.repositories {
		if key.project == p && key.location == location {
			all = append(all, one)
		}
	}
	found, next, err := page(r, nil, all, func(one *repository) string { return one.name }, most)
	if err != nil {
		return answer{}, err
	}
	return answerJSON(listing{}.with("repositories", describe(found, func(one *repository) any { return one.described() })).next(next))
}

func getRepository(r *request) (answer, error) {
	location, name := r.vars["location"], r.vars["repository"]
	if err := checkRegistryLocation(location); err != nil {
		return answer{}, err
	}
	if !isRepositoryName(location, name) {
		return answer{}, invalid("Invalid repository name: %q", name)
	}
	whole := "projects/" + r.project() + "/locations/" + location + "/repositories/" + name
	if err := r.allow("artifactregistry.repositories.get", resource{project: r.project(), name: whole}); err != nil {
		return answer{}, err
	}
	one := r.server.others.repositories[repositoryKey{r.server.projectOf(r.project()), location, name}]
	if one == nil {
		return answer{}, notFound("Requested entity was not found.")
	}
	return answerJSON(one.described())
}
