package gcp

import (
	"cmp"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// temporaryField is of the auth methods whose sources are keyed.
var temporaryField = field.Bool{
	Name: "generate_temporary_tokens", Title: "tokens alone", Default: "true",
	Help: "Whether tokens are all that is handed out. With false, consumers that ask for the key file get it, with the long-lived secret in it; all others get tokens as before.",
}

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
	// A source that is keyed may serve a method that has no key of its own to give.
	if _, has := s.settings.Method.Fields.Find(temporaryField.Name); !ok || !has {
		return nil, fault.New(fault.Invalid, "auth method %s has no key to hand out", s.settings.Method.Name).Hint("ask for a token: --format token")
	}
	if temporaryField.Get(s.settings.Values) {
		return nil, fault.New(fault.Denied, "the connector hands out tokens, and not the key that they are got with").
			Hint("ask for a token: --format token; or let everyone who can use the connector have the key: svcconn update NAME --set %s=false", temporaryField.Name)
	}
	text, err := k.keyFile()
	if err != nil {
		return nil, err
	}
	return connector.KeyFile{JSON: text, Principal: s.identity.principal, Project: s.project()}, nil
}
