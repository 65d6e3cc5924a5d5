package docker

import (
	"context"
	"net/http"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// session is an opened connector. Nothing in it changes.
type session struct {
	registry  registryname.Name
	username  string
	password  secret.Text
	insecure  bool
	transport http.RoundTripper // retries, and refuses plain HTTP where it must
}

var _ connector.Session = (*session)(nil)

func open(host connector.Host, settings connector.Settings) (connector.Session, error) {
	return openWith(host, settings, hop.Pause)
}

// openWith is open with a way to wait, which tests do without.
func openWith(host connector.Host, settings connector.Settings, pause func(context.Context, time.Duration) error) (*session, error) {
	name, err := registryname.Parse(registry.Get(settings.Values))
	if err != nil {
		return nil, fault.Within(err, "field %s", registry.Name)
	}
	s := &session{
		registry: name,
		username: username.Get(settings.Values),
		password: password.Get(settings.Values),
		insecure: insecure.Get(settings.Values),
	}
	certificates := authority.Get(settings.Values)
	if s.insecure && certificates != "" {
		return nil, fault.New(fault.Invalid, "certificate_authority says whom to trust, and insecure to trust anyone").
			Hint("leave one of the two out")
	}
	base, err := trusting(host.HTTP, certificates, s.insecure)
	if err != nil {
		return nil, err
	}
	s.transport = retrying(plainGuard{inner: base, allowed: s.insecure}, host.Now, pause)
	return s, nil
}

// List yields the one registry; it asks nobody.
func (s *session) List(_ context.Context, resourceType string, yield func(connector.Resource) error) error {
	if err := checkResourceType(resourceType); err != nil {
		return err
	}
	return yield(connector.Resource{Type: resourceName, Name: s.registry.String()})
}

// Mint hands out the stored login. It asks nobody: what is stored is what docker is
// meant to present, and whether the registry still takes it docker learns at once.
func (s *session) Mint(_ context.Context, request connector.Request) (connector.Credential, error) {
	if err := checkResourceType(request.ResourceType); err != nil {
		return nil, err
	}
	if request.ResourceName != s.registry.String() {
		return nil, fault.New(fault.Invalid, "the connector only reaches the registry %s, not %q", s.registry, request.ResourceName)
	}
	if request.Lifetime != 0 {
		return nil, fault.New(fault.Invalid, "a stored login has no lifetime that can be asked for")
	}
	return connector.RegistryLogin{Registry: s.registry.String(), Username: s.username, Secret: s.password}, nil
}

func checkResourceType(name string) error {
	if name != resourceName {
		return fault.New(fault.Invalid, "the connector only reaches resources of type %s, not %q", resourceName, name)
	}
	return nil
}
