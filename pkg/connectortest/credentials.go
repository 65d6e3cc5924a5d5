package connectortest

import (
	"regexp"
	"slices"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/secret"
)

// credential checks that a credential is whole, is for the resource and hides what is
// secret in it.
func (r *run) credential(settings connector.Settings, request connector.Request, c connector.Credential) {
	t := r.resourceType(request.ResourceType)
	if t == nil {
		return
	}
	switch c := c.(type) {
	case connector.RegistryLogin:
		r.leaksOf(map[string]secret.Text{"of the login": c.Secret}, c)
		r.wrongIf(c.Registry == "" || c.Username == "" || c.Secret.IsEmpty(), "the login of %s is not whole: %v", request.ResourceName, c)
		if t.Username != nil {
			said := t.Username(settings.Values)
			r.wrongIf(said != c.Username, "the user name %q of the login is not what was said, %q", c.Username, said)
		}
	case connector.KubernetesAuth:
		r.leaksOf(map[string]secret.Text{"token": c.Token, "key": c.ClientKey}, c)
		r.wrongIf(c.Token.IsEmpty() && c.ClientKey.IsEmpty() || (c.ClientCertificate == "") != c.ClientKey.IsEmpty(), "what is presented to %s is not whole: %v", request.ResourceName, c)
		r.wrongIf(c.Endpoint.Cluster != request.ResourceName || c.Endpoint.Server == "", "%s is reached at %+v", request.ResourceName, c.Endpoint)
	case connector.AWSKeys:
		r.leaksOf(map[string]secret.Text{"secret": c.SecretAccessKey, "token": c.SessionToken}, c)
		r.keys(settings, t, request, c)
	default:
		r.wrong("%s is reached with a %T, which is nil or unknown", request.ResourceName, c)
	}
}

var accountNumber = regexp.MustCompile(`^([0-9]{12})?$`)

func (r *run) keys(settings connector.Settings, t *connector.ResourceType, request connector.Request, k connector.AWSKeys) {
	r.wrongIf(k.AccessKeyID == "" || k.SecretAccessKey.IsEmpty() || k.Region == "", "the keys for %s are not whole: %v", request.ResourceName, k)
	r.wrongIf(!k.Expires.IsZero() && k.SessionToken.IsEmpty(), "the keys for %s end and have no session token", request.ResourceName)
	r.wrongIf(!accountNumber.MatchString(k.Account), "the keys for %s are of account %q", request.ResourceName, k.Account)
	if t.Profile == nil {
		r.wrong("resource type %s is reached with keys, and nothing says what a profile has to say", t.Name)
		return
	}
	r.wrongIf(t.Profile(settings, request.ResourceName).Region == "", "a profile for %s would have no region", request.ResourceName)
}

// mintingListed checks that there is a credential for whatever is listed, to read and to
// write; or that it is said what is missing.
func (r *run) mintingListed(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok || c.Unmintable {
		return
	}
	for _, name := range settings.ResourceTypes() {
		if slices.Contains(c.Without, name) {
			continue
		}
		err := session.List(r.Context(), name, func(resource connector.Resource) error {
			for _, access := range []connector.Access{connector.ReadOnly, connector.ReadWrite} {
				r.mintListed(session, settings, connector.Request{ResourceType: resource.Type, ResourceName: resource.Name, Access: access})
			}
			return nil
		})
		r.wrongIf(err != nil, "it lists no %s: %v", name, err)
	}
}

func (r *run) mintListed(session connector.Session, settings connector.Settings, request connector.Request) {
	credential, err := session.Mint(r.Context(), request)
	r.leaks(settings, credential, err)
	if err == nil {
		r.credential(settings, request, credential)
		return
	}
	r.wrong("it lists %s and mints nothing to %s it: %v", request.ResourceName, request.Access, err)
}
