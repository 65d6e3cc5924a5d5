package gcp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// subjectFileField is learned from the configuration, which is a secret, so that a change
// of the file is seen without reading secrets.
var subjectFileField = field.String{
	Name: "subject_token_file", Title: "file of the subject token", Example: "/var/run/secrets/tokens/gcp", Check: checkOwnPath,
	Help: "The file that the configuration takes its subject token from: what was minted before it changed is not handed out any more. " +
		"Left out, it is found out at registration, where there is one.",
}

func externalMethod() method {
	return method{open: openExternalMethod, AuthMethod: connector.AuthMethod{
		Name: methodExternal, Title: "external account",
		Doc: `Logs in with an identity that is not Google's: of AWS, Azure, a Kubernetes cluster, a CI system, or any issuer of OpenID Connect or SAML tokens that a workload or workforce identity pool trusts. No key of Google's exists that could be lost. The Security Token Service gives tokens of an hour for a proof of that identity, the subject token, which is got anew for every mint.

external_account_json is the configuration that ` + "`gcloud iam workload-identity-pools create-cred-config`" + ` or ` + "`gcloud iam workforce-pools create-cred-config`" + ` writes. It says where the subject token is: in a file, at an address, printed by a command (which is run without a shell and without the environment of yours), or in AWS, signed with the keys of the machine that this runs on. Those are taken from the metadata addresses that the configuration names, or from aws_credential_process: a connector of type aws, for one. The environment is never looked at, and no address is asked that is not named. X.509 certificates are not supported.

Where the configuration impersonates a service account, the tokens are that one's; they live for what it says, an hour otherwise, or for what --expiration asks for. Without that, the lifetime is Google's to decide.

With generate_temporary_tokens=false, consumers that ask for the key file get the configuration.`,
		Fields:    slices.Concat(field.Set{requiredFile(externalJSONField), subjectFileField}, awsFields(), field.Set{temporaryField}),
		Temporary: true, Lifetime: impersonationBounds,
		Reads: func(_ connector.Host, values field.Values) []string {
			if path := subjectFileField.Get(values); path != "" {
				return []string{path}
			}
			return nil
		},
	}}
}

func openExternalMethod(c *clients, settings connector.Settings) (source, error) {
	where := "field " + externalJSONField.Name
	out, err := openFile(c, where, externalJSONField.Get(settings.Values), fileExternal)
	if err != nil {
		return nil, err
	}
	e, _ := out.(*external)
	switch known := subjectFileField.Get(settings.Values); {
	case settings.Expiration != 0 && !e.impersonates():
		return nil, fault.New(fault.Invalid, "%s impersonates no service account, so Google decides about the lifetime of its tokens", where).
			Hint("leave --expiration out, or impersonate one: --auth-method %s --set %s=@FILE --set %s=%s", methodImpersonation, externalJSONField.Name, targetField.Name, targetField.Example)
	case known != "" && known != e.reads:
		return nil, fault.New(fault.Invalid, "field %s is not the file that %s takes its subject token from", subjectFileField.Name, externalJSONField.Name).
			Hint("let it be found out: svcconn update NAME --unset %s", subjectFileField.Name)
	}
	return out, nil
}

// external is an opened configuration of the kind external_account.
type external struct {
	source
	values   field.Values // of the connector
	file     secret.Text
	reads    string        // the file that tells whose the tokens are; "" is none
	lifetime time.Duration // of the tokens, where nobody asks for one; 0 is Google's
}

var _ interface {
	keyed
	learning
} = (*external)(nil)

// learning is implemented by sources that can tell what fields left out, other than the
// project. who is whose their tokens are.
type learning interface {
	learned(who string) map[string]string
}

// learned implements learning.
func (e *external) learned(string) map[string]string {
	if e.reads == "" || subjectFileField.Get(e.values) != "" {
		return nil
	}
	return map[string]string{subjectFileField.Name: e.reads}
}

// relevant implements source.
func (e *external) relevant(want purpose) purpose {
	want.lifetime = cmp.Or(want.lifetime, e.lifetime)
	return e.source.relevant(want)
}

// keyFile implements keyed.
func (e *external) keyFile() (secret.Text, error) { return e.file, nil }

func (e *external) impersonates() bool {
	_, ok := e.source.(*impersonated)
	return ok
}

// openExternal opens a configuration of the kind external_account. where names it in
// errors.
func openExternal(c *clients, where string, text secret.Text) (source, error) {
	file, err := readExternal(text)
	if err != nil {
		return nil, fault.Within(err, "%s", where)
	}
	prove, err := file.prover(c)
	if err != nil {
		return nil, fault.Within(err, "%s: its key credential_source", where)
	}
	out := &external{source: &federated{c: c, file: file, prove: prove}, values: c.values, file: text, reads: file.Source.reads()}
	if file.target != "" {
		out.source = &impersonated{c: c, from: out.source, target: file.target, quota: file.Quota, endpoint: file.endpoint}
		out.lifetime = time.Duration(file.Impersonation.Seconds) * time.Second
	}
	return out, nil
}

// federated gets tokens of an identity of a pool.
type federated struct {
	c     *clients
	file  externalFile
	prove prover
}

// prover gets what proves to Google who we are elsewhere. It is got before Google is
// asked, so that its errors are its own.
type prover func(ctx context.Context) (proof, error)

// proof is a token of an issuer, or keys of AWS to sign with.
type proof interface {
	supply(*externalaccount.Config)
	secrets() []secret.Text
}

// relevant implements source: the lifetime is Google's to decide.
func (*federated) relevant(want purpose) purpose { return purpose{scope: want.scope} }

// identity implements source. Whose the tokens are is decided by the mapping of the
// provider: what is known for sure is the pool, all of whose identities IAM calls a
// principal set.
func (f *federated) identity() identity {
	pool, _, _ := strings.Cut(f.file.Audience, "/providers/")
	return identity{principal: "principalSet:" + hop.OneLine(pool) + "/*", quota: f.file.Quota, universe: f.file.Universe}
}

// token exchanges a subject token of now.
func (f *federated) token(ctx context.Context, want purpose) (token, error) {
	proof, err := f.prove(ctx)
	if err != nil {
		return token{}, fault.Within(err, "the subject token")
	}
	config := externalaccount.Config{
		Audience: f.file.Audience, SubjectTokenType: f.file.SubjectType, TokenURL: f.address(),
		ClientID: f.file.Client, ClientSecret: f.file.ClientSecret.Reveal(), WorkforcePoolUserProject: f.file.Workforce,
		Scopes: strings.Fields(want.scope),
	}
	proof.supply(&config)
	return f.c.fetch(ctx, stsAPI, func(ctx context.Context) (*oauth2.Token, error) {
		source, err := externalaccount.NewTokenSource(ctx, config)
		if err != nil {
			return nil, err
		}
		return source.Token()
	}, append(proof.secrets(), f.file.ClientSecret.Text, f.file.basic())...)
}

// address is where the Security Token Service exchanges tokens: where the connector's
// fields say, or else the configuration.
func (f *federated) address() string {
	if f.file.TokenURL == "" || endpointSTS.Get(f.c.values) != "" {
		return f.c.address(stsAPI) + "/v1/token"
	}
	return f.file.TokenURL
}
