package gcp

// The OAuth scopes that tokens are asked for.
// https://developers.google.com/identity/protocols/oauth2/scopes
const (
	// scopeCloud is all that the identity may do, and lets a service see its address:
	// without the second, GKE knows people by a number.
	scopeCloud = "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email"
	// Registries take the scopes of Cloud Storage, where they began: nodes of GKE pull with
	// the first, docker-credential-gcr pushes with the second.
	// https://cloud.google.com/artifact-registry/docs/access-control
	scopeStorageRead  = "https://www.googleapis.com/auth/devstorage.read_only"
	scopeStorageWrite = "https://www.googleapis.com/auth/devstorage.read_write"
)

// fullScope is how Google answers scopes of OpenID Connect that were asked for by their
// short names. https://developers.google.com/identity/protocols/oauth2/scopes#oauth2
var fullScope = map[string]string{
	"email":   "https://www.googleapis.com/auth/userinfo.email",
	"profile": "https://www.googleapis.com/auth/userinfo.profile",
}
