package gcptest

import (
	"net/http"
	"slices"
	"strings"
)

// Provider is whose identities a pool takes: exactly one of Issuer and AWS.
type Provider struct {
	// Issuer's tokens are taken; nil is for AWS.
	Issuer *Issuer
	// Audiences are what the tokens may be for; nil is the provider's own name, with
	// "https:" before it or without.
	Audiences []string
	// AWS answers in the place of AWS's Security Token Service: it is given the signed
	// request GetCallerIdentity, which has no body, and tells whose the signature is. The
	// request's URL and Host are AWS's. It must not call methods of the Server that asks.
	AWS func(*http.Request) (arn string, err error)
	// Attributes are what members can be told apart by besides the subject: the name of
	// each, as in principalSet://…/attribute.NAME/VALUE, and the claim that it is. Those of
	// AWS are arn and account.
	Attributes map[string]string
	// Condition refuses identities by their claims; nil refuses nobody.
	Condition func(claims map[string]any) bool
	// Disabled refuses everybody.
	Disabled bool
}

// pool is a pool of identities: of a project's workloads, or of an organisation's people.
type pool struct {
	name      string // the resource: projects/N/locations/global/workloadIdentityPools/P
	providers map[string]*Provider
}

const iamPrefix = "//iam." + defaultUniverse + "/"

// WorkloadPool makes a workload identity pool and a provider in it, or changes it, and
// returns the audience that subject tokens are exchanged for:
// //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER.
// Who comes through it is principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT.
// https://cloud.google.com/iam/docs/workload-identity-federation
func (p *Project) WorkloadPool(pool, provider string, w Provider) (audience string) {
	return p.server.pool("projects/"+p.number+"/locations/global/workloadIdentityPools/"+pool, provider, w)
}

// WorkforcePool is WorkloadPool for the people of an organisation:
// //iam.googleapis.com/locations/global/workforcePools/POOL/providers/PROVIDER.
// https://cloud.google.com/iam/docs/workforce-identity-federation
func (s *Server) WorkforcePool(pool, provider string, w Provider) (audience string) {
	return s.pool("locations/global/workforcePools/"+pool, provider, w)
}

func (s *Server) pool(name, provider string, w Provider) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pools[name] == nil {
		s.pools[name] = &pool{name: name, providers: map[string]*Provider{}}
	}
	s.pools[name].providers[provider] = &w
	return s.pools[name].audience(provider)
}

func (p *pool) audience(provider string) string { return iamPrefix + p.name + "/providers/" + provider }

// poolOf is the pool and the provider of an audience; nil is none. The caller holds the
// lock.
func (s *Server) poolOf(audience string) (*pool, *Provider) {
	name, ok := strings.CutPrefix(audience, iamPrefix)
	if !ok {
		return nil, nil
	}
	name, provider, _ := strings.Cut(name, "/providers/")
	if p := s.pools[name]; p != nil {
		return p, p.providers[provider]
	}
	return nil, nil
}

// takes says whether a token for some audiences is for a provider.
func (w *Provider) takes(audiences []string, own string) bool {
	wanted := w.Audiences
	if wanted == nil {
		wanted = []string{own, "https:" + own}
	}
	return slices.ContainsFunc(audiences, func(audience string) bool { return slices.Contains(wanted, audience) })
}

// member is who comes through a pool with some claims.
func (p *pool) member(subject string, w *Provider, claims map[string]any) *principal {
	own := iamPrefix + p.name
	name := "principal:" + own + "/subject/" + subject
	sets := []string{"principalSet:" + own + "/*"}
	for attribute, claim := range w.Attributes {
		if value, ok := claims[claim].(string); ok {
			sets = append(sets, "principalSet:"+own+"/attribute."+attribute+"/"+value)
		}
	}
	return &principal{member: name, name: name, sets: sets}
}
