package gcp

import (
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/connectortest"
	"github.com/svcconn/svcconn/pkg/secret"
)

// named is a connector that names are read by; nothing is behind it.
func named(t string, name string, change map[string]any) connector.Spec {
	out := connector.Spec{Type: typeName, Method: methodToken, ResourceType: t, ResourceName: name}
	out.Values.Set("project_id", "my-project")
	for field, value := range change {
		out.Values.Set(field, value)
	}
	out.Values.SetSecret(tokenField.Name, secret.New("ya29.canary-Qm7xT2vK9sWc"))
	return out
}

func conformanceNames() []connectortest.Name {
	scoped := named("", "", map[string]any{"project_id": "example.com:my-project"})
	berlin := named("", "", map[string]any{
		"project_id": "eu0:my-project", "universe_domain": "apis-berlin-build0.goog", "registry_domain": "pkg-berlin-build0.goog",
	})
	return []connectortest.Name{
		{
			ResourceType: genericType, Spec: named("", "", nil),
			Good: map[string]string{"my-project": "my-project", "example.com:my-project": "example.com:my-project"},
			Bad:  []string{"123456789012", "My-Project", "my_project", "projects/my-project", "abc"},
		},
		{
			ResourceType: bucketType, Spec: named("", "", nil),
			Good: map[string]string{
				"zenfiles": "gs://zenfiles", "gs://zenfiles": "gs://zenfiles", "gs://zenfiles/a/b": "gs://zenfiles", "proj.appspot.com": "gs://proj.appspot.com",
				"my_bucket-1": "gs://my_bucket-1", "https://storage.googleapis.com/zenfiles/a": "gs://zenfiles", "https://zenfiles.storage.googleapis.com": "gs://zenfiles",
				"//storage.googleapis.com/projects/_/buckets/zenfiles": "gs://zenfiles", "https://console.cloud.google.com/storage/browser/zenfiles;tab=objects": "gs://zenfiles",
			},
			Bad: []string{"Zenfiles", "ab", "a..b", "10.0.0.1", "goog-files", "my-google-files", "s3://zenfiles", "gs://", "https://evil.tld/zenfiles", "https://storage.googleapis.com.evil.tld/zenfiles"},
		},
		{
			ResourceType: bucketType, Spec: berlin,
			Good: map[string]string{"https://storage.apis-berlin-build0.goog/zenfiles": "gs://zenfiles"}, Bad: []string{"https://storage.googleapis.com/zenfiles"},
		},
		{
			ResourceType: clusterType, Spec: named("", "", nil),
			Good: map[string]string{
				"staging": "staging", "europe-west1/staging": "europe-west1/staging", "europe-west1-b/staging": "europe-west1-b/staging",
				"projects/my-project/locations/europe-west1/clusters/staging":                                   "europe-west1/staging",
				"https://container.googleapis.com/v1/projects/my-project/zones/europe-west1-b/clusters/staging": "europe-west1-b/staging",
				"//container.googleapis.com/projects/my-project/locations/europe-west1/clusters/staging":        "europe-west1/staging",
				"gke_my-project_europe-west1_staging":                                                           "europe-west1/staging",
			},
			Bad: []string{
				"-a", "a.b", "A", "a/b/c", "-/staging", "gke_other-project_europe-west1_staging", "gke_my-project_staging",
				"projects/other-project/locations/europe-west1/clusters/staging", "projects/my-project/locations/europe-west1/nodePools/staging",
			},
		},
		{
			ResourceType: clusterType, Spec: scoped,
			Good: map[string]string{"gke_example.com:my-project_europe-west1_staging": "europe-west1/staging"}, Bad: []string{"gke_my-project_europe-west1_staging"},
		},
		{
			ResourceType: registryType, Spec: named("", "", nil),
			Good: map[string]string{
				euHost: euHost, "https://" + euHost + "/my-project/images/app": euHost + "/my-project/images", euHost + "/my-project": euHost + "/my-project",
				"projects/my-project/locations/europe-west1/repositories/images": euHost + "/my-project/images",
				"gcr.io": "gcr.io", "eu.gcr.io/my-project/app": "eu.gcr.io/my-project", "projects/my-project/locations/asia/repositories/asia.gcr.io": "asia.gcr.io/my-project",
			},
			Bad: []string{
				"docker.io", "docker.pkg.dev", "europe-west1-npm.pkg.dev", euHost + ".evil.tld", euHost + "/other-project/images", "gcr.io/other-project", euHost + "/my-project/UPPER",
				"projects/other-project/locations/europe-west1/repositories/images", "fr.gcr.io",
			},
		},
		{
			ResourceType: registryType, Spec: scoped,
			Good: map[string]string{
				euHost + "/example.com/my-project/images/app": euHost + "/example.com/my-project/images", "gcr.io/example.com/my-project": "gcr.io/example.com/my-project",
				"projects/example.com:my-project/locations/europe-west1/repositories/images": euHost + "/example.com/my-project/images",
			},
			Bad: []string{euHost + "/my-project/images", euHost + "/example.com:my-project/images"},
		},
		{
			ResourceType: registryType, Spec: berlin,
			Good: map[string]string{"u-germany-northeast1-docker.pkg-berlin-build0.goog/eu0/my-project/images": "u-germany-northeast1-docker.pkg-berlin-build0.goog/eu0/my-project/images"},
			Bad:  []string{euHost, "gcr.io"},
		},
	}
}

func conformanceAddresses() []connectortest.Address {
	return []connectortest.Address{
		{
			ResourceType: registryType, Spec: named("", "", nil),
			Serves: map[string]string{
				euHost: euHost, "https://" + euHost + "/": euHost, euHost + ":443": euHost, "Europe-West1-DOCKER.pkg.dev.": euHost, "us-docker.pkg.dev": "us-docker.pkg.dev",
				euHost + "/my-project": euHost + "/my-project", euHost + "/my-project/images/app": euHost + "/my-project/images", "gcr.io/my-project/app": "gcr.io/my-project",
			},
			Foreign: []string{
				"docker.io", "gcr.io", "us.gcr.io", "gcr.io/google-containers/pause", euHost + "/other-project/images", "europe-west1-npm.pkg.dev", "docker.pkg.dev", "pkg.dev",
				"x." + euHost, "storage.googleapis.com", "x-docker.pkg.dev.evil.tld", "projects/my-project/locations/us/repositories/images",
			},
		},
		{
			ResourceType: registryType, Spec: named(registryType, euHost+"/my-project/images", nil),
			Serves:  map[string]string{euHost + "/my-project/images": euHost + "/my-project/images", euHost + "/my-project/images/app": euHost + "/my-project/images"},
			Foreign: []string{euHost, euHost + "/my-project", euHost + "/my-project/images-2", "us-docker.pkg.dev/my-project/images"},
		},
		{
			ResourceType: registryType, Spec: named(registryType, "gcr.io", nil),
			Serves:  map[string]string{"gcr.io": "gcr.io", "https://gcr.io/v2/": "gcr.io", "gcr.io/my-project/app": "gcr.io"},
			Foreign: []string{"us.gcr.io", "gcr.io/other-project/app", euHost},
		},
	}
}
