package gcp

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// registryUser is the user name of all logins with an access token.
// https://cloud.google.com/artifact-registry/docs/docker/authentication#token
const registryUser = "oauth2accesstoken"

// registryKind is the registries and repositories of Artifact Registry.
func registryKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  registryType,
			Title: "GCP Artifact Registry",
			Icon:  "🐳",
			Doc: `Allows docker and all other clients of container registries to pull from and push to Artifact Registry, with access tokens as logins. A token is good for whatever the identity may pull and push, on all hosts; it is narrowed to the scopes of registries, and to pulling or pushing, where the auth method can do that.

A connector lists the Docker repositories of its project in all locations, or in those of the field locations, and serves the hosts of all locations. It serves gcr.io hosts with its project behind them; bare ones are everyone's, since public images are there: a connector serves one that was pinned to it (svcconn login docker --connector) or that it was registered for (--resource-name gcr.io).`,
			Formats: []string{
				"LOCATION-docker.pkg.dev[/PROJECT[/REPOSITORY]] (a path behind the repository does not count)",
				"projects/PROJECT/locations/LOCATION/repositories/REPOSITORY, and the links that end with it",
				"[us.|eu.|asia.]gcr.io[/PROJECT]",
			},
			Permissions: []string{
				"artifactregistry.locations.list and artifactregistry.repositories.list, to list repositories; artifactregistry.repositories.get, for a connector for one",
				"to pull: artifactregistry.repositories.downloadArtifacts",
				"to push also: artifactregistry.repositories.uploadArtifacts; to gcr.io hosts where nothing has been pushed yet, artifactregistry.repositories.createOnPush",
			},
			Instances: true,
			Parse: func(values field.Values, name string) (string, error) {
				r, err := parseRegistry(values, name)
				if err != nil {
					return "", err
				}
				return r.name(), nil
			},
			Serves:   servesRegistry,
			Username: func(field.Values) string { return registryUser },
		},
		list: listRegistries,
		mint: mintRegistry,
	}
}

// servesRegistry reads an address as a name is read. Bare gcr.io hosts are everyone's:
// only those who registered one serve it. A path tells the project: it has to be the
// connector's own, and known.
func servesRegistry(settings connector.Settings, address string) (string, bool) {
	r, err := registryOfAddress(settings.Values, address)
	if err != nil || r.project != "" && projectField.Get(settings.Values) == "" {
		return "", false
	}
	name, own := r.name(), ""
	if settings.ResourceType == registryType {
		own = settings.ResourceName
	}
	if own == "" {
		return name, !r.gcr || r.project != ""
	}
	return own, name == own || strings.HasPrefix(name, own+"/")
}

func listRegistries(ctx context.Context, s *session, yield func(string) error) error {
	if _, err := domainOfRegistries(s.values, s.universe()); err != nil {
		return err
	}
	project, err := s.knownProject()
	if err != nil {
		return err
	}
	t, err := s.tokenFor(ctx, purpose{})
	if err != nil {
		return err
	}
	if name := s.settings.ResourceName; name != "" {
		return s.listRegistry(ctx, t, name, yield)
	}
	locations, err := s.registryLocations(ctx, t, project)
	if err != nil {
		return err
	}
	var listings []connector.Listing
	for _, location := range locations {
		listings = append(listings, connector.Listing{Where: "location " + location, List: func(ctx context.Context, yield func(string) error) error {
			return s.repositoriesIn(ctx, t, project, location, yield)
		}})
	}
	return connector.ListTogether(ctx, yield, listings)
}

