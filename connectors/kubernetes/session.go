package kubernetes

import (
	"context"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// patience bounds what an API server is asked of by a caller who sets no deadline.
const patience = 30 * time.Second

// session is an opened connector.
type session struct {
	client *client
	login  authenticator
}

var _ connector.Renewing = (*session)(nil)

func open(host connector.Host, settings connector.Settings) (connector.Session, error) {
	return openWith(host, settings, hop.Pause)
}

// openWith is open with a way to wait, which tests do without.
func openWith(host connector.Host, settings connector.Settings, pause func(context.Context, time.Duration) error) (*session, error) {
	endpoint := endpointOf(settings.Values)
	if endpoint.Insecure && endpoint.CertificateAuthority != "" {
		return nil, fault.New(fault.Invalid, "certificate_authority says whom to trust, and insecure to trust anyone").
			Hint("leave one of the two out")
	}
	c, err := newClient(host, endpoint)
	if err != nil {
		return nil, err
	}
	c.pause = pause
	login, err := login(host, settings)
	if err != nil {
		return nil, err
	}
	return &session{client: c, login: login}, nil
}

// Verify asks the API server who it says that we are.
func (s *session) Verify(ctx context.Context) (connector.Identity, error) {
	if v, ok := s.login.(verifying); ok {
		return v.verify(ctx, s.client)
	}
	proof, err := s.prove(ctx, 0)
	if err != nil {
		return connector.Identity{}, err
	}
	return s.client.whoIs(ctx, proof)
}

// List yields the one cluster; it asks nobody.
func (s *session) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	if err := checkResourceType(resourceType); err != nil {
		return err
	}
	return yield(connector.Resource{Type: resourceName, Name: s.client.endpoint.Cluster})
}

// Mint gets what is presented to the API server.
func (s *session) Mint(ctx context.Context, request connector.Request) (connector.Credential, error) {
	if err := checkResourceType(request.ResourceType); err != nil {
		return nil, err
	}
	if request.ResourceName != s.client.endpoint.Cluster {
		return nil, fault.New(fault.Invalid, "the connector only reaches the cluster %s, not %q", s.client.endpoint.Cluster, request.ResourceName)
	}
	proof, err := s.prove(ctx, request.Lifetime)
	if err != nil {
		return nil, err
	}
	return connector.KubernetesAuth{
		Endpoint:          s.client.endpoint,
		Token:             proof.token,
		ClientCertificate: proof.certificate,
		ClientKey:         proof.key,
		Expires:           proof.expires,
	}, nil
}

// Renewed implements connector.Renewing.
func (s *session) Renewed() map[string]secret.Text {
	if r, ok := s.login.(renewing); ok {
		return r.renewed()
	}
	return nil
}

// prove is the auth method's prove, held to what the proof says of its own end.
func (s *session) prove(ctx context.Context, lifetime time.Duration) (proof, error) {
	p, err := s.login.prove(ctx, s.client, lifetime)
	if err != nil {
		return proof{}, err
	}
	return s.client.unexpired(p)
}

// unexpired sets the true end of a proof, and refuses one that is over.
func (c *client) unexpired(p proof) (proof, error) {
	p.expires = p.end()
	if !p.expires.IsZero() && !p.expires.After(c.now()) {
		return proof{}, fault.New(fault.Denied, "the credentials for cluster %s have expired: they were good until %s",
			c.endpoint.Cluster, p.expires.UTC().Format(time.RFC3339)).
			Hint("give the connector new ones with `svcconn update`; the auth methods service-account, client-certificate-request, oidc and exec get new ones by themselves")
	}
	return p, nil
}

func checkResourceType(name string) error {
	if name != resourceName {
		return fault.New(fault.Invalid, "the connector only reaches resources of type %s, not %q", resourceName, name)
	}
	return nil
}
