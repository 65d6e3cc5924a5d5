package awstest

import (
	"net/http"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// services lists the services, each in its own file. Requests without a signature are
// offered to them in this order.
func (s *Server) services() []*service {
	s.others = newOthers()
	return []*service{s.sts(), ssoService(), ssoLoginService(), ecrService(), ecrPublicService(), eksService(), s3Service()}
}

// others is the state of the services beside STS. Server.mu guards it.
type others struct {
	pageKey    faketest.Pages
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
	return others{
		pageKey:    faketest.NewPages(),
		registries: map[registryKey]*ecrRegistry{}, tokens: map[string]*registryToken{}, publicOnes: map[string]*publicRegistry{},
		clusters: map[clusterKey]*cluster{}, buckets: map[bucketKey]*bucket{},
		sso: map[string]*identityCenter{}, ssoClients: map[string]*ssoClient{}, storage: map[string]http.Handler{},
	}
}
