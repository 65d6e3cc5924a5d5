// Package gcp is the connector type for projects of Google Cloud, and of its universes.
//
// It turns whatever a person has to log in with into access tokens, narrowed to what they
// are for wherever Google can do that: by an access boundary for a bucket, by scope for
// registries. It takes every expiry from the service. It refuses to hand out a key where
// a token will do, to look at the environment of whoever started the process, and to ask a
// metadata service that nobody named.
//
// Tokens are got by golang.org/x/oauth2. The APIs are asked by plain JSON (client.go):
// google.golang.org/api would bring gRPC and OpenTelemetry with it, 14 MiB of program and
// 9 MiB of memory in an agent that shall stay below 40, for seven calls.
package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
)

const typeName = "gcp"

// The names of the resource types.
const (
	genericType  = "gcp-generic"
	bucketType   = "gcs-bucket"
	clusterType  = "kubernetes-cluster"
	registryType = "docker-registry"
)

// Type is the connector type. The value is new at every call and never changes.
func Type() *connector.Type {
	return &connector.Type{
		Name:       typeName,
		Title:      "GCP Service Connector",
		Icon:       "🔵",
		Doc:        typeDoc,
		Methods:    declaredMethods(),
		Resources:  declaredKinds(),
		Detect:     detect,
		MethodHint: true,
		Open:       open,
	}
}

const typeDoc = `The GCP service connector logs in to one project of Google Cloud. From it, gcloud, Terraform and every SDK get access tokens, docker gets logins of Artifact Registry, and kubectl gets tokens of GKE clusters: tokens of an hour at most, those for a bucket good for that bucket alone, while keys and refresh tokens stay in the secret store.

Prefer an auth method without a long-lived key. impersonation needs none where its source is a person or another identity; external-account takes the identity of another cloud or of a CI system. user-account is a person's own login. service-account keeps a key, and hands out tokens in its place.

A connector has one project. Buckets, clusters and repositories are looked for in all its locations. Other universes than googleapis.com, private endpoints and services that merely speak Google's protocols have fields.

Auto-configuration takes over what Google's libraries would use here: the application default credentials, of whatever kind, or the active configuration of gcloud. These fields steer it:

* credentials_file: the file to take, rather than GOOGLE_APPLICATION_CREDENTIALS or the one that gcloud keeps.
* gcloud_configuration, gcloud_folder: the configuration of gcloud to take, rather than application default credentials, and the folder that it is in.
* credential_source=metadata, metadata_host: the metadata server of a virtual machine, which is asked only then or on a machine that says it is one of Google's.
* project_id and all other fields of the auth method that are not secret: set as they are, in place of what was found.`
