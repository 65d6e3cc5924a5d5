package gcp

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
	"github.com/svcconn/svcconn/pkg/secret"
)

// The kinds of JSON files that Google's libraries log in with ("type").
// https://cloud.google.com/docs/authentication/application-default-credentials
const (
	fileUser         = "authorized_user"
	fileService      = "service_account"
	fileExternal     = "external_account"
	fileExternalUser = "external_account_authorized_user"
	fileImpersonated = "impersonated_service_account"
	fileGDCH         = "gdch_service_account" // of Google Distributed Cloud: it is refused
)

// The names of the secret fields that are such a file.
const (
	serviceJSONName  = "service_account_json"
	userJSONName     = "user_account_json"
	externalJSONName = "external_account_json"
)

// The secret fields that are such a file.
var (
	serviceJSONField  = fileField(serviceJSONName, "key file", "The key of a service account, as the JSON file that Google gave", fileService)
	userJSONField     = fileField(userJSONName, "login file", "A person's login, as the JSON file that `gcloud auth application-default login` wrote", fileUser, fileExternalUser)
	externalJSONField = fileField(externalJSONName, "configuration of the federation", "The JSON file that `gcloud iam workload-identity-pools create-cred-config` wrote", fileExternal)
)

// fileField is a secret field that is a file of one of these kinds.
func fileField(name, title, what string, kinds ...string) field.Secret {
	return field.Secret{
		Name: name, Title: title, Multiline: true,
		Help: what + ", or base64 of it: --set " + name + "=@FILE.",
		Check: func(text secret.Text) error {
			f, err := readFile(text, kinds...)
			if err == nil {
				err = f.check()
			}
			return err
		},
	}
}

// requiredFile is a field that cannot be left out.
func requiredFile(f field.Secret) field.Secret {
	f.Required = true
	return f
}

// credentialFile is a file whose kind is known and taken.
type credentialFile struct {
	kind string
	text secret.Text // JSON
}

// readFile reads a file of one of these kinds, raw or as base64. Its errors, and those of
// all that reads the file, are fault.Invalid and repeat nothing of it: what a person takes
// for a credential file may be another secret.
func readFile(text secret.Text, kinds ...string) (credentialFile, error) {
	raw := hop.Unwrapped(text.Reveal())
	var says struct {
		Kind      string `json:"type"`
		Installed any    `json:"installed"` // an OAuth client of the type Desktop
		Web       any    `json:"web"`
	}
	if err := decode(raw, &says); err != nil {
		return credentialFile{}, err
	}
	isClient := says.Kind == "" && (says.Installed != nil || says.Web != nil)
	switch needed := strings.Join(kinds, " or "); {
	case slices.Contains(kinds, says.Kind):
		return credentialFile{kind: says.Kind, text: secret.New(string(raw))}, nil
	case isClient:
		return credentialFile{}, fault.New(fault.Invalid, "it is the file of an OAuth client, and %s is needed: it says which program logs in, not who", needed).
			Hint("auth method %s has fields for what is in it: %s and %s", methodUserAccount, clientIDField.Name, clientSecretField.Name)
	case says.Kind == "":
		return credentialFile{}, fault.New(fault.Invalid, "it lacks type, which says what it is; %s is needed", needed)
	default:
		return credentialFile{}, misplaced(says.Kind, needed)
	}
}

// misplaced is the error for a file that something else takes, or nothing.
func misplaced(kind, needed string) error {
	takers := map[string]struct{ method, field string }{
		fileUser: {methodUserAccount, userJSONName}, fileExternalUser: {methodUserAccount, userJSONName},
		fileService: {methodServiceAccount, serviceJSONName}, fileExternal: {methodExternal, externalJSONName},
	}
	taker, taken := takers[kind]
	switch {
	case taken:
		return fault.New(fault.Invalid, "it is of type %s, and %s is needed", kind, needed).
			Hint("auth method %[1]s takes it: --auth-method %[1]s --set %[2]s=@FILE", taker.method, taker.field)
	case kind == fileImpersonated:
		return fault.New(fault.Invalid, "it is of type %s, and %s is needed", kind, needed).
			Hint("auth method %s has fields for what is in it; --auto-configure fills them in from application default credentials", methodImpersonation)
	case kind == fileGDCH:
		return fault.New(fault.Invalid, "it is of type %s, and %s is needed: Google Distributed Cloud has APIs of its own, which svcconn does not reach", kind, needed)
	}
	return fault.New(fault.Invalid, "it is of a type that svcconn does not know, and %s is needed", needed)
}

// check is what can be said of a file before it is opened.
func (f credentialFile) check() (err error) {
	switch f.kind {
	case fileService:
		_, err = readServiceKey(f)
	case fileUser, fileExternalUser:
		_, err = readUserGrant(f)
	case fileImpersonated:
		_, err = readImpersonation(f)
	}
	return err
}

// openFile opens a credential file of any kind: what lies in a connector's secret, or in
// a file of somebody's. where names it in errors: "field service_account_json",
// "/home/me/adc.json". kinds are those that are taken.
func openFile(c *clients, where string, text secret.Text, kinds ...string) (source, error) {
	f, err := readFile(text, kinds...)
	if err != nil {
		return nil, fault.Within(err, "%s", where)
	}
	if f.kind == fileExternal {
		return openExternal(c, where, f.text)
	}
	out, err := f.open(c, where)
	if err != nil {
		return nil, fault.Within(err, "%s", where)
	}
	return out, nil
}

// open opens a file that is not of the kind external_account.
func (f credentialFile) open(c *clients, where string) (source, error) {
	switch f.kind {
	case fileService:
		return openServiceKey(c, f)
	case fileImpersonated:
		return openImpersonatedFile(c, where, f)
	}
	return openUserGrant(c, where, f)
}

// hidden is a secret in a file.
type hidden struct{ secret.Text }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hidden) UnmarshalText(text []byte) error {
	h.Text = secret.New(string(text))
	return nil
}

// rawFile is a file within a file.
type rawFile struct{ secret.Text }

// UnmarshalJSON implements json.Unmarshaler.
func (f *rawFile) UnmarshalJSON(raw []byte) error {
	f.Text = secret.New(string(raw))
	return nil
}

var _ json.Unmarshaler = (*rawFile)(nil)
