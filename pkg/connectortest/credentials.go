package connectortest

import (
	"regexp"
	"slices"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
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
	case connector.AccessToken:
		r.leaksOf(map[string]secret.Text{"token": c.Token}, c)
		r.accessToken(settings, t, request, c)
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

func (r *run) accessToken(settings connector.Settings, t *connector.ResourceType, request connector.Request, c connector.AccessToken) {
	r.wrongIf(c.Token.IsEmpty() || c.Universe == "", "the token for %s is not whole: %v", request.ResourceName, c)
	if t.Gcloud == nil {
		r.wrong("resource type %s is reached with tokens, and nothing says what a configuration of gcloud has to say", t.Name)
		return
	}
	said := t.Gcloud(settings, request.ResourceName)
	r.wrongIf(said.Project != c.Project && said.Project != "", "a configuration for %s is of project %q, its token of %q", request.ResourceName, said.Project, c.Project)
}

// keyFiles checks that long-lived secrets are handed out to nobody who did not ask for
// them, and then whole, for all that they are good for.
func (r *run) keyFiles(c Case) {
	session, settings, ok := r.session(c, c.Good(r.T))
	if !ok || c.Unmintable {
		return
	}
	request, ok := r.request(c, settings)
	if !ok {
		return
	}
	request.KeyFile = true
	credential, err := session.Mint(r.Context(), request)
	r.leaks(settings, credential, err)
	switch c := credential.(type) {
	case nil:
		refused := fault.Is(err, fault.Denied) || fault.Is(err, fault.Invalid)
		r.wrongIf(!refused || fault.HintOf(err) == "", "asking for a key file is %q: %v", fault.KindOf(err), err)
	case connector.KeyFile:
		r.leaksOf(map[string]secret.Text{"key": c.JSON}, c)
		r.wrongIf(err != nil || c.JSON.IsEmpty(), "the key file is not whole: %v, %v", c, err)
	case connector.AccessToken: // the other kinds of credentials have no key files
		r.wrong("asked for a key file it gives a token")
	}
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
