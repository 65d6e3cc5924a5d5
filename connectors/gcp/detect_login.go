package gcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// candidate is a login on its way to becoming a connector.
type candidate struct {
	d             *detection
	method        string
	values        field.Values
	source        connector.Source
	notes         []string
	project       string         // that the login itself tells
	configuration *configuration // of gcloud, that the login is of; nil where it is of none
}

// choose takes the auth method that was asked for, if it is one of those that the login
// can serve, or else the first. An access token can be got with every login.
func (c *candidate) choose(what string, possible ...string) error {
	c.method = possible[0]
	switch asked := c.d.asked; {
	case asked == "" || asked == methodToken:
	case slices.Contains(possible, asked):
		c.method = asked
	default:
		return fault.New(fault.Invalid, "what was found in %s is %s, and none for auth method %s", c.source.Description, what, asked).
			Hint("leave --auth-method out, or take one of: %s", strings.Join(append(possible, methodToken), ", "))
	}
	return nil
}

// note is a sentence for the person.
func (c *candidate) note(format string, args ...any) {
	c.notes = append(c.notes, hop.OneLine(fmt.Sprintf(format, args...)))
}

func (c *candidate) set(f field.String, text string) {
	if text != "" {
		c.values.Set(f.Name, text)
	}
}

// ambient makes a connector that goes on to look where the login is.
func (c *candidate) ambient(source string) {
	c.set(implicitSource, source)
	c.note("Auth method %s takes the identity of this machine or of somebody's files, and has to be allowed: allow_implicit = true in the section [connectors] of config.toml.", methodImplicit)
}

// fileLogin takes the login of a credential file. named is the variable that names it.
func (d *detection) fileLogin(path, named string) (*candidate, error) {
	c := &candidate{d: d, source: connector.Source{Description: path}}
	if named != "" {
		c.source.Description += " (" + named + ")"
	}
	f, err := takenFile(path)
	if err != nil {
		return nil, err
	}
	return c, c.takeFile(path, f)
}

// takenFile reads a credential file of a kind that there is an auth method for.
func takenFile(path string) (credentialFile, error) {
	text, err := readCredentialFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return credentialFile{}, fault.New(fault.NotFound, "%w", err).
			Hint("give the path of a file that is there, or leave it out: `gcloud auth application-default login` writes the usual one")
	}
	if err != nil {
		return credentialFile{}, fault.New(fault.KindOf(err), "%w", err).Hint("name another: --set %s=PATH", implicitFileField.Name)
	}
	f, err := readFile(text, allKinds...)
	if err == nil {
		err = f.check()
	}
	return f, fault.Within(err, "%s", path)
}

// titles say what a file is, to a person.
var titles = map[string]string{
	fileUser: "a person's login", fileService: "a key of a service account", fileExternal: "a configuration of a federation",
	fileExternalUser: "a person's login to a workforce pool", fileImpersonated: "an impersonation of a service account",
}

// secretFields are the fields that files of a kind go into.
var secretFields = map[string]field.Secret{
	fileUser: userJSONField, fileExternalUser: userJSONField, fileService: serviceJSONField, fileExternal: externalJSONField,
}

// takeFile makes a connector of a credential file, of the auth method that it is for. As
// the source of an impersonation, the target has to be said.
func (c *candidate) takeFile(path string, f credentialFile) error {
	own := map[string]string{
		fileUser: methodUserAccount, fileExternalUser: methodUserAccount, fileService: methodServiceAccount, fileExternal: methodExternal, fileImpersonated: methodImpersonation,
	}[f.kind]
	possible := slices.Compact([]string{own, methodImpersonation})
	if c.configuration == nil {
		possible = append(possible, methodImplicit)
	}
	if err := c.choose(titles[f.kind]+" (type "+f.kind+")", possible...); err != nil {
		return err
	}
	c.source.File, c.source.Key, c.source.PlainText = path, "type "+f.kind, f.kind != fileExternal
	c.project = projectOfFile(f)
	switch {
	case c.method == methodImplicit:
		c.source.PlainText = false
		c.ambient(sourceFile)
		c.set(implicitFileField, path)
	case f.kind == fileImpersonated:
		return c.takeImpersonation(f)
	default:
		return c.takeSecret(f)
	}
	return nil
}

// takeSecret puts a file into the field that is for it.
func (c *candidate) takeSecret(f credentialFile) error {
	c.values.SetSecret(secretFields[f.kind].Name, f.text)
	if f.kind != fileExternal {
		return nil
	}
	says, err := readExternal(f.text)
	if err != nil {
		return fault.Within(err, "%s", c.source.File)
	}
	if says.Source.Executable != nil && says.Source.Executable.leadsHere() {
		return fault.New(fault.Invalid, "the login in %s is one that svcconn wrote for itself", c.source.Description).
			Hint("name the login itself: --set %s=PATH, or --set %s=NAME", implicitFileField.Name, configurationField.Name)
	}
	c.source.PlainText = !says.ClientSecret.IsEmpty()
	if c.method == methodExternal {
		c.set(subjectFileField, says.Source.reads())
	}
	return nil
}

// takeImpersonation takes a file of the kind impersonated_service_account apart.
func (c *candidate) takeImpersonation(f credentialFile) error {
	says, err := readImpersonation(f)
	if err != nil {
		return fault.Within(err, "%s", c.source.File)
	}
	c.impersonate(says.target, says.Delegates)
	c.set(quotaProjectField, says.Quota)
	if says.endpoint != "https://"+credentialsAPI.service+"."+defaultUniverse {
		c.set(endpointCredentials, says.endpoint)
	}
	return c.takeSecret(says.source)
}

// impersonate makes the login the source of an impersonation.
func (c *candidate) impersonate(target string, delegates []string) {
	c.method = methodImpersonation
	c.set(targetField, target)
	if len(delegates) > 0 {
		c.values.Set(delegatesField.Name, delegates)
	}
	if project := projectOf(target); project != "" {
		c.project = project
	}
}

// projectOfFile is the project that a file tells; "" where it does not.
func projectOfFile(f credentialFile) string {
	if f.kind != fileService {
		return ""
	}
	key, err := readServiceKey(f)
	if err != nil {
		return "" // who reads it to log in says what is wrong
	}
	return key.Project
}

// machine makes a connector of the account of the machine, or the pod, that this runs on.
func (d *detection) machine(ctx context.Context) (*candidate, error) {
	c := &candidate{d: d, source: connector.Source{Description: "this machine (metadata server)"}}
	if err := c.choose("the account of a machine of Google's", methodImplicit); err != nil {
		return nil, err
	}
	c.ambient(sourceMetadata)
	c.set(metadataHostField, d.metadata)
	asked, err := newClients(d.host, c.values)
	if err != nil {
		return nil, err
	}
	return c, c.tell(ctx, metadataServer{asked, cmp.Or(d.metadata, metadataHost)})
}

// tell takes over what the metadata server says of the machine.
func (c *candidate) tell(ctx context.Context, server metadataServer) (err error) {
	if c.project, err = server.text(ctx, "project/project-id"); err != nil {
		return err
	}
	email, err := server.text(ctx, metadataAccount+"email")
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Denied, "this machine has no service account").Hint("attach one to the instance, or log in as somebody: gcloud auth application-default login")
	}
	if err != nil {
		return err
	}
	c.set(principalField, email)
	// Metadata servers of before there were universes do not know theirs.
	universe, err := server.text(ctx, "universe/universe-domain")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if universe != defaultUniverse {
		c.set(universeField, universe)
	}
	return nil
}