// registryLocations are where to look for repositories: in those of the field, which may
// have zones among them for the sake of clusters, or in all that there are.
func (s *session) registryLocations(ctx context.Context, t token, project string) ([]string, error) {
	var out []string
	if wanted := locationsField.Get(s.values); len(wanted) > 0 {
		for _, location := range wanted {
			if region := regionOf(location); region != "" {
				location = region
			}
			out = append(out, location)
		}
		slices.Sort(out)
		return slices.Compact(out), nil
	}
	type page struct {
		Locations     []struct{ LocationID string }
		NextPageToken string
	}
	question := call{
		api: registryAPI, path: "/v1/projects/" + project + "/locations", bearer: t, query: paged("pageSize", "locations(locationId),nextPageToken"),
	}
	err := everyPage(ctx, s.clients, question, func(p page) (string, error) {
		for _, l := range p.Locations {
			if registryPlace.MatchString(l.LocationID) {
				out = append(out, l.LocationID)
			}
		}
		return p.NextPageToken, nil
	})
	return out, fault.WithHint(err, "say where to look, if the identity may not ask that: --set %s=LOCATION,LOCATION", locationsField.Name)
}

// describedRepository is a repository as Artifact Registry describes it.
type describedRepository struct{ Name, Format string }

// formatDocker is that of repositories that docker can be used with.
const formatDocker = "DOCKER"

// repositoriesIn lists the repositories of one location.
func (s *session) repositoriesIn(ctx context.Context, t token, project, location string, yield func(string) error) error {
	type page struct {
		Repositories  []describedRepository
		NextPageToken string
	}
	question := call{
		api: registryAPI, path: repositoriesPath(project, location), bearer: t, query: paged("pageSize", "repositories(name,format),nextPageToken"),
	}
	return everyPage(ctx, s.clients, question, func(p page) (string, error) {
		for _, one := range p.Repositories {
			r, err := repositoryIn(s.values, project, location, one.Name[strings.LastIndexByte(one.Name, '/')+1:])
			if err != nil || one.Format != formatDocker {
				continue
			}
			if err := yield(r.name()); err != nil {
				return "", err
			}
		}
		return p.NextPageToken, nil
	})
}

func repositoriesPath(project, location string) string {
	return "/v1/projects/" + project + "/locations/" + location + "/repositories"
}

// listRegistry asks about one repository alone. Of a host without a repository, it asks
// whether repositories may be listed there.
func (s *session) listRegistry(ctx context.Context, t token, name string, yield func(string) error) error {
	r, err := s.ownRegistry(name)
	if err != nil {
		return err
	}
	question := call{api: registryAPI, path: repositoriesPath(s.project(), r.location), bearer: t, query: url.Values{"pageSize": {"1"}, "fields": {"repositories(name)"}}}
	if r.repository != "" {
		question.path += "/" + r.repository
		question.query = url.Values{"fields": {"name,format"}}
	}
	var got describedRepository
	if err := s.ask(ctx, question, &got); err != nil {
		return fault.Within(err, "registry %s", name)
	}
	if r.repository != "" && got.Format != formatDocker {
		return fault.New(fault.Invalid, "%s is not a Docker repository: its format is %q", name, hop.OneLine(got.Format)).
			Hint("`svcconn list-resources` lists those that are, with a connector for the project")
	}
	return yield(name)
}

// ownRegistry is a registry of the connector's project, which may not have been known when
// the name was read.
func (s *session) ownRegistry(name string) (registry, error) {
	r, err := parseRegistry(s.values, name)
	if err != nil || r.project == "" {
		return r, err
	}
	return r, ofProject(s.project(), "the registry", r.project)
}

// mintRegistry hands out an access token as a login: nobody is asked for more.
func mintRegistry(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
	if _, err := domainOfRegistries(s.values, s.universe()); err != nil {
		return nil, err
	}
	r, err := s.ownRegistry(request.ResourceName)
	if err != nil {
		return nil, err
	}
	scope := scopeStorageWrite
	if request.Access == connector.ReadOnly {
		scope = scopeStorageRead
	}
	t, err := s.tokenFor(ctx, purpose{scope: scope, lifetime: request.Lifetime})
	if err != nil {
		return nil, err
	}
	return connector.RegistryLogin{Registry: r.host, Username: registryUser, Secret: t.text, Expires: t.expires}, nil
}
