package gcp

import (
	"github.com/svcconn/svcconn/pkg/field"
)

// defaultUniverse is Google's own cloud.
const defaultUniverse = "googleapis.com"

// What the field cluster_endpoint chooses from.
const (
	endpointAuto    = "auto"
	endpointDNS     = "dns"
	endpointPublic  = "public"
	endpointPrivate = "private"
)

// The fields that all auth methods have: which project it is, and where Google is.
var (
	projectField = field.String{
		Name: "project_id", Title: "project", Example: "my-project-123", Check: checkProject,
		Help: "The project of the connector: its id, not its number or name.",
	}
	quotaProjectField = field.String{
		Name: "quota_project_id", Title: "quota project", Example: "my-billing-project", Check: checkProject,
		Help: "The project that requests are billed to and counted against, where it is not the one that they are about. " +
			"The identity needs serviceusage.services.use there.",
	}
	locationsField = field.List{
		Name: "locations", Title: "locations", Example: "europe-west1,europe", Check: checkLocation,
		Help: "The locations to look for clusters and repositories in. Left out, it is all that there are.",
	}
	clusterEndpointField = field.String{
		Name: "cluster_endpoint", Title: "endpoint of clusters", Default: endpointAuto,
		Choices: []string{endpointAuto, endpointDNS, endpointPublic, endpointPrivate},
		Help: "How the API servers of clusters are reached: by the name that Google's frontends answer for (dns), by the public address, or by the private one " +
			"from within the network. auto takes the first of these three that the cluster has and lets be used.",
	}
	universeField = field.String{
		Name: "universe_domain", Title: "universe", Example: "apis-berlin-build0.goog", Check: checkDomain,
		Help: "The domain of the APIs, in clouds that are Google's but not its own. What the connector logs in with may tell it; else it is " + defaultUniverse + ".",
	}
	endpointStorage     = serviceEndpoint("storage", "Cloud Storage")
	endpointContainer   = serviceEndpoint("container", "Kubernetes Engine")
	endpointRegistry    = serviceEndpoint("artifactregistry", "Artifact Registry")
	endpointCredentials = serviceEndpoint("iamcredentials", "IAM's credentials")
	endpointSTS         = serviceEndpoint("sts", "the Security Token Service")
	endpointOAuth       = serviceEndpoint("oauth2", "the authorization server, which tells whose a token is and gives persons theirs")
	registryDomain      = field.String{
		Name: "registry_domain", Title: "domain of registries", Example: "pkg-berlin-build0.goog", Check: checkDomain,
		Help: "The domain of Artifact Registry's hosts, where it is not pkg.dev: they are LOCATION-docker.DOMAIN.",
	}
	authorityField = field.String{
		Name: "ca_bundle", Title: "certificate authority", Check: checkCertificates,
		Help: "The certificate, or several, of the certificate authority that signs the endpoints' certificates, as PEM, where it is not " +
			"one of the system's: --set ca_bundle=@ca.pem.",
	}
)

func serviceEndpoint(service, title string) field.String {
	return field.String{
		Name: "api_endpoint_" + service, Title: "endpoint of " + title, Example: "https://" + service + "-psc.p.googleapis.com", Check: checkEndpoint,
		Help: "The address of " + title + ", where it is not the universe's own: a Private Service Connect endpoint, for one.",
	}
}

// commonFields are the fields of all auth methods; they come behind the method's own. The
// project is left out where what a method logs in with tells it.
func commonFields(tellsProject bool) field.Set {
	project := projectField
	project.Required = !tellsProject
	if tellsProject {
		project.Help += " Left out, it is found out at registration, from what the connector logs in with."
	}
	return field.Set{
		project, quotaProjectField, locationsField, clusterEndpointField, universeField,
		endpointStorage, endpointContainer, endpointRegistry, endpointCredentials, endpointSTS, endpointOAuth,
		registryDomain, authorityField,
	}
}
