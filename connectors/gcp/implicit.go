package gcp

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// What the field credential_source chooses from.
const (
	sourceFile     = "file"
	sourceMetadata = "metadata"
	sourceGcloud   = "gcloud"
)

// The fields of auth method implicit.
var (
	implicitSource = field.String{
		Name: "credential_source", Title: "source of the tokens", Default: sourceFile,
		Choices: []string{sourceFile, sourceMetadata, sourceGcloud},
		Help: "Whose identity it is: that of a file with application default credentials, of the machine or pod that this runs on (its metadata server), " +
			"or of what gcloud is logged in as. No other is tried.",
	}
	implicitFileField = field.String{
		Name: "credentials_file", Title: "credential file", Example: "/home/me/adc.json", Check: checkOwnPath,
		Help: "With credential_source file: the file to log in with, of any kind that Google's libraries take. " +
			"Left out, it is the one that `gcloud auth application-default login` writes, whatever GOOGLE_APPLICATION_CREDENTIALS says.",
	}
	metadataHostField = field.String{
		Name: "metadata_host", Title: "host of the metadata server", Example: "metadata.google.internal", Check: checkMetadataHost,
		Help: "With credential_source metadata: the metadata server, where it is not at the usual address, " + metadataHost + ".",
	}
	configurationField = field.String{
		Name: "gcloud_configuration", Title: "configuration of gcloud", Example: "default", Check: checkConfiguration,
		Help: "With credential_source gcloud: the configuration whose account it is. Left out, it is the one that is active when a token is minted.",
	}
	gcloudFolderField = field.String{
		Name: "gcloud_folder", Title: "folder of gcloud", Example: "/home/me/.config/gcloud", Check: checkOwnPath,
		Help: "With credential_source gcloud: the folder where gcloud keeps what is yours, where it is not the usual one, whatever CLOUDSDK_CONFIG says.",
	}
	principalField = field.String{
		Name: "principal", Title: "identity", Example: "jane@example.com",
		Help: "Whose identity it has to be: tokens of another are refused. Left out, it is found out at registration.",
	}
)

// fieldsOfSource are the fields that are about one source alone.
func fieldsOfSource(source string) field.Set {
	return map[string]field.Set{
		sourceFile:     append(field.Set{implicitFileField}, awsFields()...),
		sourceMetadata: {metadataHostField},
		sourceGcloud:   {configurationField, gcloudFolderField},
	}[source]
}

func implicitMethod() method {
	fields := field.Set{implicitSource}
	for _, source := range implicitSource.Choices {
		fields = slices.Concat(fields, fieldsOfSource(source))
	}
	return method{open: openImplicit, AuthMethod: connector.AuthMethod{
		Name: methodImplicit, Title: "implicit",
		Doc: `Takes the identity that this machine, or somebody's files, already have: application default credentials of any kind, the service account of a virtual machine or of a pod of GKE, the account that gcloud is logged in as. Nothing is stored but where to look. Which of them it is is said here, and the environment of whoever starts svcconn does not change it; no metadata server is asked unless it was chosen.

Whoever can use svcconn on this machine gets that identity, so it has to be allowed: allow_implicit = true in the section [connectors] of config.toml. Any other method keeps its own secrets, and is to be preferred.

Files are read anew for every mint. If the login turns out to be that of another identity than the connector's, it is refused; of a federation without an account of its own, any identity of the same pool passes. gcloud's logins are used as they are: when one is over, ` + "`gcloud auth login`" + ` is needed. The tokens live for as long as their source gives them, an hour at most; a file that impersonates a service account can be asked for another lifetime with --expiration.`,
		Fields:  append(fields, principalField),
		Ambient: true, Temporary: true, Lifetime: impersonationBounds,
		Reads: filesOfOthers,
	}}
}

// filesOfOthers are the files that tell whose the tokens are, those that others of them
// name included.
func filesOfOthers(host connector.Host, values field.Values) []string {
	switch implicitSource.Get(values) {
	case sourceFile:
		return withSubject(implicitFile(host, values))
	case sourceGcloud:
		return folderOf(host, values).files(configurationField.Get(values))
	}
	return nil
}

// withSubject is a credential file, and the file that has its subject token where it is a
// configuration of a federation. One that cannot be read is seen at the next mint.
func withSubject(path string) []string {
	out := []string{path}
	text, err := readCredentialFile(path)
	if err != nil {
		return out
	}
	f, err := readFile(text, fileExternal)
	if err != nil {
		return out
	}
	if says, err := readExternal(f.text); err == nil && says.Source.reads() != "" {
		out = append(out, says.Source.reads())
	}
	return out
}

