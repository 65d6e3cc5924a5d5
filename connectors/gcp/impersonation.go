package gcp

import (
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// impersonationBounds are the lifetimes of tokens of impersonated service accounts. More
// than an hour takes an organisation policy.
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
var impersonationBounds = connector.TTLBounds{Min: time.Minute, Default: time.Hour, Max: 12 * time.Hour}

// The fields of auth method impersonation.
var (
	targetField = field.String{
		Name: "target_principal", Title: "service account", Required: true, Example: "deployer@my-project-123.iam.gserviceaccount.com", Check: checkServiceAccount,
		Help: "The service account to be: its e-mail address, or its unique id.",
	}
	delegatesField = field.List{
		Name: "delegates", Title: "service accounts on the way", Example: "middle@my-project-123.iam.gserviceaccount.com", Check: checkServiceAccount,
		Help: "Service accounts on the way to the target, where the source may not impersonate it itself: each must have the role roles/iam.serviceAccountTokenCreator on the next, and the last of them on the target.",
	}
	sourceFileField = field.String{
		Name: "source_credentials_file", Title: "file of the source", Example: "~/.config/gcloud/application_default_credentials.json", Check: checkOwnPath,
		Help: "A credential file of somebody's to be the source, an absolute path or one that begins with ~/: that of application default credentials, for one. " +
			"It is read for every mint, and nothing of it is stored. Whoever can use svcconn on this machine gets that identity, so it has to be allowed: allow_implicit = true in the section [connectors] of config.toml.",
	}
)

func impersonationMethod() method {
	return method{open: openImpersonation, tellsProject: true, AuthMethod: connector.AuthMethod{
		Name: methodImpersonation, Title: "impersonation",
		Doc: `Is a service account without having a key of it: IAM gives tokens of the service account to the source, an identity that may have them (role roles/iam.serviceAccountTokenCreator). Prefer it to a key. The tokens have the rights of the service account, whatever the source may do, and can be narrowed to what they are for.

The source is exactly one of service_account_json, user_account_json, external_account_json, which svcconn keeps, or source_credentials_file, which is somebody's and stays where it is.

The tokens live for an hour unless --expiration asks for something else, between a minute and 12 hours. More than an hour takes an organisation policy (constraints/iam.allowServiceAccountCredentialLifetimeExtension) that lists the service account.

The project is that of the service account, unless project_id says otherwise.`,
		Fields:    field.Set{targetField, delegatesField, serviceJSONField, userJSONField, externalJSONField, sourceFileField},
		Temporary: true, Lifetime: impersonationBounds,
		AmbientWith: func(values field.Values) bool { return sourceFileField.Get(values) != "" },
		Reads:       sourceFiles,
	}}
}

// sourceFiles is the file that tells who the source is, where there is one.
func sourceFiles(host connector.Host, values field.Values) []string {
	if path := sourceFileField.Get(values); path != "" {
		return []string{ownPath(host, path)}
	}
	return nil
}

func openImpersonation(c *clients, settings connector.Settings) (source, error) {
	target := targetField.Get(settings.Values)
	if projectField.Get(settings.Values) == "" && projectOf(target) == "" {
		return nil, fault.New(fault.Invalid, "the project of %s is not in its name", target).Hint("say which it is: --set %s=%s", projectField.Name, projectField.Example)
	}
	from, err := openImpersonationSource(c)
	if err != nil {
		return nil, err
	}
	return &impersonated{c: c, from: from, target: target, delegates: delegatesField.Get(settings.Values)}, nil
}

// openImpersonationSource opens the one source that the fields name.
func openImpersonationSource(c *clients) (source, error) {
	var given []string
	kinds := map[string][]string{
		serviceJSONField.Name: {fileService}, userJSONField.Name: {fileUser, fileExternalUser}, externalJSONField.Name: {fileExternal},
	}
	for _, f := range []string{serviceJSONField.Name, userJSONField.Name, externalJSONField.Name, sourceFileField.Name} {
		if c.values.Has(f) {
			given = append(given, f)
		}
	}
	if len(given) != 1 {
		what := "has no source"
		if len(given) > 1 {
			what = "has several sources (" + strings.Join(given, ", ") + ")"
		}
		return nil, fault.New(fault.Invalid, "auth method %s %s, and needs one", methodImpersonation, what).
			Hint("give exactly one of: --set %s=@FILE, --set %s=@FILE, --set %s=@FILE, --set %s=PATH", serviceJSONField.Name, userJSONField.Name, externalJSONField.Name, sourceFileField.Name)
	}
	if taken, ok := kinds[given[0]]; ok {
		return openFile(c, "field "+given[0], c.values.Secrets()[given[0]], taken...)
	}
	path := ownPath(c.host, sourceFileField.Get(c.values))
	text, err := readCredentialFile(path)
	if err != nil {
		return nil, fault.Within(err, "the source")
	}
	return openFile(c, path, text, fileUser, fileService, fileExternal, fileExternalUser, fileImpersonated)
}

// The names of service accounts: e-mail addresses, or numbers.
// https://cloud.google.com/iam/docs/service-account-overview#service-account-names
var (
	accountAddress = field.Lazily(`^[a-z0-9][a-z0-9.-]*@[a-z0-9][a-z0-9.-]*[a-z0-9]$`)
	accountNumber  = field.Lazily(`^[0-9]{15,25}$`)
	accountProject = field.Lazily(`(?:^|@)([a-z][a-z0-9-]*)((?:\.[a-z0-9-]+)*)(?:\.iam|@appspot)\.gserviceaccount\.com$`)
	accountPrefix  = []string{"serviceAccount:", "projects/-/serviceAccounts/"}
)

func checkServiceAccount(text string) (string, error) {
	for _, prefix := range accountPrefix {
		text = strings.TrimPrefix(text, prefix)
	}
	if !accountAddress.MatchString(text) && !accountNumber.MatchString(text) {
		return "", fault.New(fault.Invalid, "it is neither the e-mail address nor the unique id of a service account").
			Hint("it looks like NAME@PROJECT.iam.gserviceaccount.com; `gcloud iam service-accounts list` lists them")
	}
	return text, nil
}

// projectOf is the project of a service account that its address tells; "" where it does
// not. That of a domain-scoped project has the domain behind the project.
func projectOf(account string) string {
	switch m := accountProject.FindStringSubmatch(account); {
	case m == nil:
		return ""
	case m[2] == "":
		return m[1]
	default:
		return strings.TrimPrefix(m[2], ".") + ":" + m[1]
	}
}

// resourceNames are service accounts as IAM's API names them.
func resourceNames(accounts []string) []string {
	out := slices.Clone(accounts)
	for i := range out {
		out[i] = "projects/-/serviceAccounts/" + out[i]
	}
	return out
}
