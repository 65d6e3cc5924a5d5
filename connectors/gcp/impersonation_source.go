package gcp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// impersonated gets tokens of a service account that another source may impersonate.
type impersonated struct {
	c         *clients
	from      source
	target    string
	delegates []string
	quota     string
	endpoint  string // of IAM, as a file has it: scheme and host; "" is the connector's own
}

// relevant implements source: tokens can have any scope, and any lifetime.
func (i *impersonated) relevant(want purpose) purpose { return want }

// identity implements source. The quota project of the source is for its own question.
func (i *impersonated) identity() identity {
	return identity{principal: i.target, project: projectOf(i.target), quota: i.quota, universe: i.from.identity().universe}
}

// token implements source.
func (i *impersonated) token(ctx context.Context, want purpose) (token, error) {
	c := i.asker()
	if own := c.address(credentialsAPI); i.endpoint != "" && endpointCredentials.Get(c.values) == "" && i.endpoint != own {
		return token{}, fault.New(fault.Invalid, "the file gets its tokens from IAM at %s, and the connector asks %s", i.endpoint, own).
			Hint("if that is right: --set %s=%s", endpointCredentials.Name, i.endpoint)
	}
	bearer, err := i.from.token(ctx, i.from.relevant(purpose{scope: scopeCloud}))
	if err != nil {
		return token{}, fault.Within(err, "the source")
	}
	lifetime := cmp.Or(want.lifetime, impersonationBounds.Default)
	var says struct {
		Token   hidden    `json:"accessToken"`
		Expires time.Time `json:"expireTime"`
	}
	err = c.ask(ctx, call{
		api: credentialsAPI, method: http.MethodPost, bearer: bearer,
		path: "/v1/projects/-/serviceAccounts/" + url.PathEscape(i.target) + ":generateAccessToken",
		body: map[string]any{
			"delegates": resourceNames(i.delegates), "scope": strings.Fields(cmp.Or(want.scope, scopeCloud)), "lifetime": fmt.Sprintf("%ds", int64(lifetime.Seconds())),
		},
	}, &says)
	switch {
	case err != nil:
		return token{}, i.refused(ctx, err, bearer, lifetime)
	case says.Token.IsEmpty() || says.Expires.IsZero():
		return token{}, fault.New(fault.Failed, "%s answers without a token", credentialsAPI.title).
			Hint("check the field %s, and the proxy if there is one: something else may answer there", endpointCredentials.Name)
	}
	return token{text: says.Token.Text, expires: says.Expires, principal: i.target}, nil
}

// asker is the clients of the source, whose question to IAM this is.
func (i *impersonated) asker() *clients {
	c := *i.c
	c.identity = i.from.identity()
	return &c
}

// refused says what is missing where IAM gives no token.
func (i *impersonated) refused(ctx context.Context, err error, bearer token, lifetime time.Duration) error {
	a := refusal(err)
	switch {
	case a == nil:
		return err
	case a.status == http.StatusNotFound:
		return fault.New(fault.Invalid, "there is no service account %s: %w", i.target, err).
			Hint("check %s: gcloud iam service-accounts list --project=PROJECT", targetField.Name)
	case a.status == http.StatusBadRequest && lifetime > impersonationBounds.Default:
		return fault.New(tooLong.kind, "tokens of %s do not live for %s: %w", i.target, lifetime, err).Hint("%s", tooLong.hint)
	}
	if permission, _ := a.permission(); permission == permissionImpersonate {
		return i.denied(ctx, err, bearer)
	}
	return err
}

// permissionImpersonate is what the source needs on the target.
const permissionImpersonate = "iam.serviceAccounts.getAccessToken"

// denied says who may not impersonate whom. Who the source is may have to be asked: where
// that is not told either, the refusal stands.
func (i *impersonated) denied(ctx context.Context, err error, bearer token) error {
	who, _ := i.asker().owner(ctx, i.from, bearer)
	if len(i.delegates) > 0 {
		return fault.New(fault.Denied, "%s may not impersonate %s by way of %s, or one of them does not exist: %w", cmp.Or(who, "the source"), i.target, strings.Join(i.delegates, ", "), err).
			Hint("each of them needs the role roles/iam.serviceAccountTokenCreator on the next: gcloud iam service-accounts add-iam-policy-binding %s --member=%s --role=roles/iam.serviceAccountTokenCreator, and so on",
				i.delegates[0], member(who))
	}
	return fault.New(fault.Denied, "%s may not impersonate %s, or that does not exist: %w", cmp.Or(who, "the source"), i.target, err).
		Hint("let it: gcloud iam service-accounts add-iam-policy-binding %s --member=%s --role=roles/iam.serviceAccountTokenCreator; that takes some minutes to have effect", i.target, member(who))
}

// impersonationFile is a file of the kind impersonated_service_account.
type impersonationFile struct {
	URL       string   `json:"service_account_impersonation_url"`
	Delegates []string `json:"delegates"`
	Quota     string   `json:"quota_project_id"`
	Source    rawFile  `json:"source_credentials"`

	target, endpoint string // as the URL has them
	source           credentialFile
}

// sourceKinds are the files that one of the kind impersonated_service_account may have in
// it: not another of them.
var sourceKinds = []string{fileUser, fileService, fileExternal, fileExternalUser}

func readImpersonation(f credentialFile) (impersonationFile, error) {
	var out impersonationFile
	if err := decode([]byte(f.text.Reveal()), &out); err != nil {
		return out, err
	}
	err := complete(needed{"service_account_impersonation_url", out.URL == ""}, needed{"source_credentials", out.Source.IsEmpty() || out.Source.Reveal() == "null"})
	if err != nil {
		return out, err
	}
	if out.target, out.endpoint, err = readImpersonationURL(out.URL); err != nil {
		return out, err
	}
	for i := range out.Delegates {
		if out.Delegates[i], err = checkServiceAccount(out.Delegates[i]); err != nil {
			return out, fault.Within(err, "its key delegates")
		}
	}
	if out.source, err = readFile(out.Source.Text, sourceKinds...); err == nil {
		err = out.source.check()
	}
	return out, fault.Within(err, "its key source_credentials")
}

// readImpersonationURL takes the address apart that tokens of a service account come from.
func readImpersonationURL(text string) (target, endpoint string, err error) {
	u, err := url.Parse(text)
	if err == nil && checkTokenAddress("", text) == nil && u.RawQuery == "" {
		name, begins := strings.CutPrefix(u.Path, "/v1/projects/-/serviceAccounts/")
		name, ends := strings.CutSuffix(name, ":generateAccessToken")
		if target, err = checkServiceAccount(name); begins && ends && err == nil {
			return target, u.Scheme + "://" + u.Host, nil
		}
	}
	return "", "", fault.New(fault.Invalid, "its key service_account_impersonation_url is not an address of IAM's").
		Hint("it looks like https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/NAME@PROJECT.iam.gserviceaccount.com:generateAccessToken")
}

func openImpersonatedFile(c *clients, where string, f credentialFile) (source, error) {
	file, err := readImpersonation(f)
	if err != nil {
		return nil, err
	}
	from, err := openFile(c, "its key source_credentials", file.source.text, sourceKinds...)
	if err != nil {
		return nil, err
	}
	return &impersonated{c: c, from: from, target: file.target, delegates: file.Delegates, quota: file.Quota, endpoint: file.endpoint}, nil
}
