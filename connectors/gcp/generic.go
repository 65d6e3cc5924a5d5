package gcp

import (
	"context"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/field"
)

// genericKind is whatever the identity may do, as an access token.
func genericKind() kind {
	return kind{
		ResourceType: connector.ResourceType{
			Name:  genericType,
			Title: "Generic GCP resource",
			Icon:  "🔵",
			Doc: `Allows gcloud, Terraform and everything else that is built on an SDK of Google's to do what the identity of the connector may do, with access tokens that are not scoped to a resource.

A connector has one such resource, named by its project. The tokens are good in every project that grants the identity something. For a bucket, a cluster or a registry alone, use its own resource type.`,
			Formats:     []string{"the field project_id, as in my-project-123"},
			Permissions: []string{"whatever the tokens will be used for"},
			Parse:       func(_ field.Values, name string) (string, error) { return checkProject(name) },
			Default:     projectField.Get,
			Gcloud:      gcloudSettings,
		},
		list: func(_ context.Context, s *session, yield func(string) error) error {
			project, err := s.knownProject()
			if err != nil {
				return err
			}
			return yield(project)
		},
		mint: func(ctx context.Context, s *session, request connector.Request) (connector.Credential, error) {
			t, err := s.tokenFor(ctx, purpose{lifetime: request.Lifetime})
			if err != nil {
				return nil, err
			}
			return s.handOut(t), nil
		},
	}
}

// gcloudPaths are the services that gcloud can be told the addresses of, and what it wants
// behind them. https://cloud.google.com/sdk/gcloud/reference/config/set
var gcloudPaths = []struct {
	api  api
	path string
}{{storageAPI, storagePath}, {containerAPI, ""}, {registryAPI, ""}, {credentialsAPI, ""}}

// gcloudSettings is what a configuration of gcloud says of where Google is.
func gcloudSettings(settings connector.Settings, _ string) connector.GcloudProperties {
	out := connector.GcloudProperties{Project: projectField.Get(settings.Values), QuotaProject: quotaProjectField.Get(settings.Values)}
	if universe := universeField.Get(settings.Values); universe != defaultUniverse {
		out.Universe = universe
	}
	for _, one := range gcloudPaths {
		address := one.api.endpoint.Get(settings.Values)
		if address == "" {
			continue
		}
		if out.Endpoints == nil {
			out.Endpoints = map[string]string{}
		}
		out.Endpoints[one.api.service] = address + one.path + "/"
	}
	return out
}
