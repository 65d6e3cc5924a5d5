package awstest

import (
	"crypto/rand"
	"net/http"
)

// services lists the services, each in its own file. Requests without a signature are
// offered to them in this order.
func (s *Server) services() []*service {
	s.others = newOthers()
	return []*service{s.sts(), ssoService(), ssoLoginService(), ecrService(), ecrPublicService(), eksService(), s3Service()}
}

// others is the state of the services beside STS. Server.mu guards it.
type others struct {
	pageKey    []byte                       // signs the tokens of pages
	registries map[registryKey]*ecrRegistry // ECR
	tokens     map[string]*registryToken    // by password
	publicOnes map[string]*publicRegistry   // ECR Public, by account
	clusters   map[clusterKey]*cluster
	buckets    map[bucketKey]*bucket
	sso        map[string]*identityCenter // by start URL
	ssoClients map[string]*ssoClient      // by client id
	storage    map[string]http.Handler    // OCI, by registry and repository
}

func newOthers() others {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return others{
		pageKey:    key,
		registries: map[registryKey]*ecrRegistry{}, tokens: map[string]*registryToken{}, publicOnes: map[string]*publicRegistry{},
		clusters: map[clusterKey]*cluster{}, buckets: map[bucketKey]*bucket{},
		sso: map[string]*identityCenter{}, ssoClients: map[string]*ssoClient{}, storage: map[string]http.Handler{},
	}
}