// implicitFile is the file with the credentials.
func implicitFile(host connector.Host, values field.Values) string {
	return cmp.Or(ownPath(host, implicitFileField.Get(values)), usualGcloudFolder(host.Home).adc())
}

// folderOf is the folder of gcloud.
func folderOf(host connector.Host, values field.Values) gcloudFolder {
	return cmp.Or(gcloudFolder(ownPath(host, gcloudFolderField.Get(values))), usualGcloudFolder(host.Home))
}

func openImplicit(c *clients, settings connector.Settings) (source, error) {
	chosen := implicitSource.Get(settings.Values)
	for _, other := range implicitSource.Choices {
		for _, f := range fieldsOfSource(other) {
			if name := f.Info().Name; other != chosen && settings.Values.Has(name) {
				return nil, fault.New(fault.Invalid, "field %s is about another source than %s", name, chosen).
					Hint("leave it out, or --set %s=%s", implicitSource.Name, other)
			}
		}
	}
	from, err := c.ambient(chosen)
	if err != nil {
		return nil, err
	}
	if settings.Expiration != 0 && from.relevant(purpose{lifetime: settings.Expiration}).lifetime == 0 {
		return nil, fault.New(fault.Invalid, "the lifetime of the tokens is decided by where they come from, the %s", map[string]string{
			sourceFile: "credential file, which impersonates no service account", sourceMetadata: "metadata server", sourceGcloud: "login of gcloud",
		}[chosen]).Hint("leave --expiration out, or use auth method %s", methodImpersonation)
	}
	return &guarded{c: c, source: from}, nil
}

// ambient is the source that the fields name. A file is read here: sessions are opened
// for every mint.
func (c *clients) ambient(chosen string) (source, error) {
	switch chosen {
	case sourceMetadata:
		return machineSource{metadataServer{c, cmp.Or(metadataHostField.Get(c.values), metadataHost)}}, nil
	case sourceGcloud:
		return &gcloudSource{c: c, folder: folderOf(c.host, c.values), configuration: configurationField.Get(c.values)}, nil
	}
	path := implicitFile(c.host, c.values)
	text, err := readCredentialFile(path)
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "%w", err).
			Hint("`gcloud auth application-default login` writes one to the usual place; name another with --set %s=PATH", implicitFileField.Name)
	}
	return openFile(c, path, text, allKinds...)
}

// allKinds are the kinds of files that are taken from others' hands.
var allKinds = []string{fileUser, fileService, fileExternal, fileExternalUser, fileImpersonated}

// machineSource gets the tokens of the machine, or the pod, that this runs on.
type machineSource struct{ metadataServer }

// relevant implements source.
func (machineSource) relevant(want purpose) purpose { return purpose{scope: want.scope} }

// identity implements source: only the server knows.
func (machineSource) identity() identity { return identity{} }

// token implements source.
func (m machineSource) token(ctx context.Context, want purpose) (token, error) {
	return m.metadataServer.token(ctx, want.scope)
}

// guarded is a source that others can change without svcconn's knowledge: what it gives
// has to be of the identity that the connector is for.
type guarded struct {
	c *clients
	source
}

var _ interface {
	learning
	telling
} = (*guarded)(nil)

// token implements source.
func (g *guarded) token(ctx context.Context, want purpose) (token, error) {
	t, err := g.source.token(ctx, want)
	own := principalField.Get(g.c.values)
	if err != nil || own == "" {
		return t, err
	}
	if t.principal, err = g.whose(ctx, t); err != nil {
		return token{}, err
	}
	if t.principal != own {
		return token{}, fault.New(fault.Denied, "the login is now that of %s, and the connector is for %s", t.principal, own).
			Hint("go back to that identity where the login is, or register another connector for the new one")
	}
	return t, nil
}

// whose implements telling. Of a person's token without the scope for it, nothing is told
// but the OAuth client, which is that of everybody who logs in by gcloud: nobody could be
// told from another by it.
func (g *guarded) whose(ctx context.Context, t token) (string, error) {
	who, err := g.c.owner(ctx, g.source, t)
	if err == nil && strings.HasSuffix(who, clientSuffix) {
		return "", unknownOwner()
	}
	return who, err
}

// clientSuffix is how the ids of OAuth clients end that are not service accounts.
const clientSuffix = ".apps.googleusercontent.com"

// learned implements learning.
func (g *guarded) learned(who string) map[string]string {
	if who == "" || principalField.Get(g.c.values) != "" {
		return nil
	}
	return map[string]string{principalField.Name: who}
}
