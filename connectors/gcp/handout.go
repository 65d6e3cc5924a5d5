package gcp

import (
	"cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

// handOut is a token as a credential.
func (s *session) handOut(t token) connector.AccessToken {
	return connector.AccessToken{
		Token: t.text, Principal: cmp.Or(t.principal, s.identity.principal), Project: s.project(),
		QuotaProject: s.quotaProject(), Universe: s.universe(), Expires: t.expires,
	}
}

// keyFile is the long-lived secret itself, for a consumer that asks for it and a connector
// that was told to hand it out.
func (s *session) keyFile(request connector.Request) (connector.Credential, error) {
	if request.ResourceType != genericType {
		return nil, fault.New(fault.Invalid, "a key is good for all that its identity may do, and not for one %s", request.ResourceType).
			Hint("--resource-type %s", genericType)
	}
	k, ok := s.source.(keyed)
	if !ok {
		return nil, fault.New(fault.Invalid, "auth method %s has no key to hand out", s.settings.Method.Name).Hint("ask for a token: --format token")
	}
	text, err := k.keyFile()
	if err != nil {
		return nil, err
	}
	return connector.KeyFile{JSON: text, Principal: s.identity.principal, Project: s.project()}, nil
}
