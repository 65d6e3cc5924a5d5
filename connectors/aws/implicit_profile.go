package aws

import (
	"context"
	"encoding/json"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// profileSource gets the keys of a profile, as its files are at that moment.
type profileSource struct {
	c                         *clients
	name, config, credentials string
}

// relevant implements source: whether the profile ends with a role, which could scope its
// keys, is not known until it is read.
func (p *profileSource) relevant(want purpose) purpose {
	if want.own {
		return purpose{own: true}
	}
	return want
}

// files are those of profiles, and the one that the profile's own login lies in. A profile
// that cannot be followed has no other.
func (p *profileSource) files() []string {
	files := []string{p.config, p.credentials}
	shared, err := readShared(p.config, p.credentials)
	if err != nil {
		return files
	}
	found, err := shared.chain(p.name)
	switch {
	case err != nil:
	case found.origin == fromSSO:
		files = append(files, found.sso.cached(p.c.host.Home))
	case found.origin == fromWebIdentity:
		files = append(files, found.base.values["web_identity_token_file"])
	}
	return files
}

// keys implements source.
func (p *profileSource) keys(ctx context.Context, want purpose) (keys, error) {
	files, err := readShared(p.config, p.credentials)
	if err != nil {
		return keys{}, err
	}
	found, err := files.chain(p.name)
	if err != nil {
		return keys{}, err
	}
	return p.follow(ctx, found, want)
}

// follow gets the first keys of a chain, and those of its roles with them.
func (p *profileSource) follow(ctx context.Context, found chain, want purpose) (keys, error) {
	if len(found.roles) == 0 && want.lifetime != 0 {
		return keys{}, unaskable("profile " + hop.OneLine(p.name))
	}
	source, roles, err := p.first(found)
	if err != nil {
		return keys{}, err
	}
	for _, role := range roles {
		if role.mfaSerial != "" {
			return keys{}, role.profile.refuse("wants a code of %s for every session", hop.OneLine(role.mfaSerial)).
				Hint("auth method %s keeps a session for a code: register it with --auto-configure", methodRole)
		}
		inner, err := p.stepClients(role)
		if err != nil {
			return keys{}, err
		}
		if source, err = assumed(inner, source, connector.Settings{Values: inner.values}); err != nil {
			return keys{}, within(err, role.profile, "its role")
		}
	}
	if last := len(found.roles) - 1; last >= 0 && want.lifetime == 0 && !want.own {
		want.lifetime = found.roles[last].lifetime
	}
	return source.keys(ctx, source.relevant(want))
}

// first is the source of the first keys, and the roles that are yet to be assumed.
func (p *profileSource) first(found chain) (source, []profileRole, error) {
	base := found.base
	switch found.origin {
	case fromSSO:
		return cachedSSO{c: p.c, place: found.sso, profile: base.name}, found.roles, nil
	case fromWebIdentity:
		inner, err := p.stepClients(found.roles[0])
		if err != nil {
			return nil, nil, err
		}
		source, err := assumedByToken(inner, webTokenIn(base.values["web_identity_token_file"]), connector.Settings{Values: inner.values})
		return source, found.roles[1:], within(err, base, "its web identity")
	case fromProcess:
		return processSource{c: p.c, profile: base}, found.roles, nil
	case fromKeys:
		k, err := base.keys()
		if err == nil && k.endless() {
			err = base.refuse("has temporary keys, and does not say until when they are good").
				Hint("have whoever writes them write aws_expiration = 2006-01-02T15:04:05Z beside them")
		}
		return staticKeys(k), found.roles, err
	}
	return nil, nil, base.refuse("takes its keys from %s, which is said to whoever runs a program, not to svcconn", base.values["credential_source"]).
		Hint("name the source itself: auth method %s with --set %s=%s or %s, and the role in %s", methodImplicit, implicitSource.Name, sourceInstance, sourceContainer, roleField.Name)
}

// stepClients are the clients for one role of a profile: nothing that the connector says
// of a role of its own counts there. What the profile says is checked as fields are.
func (p *profileSource) stepClients(role profileRole) (*clients, error) {
	inner := *p.c
	inner.values = p.c.values.Clone()
	for _, f := range roleFields(furtherRoleField) {
		inner.values.Unset(f.Info().Name)
	}
	inner.values.Unset(accountField.Name)
	inner.values.Set(sessionNameField.Name, sessionNameField.Default)
	for f, text := range map[*field.String]string{&roleField: role.arn, &externalIDField: role.externalID, &sessionNameField: role.sessionName} {
		if text == "" {
			continue
		}
		checked, err := f.Check(text)
		if err != nil {
			return nil, within(err, role.profile, f.Name)
		}
		inner.values.Set(f.Name, checked)
	}
	return &inner, nil
}

// cachedSSO gets keys with the AWS CLI's login to IAM Identity Center.
type cachedSSO struct {
	c       *clients
	place   ssoPlace
	profile string
}

func (cachedSSO) relevant(purpose) purpose { return purpose{} }

func (s cachedSSO) keys(ctx context.Context, _ purpose) (keys, error) {
	token, err := s.c.cachedSSOToken(s.place, s.profile)
	if err != nil {
		return keys{}, err
	}
	k, gone, err := s.c.permissionSet(ctx, s.place, token)
	if gone {
		return keys{}, fault.New(fault.NeedsPerson, "the AWS CLI's login at %s is not honoured any more: %w", s.place.startURL, err).
			Hint("log in with `aws sso login --profile %s`", hop.OneLine(s.profile))
	}
	return k, err
}

// processSource gets keys from the credential_process of a profile.
type processSource struct {
	c       *clients
	profile *profile
}

func (processSource) relevant(purpose) purpose { return purpose{} }

func (s processSource) keys(ctx context.Context, _ purpose) (keys, error) {
	words, err := s.profile.process()
	if err == nil && len(words) == 0 {
		err = fault.New(fault.Invalid, "it names no program")
	}
	if err != nil {
		return keys{}, within(err, s.profile, "credential_process")
	}
	raw, err := answerOf(ctx, s.c.host, words)
	if err != nil {
		return keys{}, within(err, s.profile, "credential_process")
	}
	k, err := readProcess(raw)
	return k, within(err, s.profile, "credential_process")
}

// readProcess reads what a credential process prints. Nothing of it is repeated.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func readProcess(raw []byte) (keys, error) {
	var out struct {
		Version int
		issuedText
		SessionToken string
	}
	if json.Unmarshal(raw, &out) != nil {
		return keys{}, fault.New(fault.Failed, "what it printed is not JSON of keys")
	}
	if out.Version != 1 {
		return keys{}, fault.New(fault.Failed, "what it printed is of version %d, and there is 1 alone", out.Version)
	}
	out.Token = out.SessionToken
	return out.keys()
}

// issuedText is keys as JSON, as metadata services and credential processes have them.
type issuedText struct {
	ID         string `json:"AccessKeyId"`
	Secret     string `json:"SecretAccessKey"`
	Token      string
	Expiration string
	Account    string `json:"AccountId"`
}

// keys reads the keys. Temporary ones have to say until when they are good.
func (t issuedText) keys() (keys, error) {
	k := keys{id: t.ID, secret: secret.New(t.Secret), token: secret.New(t.Token), account: t.Account}
	if t.ID == "" || t.Secret == "" {
		return keys{}, fault.New(fault.Failed, "there are no keys in the answer")
	}
	if t.Expiration != "" {
		end, err := time.Parse(time.RFC3339, t.Expiration)
		if err != nil {
			return keys{}, fault.New(fault.Failed, "the expiration of the keys is not a time as RFC 3339 writes it")
		}
		k.expires = end
	}
	if k.endless() {
		return keys{}, fault.New(fault.Failed, "the keys are temporary, and the answer does not say until when they are good")
	}
	return k, nil
}
