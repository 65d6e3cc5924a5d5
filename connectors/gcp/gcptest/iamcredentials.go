package gcptest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// iamCredentialsService gives tokens of service accounts to who may impersonate them.
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func iamCredentialsService() *service {
	return &service{
		name: "iamcredentials", api: "iamcredentials.googleapis.com", title: "IAM Service Account Credentials API",
		operations: []operation{{
			method: http.MethodPost, path: "/v1/projects/-/serviceAccounts/{account}:generateAccessToken", action: "generateAccessToken",
			scopes: []string{authScopes + "iam"}, run: generateAccessToken,
		}},
	}
}

// longestLifetime is the longest that any token may last.
const longestLifetime = 12 * time.Hour

func generateAccessToken(r *request) (answer, error) {
	var in struct {
		Delegates []string `json:"delegates"`
		Scope     []string `json:"scope"`
		Lifetime  string   `json:"lifetime"`
	}
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	scopes, err := readScopes(strings.Join(in.Scope, " "))
	if err != nil {
		return answer{}, invalid("Invalid scope.")
	}
	if len(scopes) == 0 {
		return answer{}, invalid("Scope required.")
	}
	account, err := r.impersonate(in.Delegates)
	if err != nil {
		return answer{}, err
	}
	lifetime, err := readLifetime(in.Lifetime, account)
	if err != nil {
		return answer{}, err
	}
	t := r.server.issue(accountPrefix, lifetime, accessToken{who: account.principal(), scopes: scopes, client: account.uniqueID()})
	return answerJSON(map[string]string{"accessToken": t.text, "expireTime": t.expires.UTC().Truncate(time.Second).Format(time.RFC3339)})
}

// impersonate goes from the caller through the delegates to the account that the path
// names: each must be let impersonate the next.
func (r *request) impersonate(delegates []string) (*ServiceAccount, error) {
	who := r.token.who
	var account *ServiceAccount
	for _, name := range append(slices.Clone(delegates), "projects/-/serviceAccounts/"+r.vars["account"]) {
		email, ok := strings.CutPrefix(name, "projects/-/serviceAccounts/")
		if !ok {
			return nil, invalid("Invalid delegate: %s. It must be projects/-/serviceAccounts/{ACCOUNT_EMAIL_OR_UNIQUEID}.", name)
		}
		account = r.server.accountOf(email)
		switch {
		case account == nil:
			return nil, notFound("Not found; Gaia id not found for email %s", email)
		case !account.letsImpersonate(who):
			return nil, forbidden("IAM_PERMISSION_DENIED", "iam.googleapis.com", map[string]string{"permission": permissionGetToken},
				"Permission '%s' denied on resource (or it may not exist).", permissionGetToken)
		case account.disabled:
			return nil, &apiError{status: http.StatusBadRequest, code: "FAILED_PRECONDITION", message: fmt.Sprintf("Service account %s is disabled.", email)}
		}
		who = account.principal()
	}
	return account, nil
}

// letsImpersonate says whether somebody may get tokens of the account, by the account's
// own policy or its project's.
func (a *ServiceAccount) letsImpersonate(who *principal) bool {
	return a.impersonator.allow(who, permissionGetToken) || a.project.grants.allow(who, permissionGetToken)
}

// readLifetime reads how long a token shall last: "3600s".
func readLifetime(text string, account *ServiceAccount) (time.Duration, error) {
	if text == "" {
		return accessLifetime, nil
	}
	lifetime, err := time.ParseDuration(text)
	switch {
	case err != nil || !strings.HasSuffix(text, "s") || strings.ContainsAny(text, "hmnuµ"):
		return 0, invalid("Invalid value at 'lifetime' (type.googleapis.com/google.protobuf.Duration), %q", text)
	case lifetime <= 0 || lifetime > longestLifetime:
		return 0, invalid("The lifetime of the access token must be between 0 and %d seconds.", int(longestLifetime.Seconds()))
	case lifetime > account.longest:
		return 0, invalid("Access tokens for service account %s can not have lifetimes of more than 1 hour. "+
			"Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours.", account.email)
	}
	return lifetime, nil
}
