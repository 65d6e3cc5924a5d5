package gcp

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/svcconn/svcconn/pkg/fault"
)

// meaning is what a refusal means to a person. What is in braces is told by the answer:
// see facts.
type meaning struct {
	kind fault.Kind
	says string // behind the service's name
	hint string // the next step; Unavailable has its own
}

// The meanings that codes share.
var (
	forbidden = meaning{
		fault.Denied, "refuses {who}{wants}",
		"grant it, or use a connector that may: gcloud projects add-iam-policy-binding {project} --member={member} --role={role}; deny policies and conditions can forbid it, too",
	}
	noImpersonation = meaning{
		fault.Denied, "refuses {who}{wants}",
		"grant it to whom the connector logs in as: gcloud iam service-accounts add-iam-policy-binding {account} --member={member} --role=roles/iam.serviceAccountTokenCreator; " +
			"with delegates, each of them has to be granted it on the next; a new grant takes a minute or two",
	}
	apiDisabled = meaning{
		fault.Denied, "says that {service} is not enabled in project {project}",
		"gcloud services enable {service} --project {project}; it takes a minute or two until that counts everywhere",
	}
	tokenOver = meaning{
		fault.Denied, "does not accept the token: it has expired, was revoked, or is none",
		"give the connector a new one with `svcconn update`; auth methods that mint tokens get new ones by themselves",
	}
	noToken    = meaning{fault.Denied, "wants a token and got none", "a proxy may have taken it out: check {setting}, and the proxy if there is one"}
	wrongToken = meaning{
		fault.Denied, "does not take tokens of this type", "a token for a bucket is good for Cloud Storage alone; use a credential of another resource type",
	}
	fewScopes = meaning{
		fault.Denied, "finds too few scopes in the token",
		"log in with the scope https://www.googleapis.com/auth/cloud-platform: for a person, gcloud auth application-default login; on a virtual machine, the scopes are in its settings",
	}
	accountOff = meaning{
		fault.Denied, "says that the account of the token is disabled or deleted", "gcloud iam service-accounts enable ACCOUNT, or use a connector of another account",
	}
	blockedUser = meaning{fault.Denied, "is closed to the account by its Google Workspace administrator", "ask the administrator, or use a service account"}
	quotaDenied = meaning{
		fault.Denied, "does not let {who} use project {project} for quota and billing",
		"gcloud projects add-iam-policy-binding {project} --member={member} --role=roles/serviceusage.serviceUsageConsumer; or choose another: --set quota_project_id=PROJECT",
	}
	noProject = meaning{
		fault.Denied, "knows no project {project}, or none that is ours",
		"check project_id and quota_project_id: it is the project's id, not its name; `gcloud projects list` has those that are there",
	}
	suspended = meaning{fault.Denied, "says that project {project} is suspended", "see the Google Cloud console for why, or use another project"}
	noBilling = meaning{
		fault.Denied, "says that project {project} has no billing account that is open", "gcloud billing projects link {project} --billing-account=ACCOUNT; `gcloud billing accounts list` has them",
	}
	perimeter = meaning{
		fault.Denied, "is closed to this request by VPC Service Controls",
		"ask from within the service perimeter, or have who administers it let {who} in; by its unique identifier they find the request in the audit log: {uid}",
	}
	orgPolicy = meaning{
		fault.Denied, "is closed to this request by a policy of the organization", "ask who administers the organization's policies, with the words of this error",
	}
	tooOften    = meaning{fault.Unavailable, "is being asked too often", ""}
	outOfOrder  = meaning{fault.Unavailable, "is out of order", ""}
	noSuchThing = meaning{fault.NotFound, "finds nothing by that name", "check the name, and the project that the connector is for (field project_id)"}
	invalidCall = meaning{fault.Invalid, "does not accept the request", "check the fields of the connector and the name of the resource"}
	tooLong     = meaning{
		fault.Invalid, "does not give tokens for so long",
		"ask for an hour or less with --expiration, or have the account added to the organization policy constraints/iam.allowServiceAccountCredentialLifetimeExtension, which allows 12 hours",
	}
)

// The meanings of OAuth's errors.
var (
	badKey = meaning{
		fault.Denied, "does not accept the key: it was deleted or disabled, or is another account's",
		"make another and give it to the connector: gcloud iam service-accounts keys create key.json --iam-account=ACCOUNT, then svcconn update NAME --set service_account_json=@key.json",
	}
	badTime     = meaning{fault.Denied, "does not accept the time that was signed", "try again"}
	accountGone = meaning{
		fault.Denied, "knows no such account, or one that is disabled", "check that the account is there and enabled: gcloud iam service-accounts describe ACCOUNT",
	}
	loginOver = meaning{
		fault.Denied, "does not accept the login: it has expired or was revoked, or is another client's",
		"log in anew: `svcconn verify NAME` where the connector has a client_id, else gcloud auth application-default login and then svcconn update NAME " +
			"--set user_account_json=@$HOME/.config/gcloud/application_default_credentials.json; logins of an OAuth client that is in testing end after 7 days",
	}
	loginAgain = meaning{
		fault.NeedsPerson, "wants the person to log in again: the organization lets sessions end",
		"log in anew: `svcconn verify NAME` where the connector has a client_id, else gcloud auth application-default login and then svcconn update NAME " +
			"--set user_account_json=@$HOME/.config/gcloud/application_default_credentials.json; a service account has no sessions that end",
	}
	badClient = meaning{
		fault.Denied, "does not know the OAuth client, or not by that secret", "check client_id and client_secret at https://console.cloud.google.com/auth/clients: the client may have been deleted",
	}
	badScope     = meaning{fault.Invalid, "does not give the scopes that are asked for", "check which scopes the OAuth client and the login are for"}
	noGrant      = meaning{fault.Denied, "does not let this client or account get tokens in this way", "check the kind of the OAuth client, and what the account was delegated"}
	adminForbids = meaning{
		fault.Denied, "is told by the organization's administrator not to give this client tokens",
		"have the administrator trust the OAuth client (Admin console, API controls), or use a service account",
	}
	internalOnly = meaning{fault.Denied, "gives tokens of this OAuth client to its own organization's accounts alone", "log in with an account of the organization, or use another client"}
	personRefuse = meaning{fault.Denied, "was told by the person not to give access", "log in again and allow it: svcconn verify NAME"}
	personLate   = meaning{fault.NeedsPerson, "waited for the person, who did not log in in time", "log in again: svcconn verify NAME"}
	personWaits  = meaning{fault.NeedsPerson, "waits for a person to log in", "open the page that was shown and enter the code"}
	badSubject   = meaning{
		fault.Denied, "does not accept the subject token",
		"check that it is new, and that the provider of the workload identity pool has its issuer and audience: gcloud iam workload-identity-pools providers describe",
	}
	badCondition = meaning{
		fault.Denied, "does not let this subject in", "check the attribute condition of the provider: gcloud iam workload-identity-pools providers describe; the token's claims have to meet it",
	}
	badPool = meaning{
		fault.Denied, "knows no such pool or provider, or one that is disabled",
		"check the audience in external_account_json: //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
	}
)

// refusals are the codes and reasons of Google's APIs, and of its OAuth. No word is in it
// twice.
//   - https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto
//   - https://cloud.google.com/apis/design/errors#handling_errors
//   - https://cloud.google.com/storage/docs/json_api/v1/status-codes
//   - https://developers.google.com/identity/protocols/oauth2
var refusals = []struct {
	meaning
	words []string
}{
	{forbidden, []string{"PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "forbidden", "insufficientFilePermissions"}},
	{apiDisabled, []string{"SERVICE_DISABLED", "accessNotConfigured", "SERVICE_NOT_VISIBLE"}},
	{tokenOver, []string{"UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "authError", "expired", "invalidCredentials", "SESSION_COOKIE_INVALID", "invalid_token", "unauthorized"}},
	{noToken, []string{"CREDENTIALS_MISSING"}},
	{wrongToken, []string{"ACCESS_TOKEN_TYPE_UNSUPPORTED"}},
	{fewScopes, []string{"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficient_scope"}},
	{accountOff, []string{"ACCOUNT_STATE_INVALID"}},
	{blockedUser, []string{"USER_BLOCKED_BY_ADMIN", "domainPolicy"}},
	{quotaDenied, []string{"USER_PROJECT_DENIED", "userProjectAccessDenied"}},
	{noProject, []string{"CONSUMER_INVALID", "RESOURCE_PROJECT_INVALID", "userProjectInvalid", "projectNotLinked"}},
	{suspended, []string{"CONSUMER_SUSPENDED", "GCP_SUSPENDED"}},
	{noBilling, []string{"BILLING_DISABLED", "accountDisabled", "UREQ_PROJECT_BILLING_NOT_FOUND", "UREQ_PROJECT_BILLING_NOT_OPEN", "billingNotEnabled"}},
	{perimeter, []string{"SECURITY_POLICY_VIOLATED", "vpcServiceControls"}},
	{orgPolicy, []string{
		"RESOURCE_USAGE_RESTRICTION_VIOLATED", "ORG_RESTRICTION_VIOLATION", "ORG_RESTRICTION_HEADER_INVALID", "LOCATION_POLICY_VIOLATED", "LOCATION_ORG_POLICY_VIOLATED",
		"LOCATION_TAX_POLICY_VIOLATED", "TLS_ORG_RESTRICTION_VIOLATED",
	}},
	{tooOften, []string{
		"RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded",
		"rate_limit_exceeded", "slow_down",
	}},
	{outOfOrder, []string{
		"UNAVAILABLE", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED", "DATA_LOSS", "CANCELLED", "backendError", "internalError",
		"server_error", "temporarily_unavailable", "internal_failure",
	}},
	{noSuchThing, []string{"NOT_FOUND", "notFound"}},
	{invalidCall, []string{
		"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED", "ALREADY_EXISTS", "badRequest", "invalid", "invalidParameter", "parseError",
		"invalid_request", "unsupported_grant_type", "redirect_uri_mismatch", "invalid_redirect_uri", "unsupported_response_type",
	}},
	{loginOver, []string{"invalid_grant"}},
	{loginAgain, []string{"invalid_rapt", "rapt_required"}},
	{badClient, []string{"invalid_client", "deleted_client", "disabled_client"}},
	{badScope, []string{"invalid_scope", "restricted_client"}},
	{noGrant, []string{"unauthorized_client"}},
	{adminForbids, []string{"admin_policy_enforced"}},
	{internalOnly, []string{"org_internal"}},
	{personRefuse, []string{"access_denied"}},
	{personLate, []string{"expired_token"}},
	{personWaits, []string{"authorization_pending"}},
	{badPool, []string{"invalid_target"}},
}

// meanings are the refusals by word.
var meanings = func() map[string]meaning {
	out := map[string]meaning{}
	for _, r := range refusals {
		for _, word := range r.words {
			out[word] = r.meaning
		}
	}
	return out
}()

// told are refusals that only the service, or its words, tell from others of the same
// code. Empty words fit all.
var told = []struct {
	codes   []string
	service string // "" is any
	words   string // in lower case
	meaning
}{
	{[]string{"invalid_grant"}, "", "invalid_rapt", loginAgain},
	{[]string{"invalid_grant"}, "", "rapt_required", loginAgain},
	{[]string{"invalid_grant"}, stsAPI.service, "", badSubject},
	{[]string{"invalid_request"}, stsAPI.service, "subject", badSubject},
	{[]string{"unauthorized_client"}, stsAPI.service, "", badCondition},
	{[]string{"invalid_request"}, stsAPI.service, "audience", badPool},
	{[]string{"invalid_grant"}, "", "jwt signature", badKey},
	{[]string{"invalid_grant"}, "", "reasonable timeframe", badTime},
	{[]string{"invalid_grant"}, "", "account not found", accountGone},
	{[]string{"invalid_grant"}, "", "not a valid email", accountGone},
	{[]string{"invalid_grant"}, "", "has been deleted", accountGone},
	{[]string{"invalid_grant"}, "", "disabled", accountGone},
	{[]string{"required"}, "", "login required", noToken},
	{[]string{"required"}, "", "anonymous caller", noToken},
	{[]string{"invalid_request"}, "", "invalid credentials", tokenOver},
	{[]string{"invalid_request"}, oauthAPI.service, "invalid value", tokenOver}, // tokeninfo
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "billing disabled", noBilling},
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "billing account", noBilling},
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "billing to be enabled", noBilling},
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "insufficient authentication scopes", fewScopes},
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "vpcservicecontrolsuniqueidentifier", perimeter},
	{[]string{"PERMISSION_DENIED", "forbidden", "accessNotConfigured"}, "", "it is disabled. enable it by visiting", apiDisabled},
	{[]string{"PERMISSION_DENIED", "forbidden"}, "", "required permission to use project", quotaDenied},
	{[]string{"PERMISSION_DENIED", "forbidden"}, credentialsAPI.service, "", noImpersonation},
	{[]string{"INVALID_ARGUMENT", "FAILED_PRECONDITION", "PERMISSION_DENIED"}, credentialsAPI.service, "credentiallifetimeextension", tooLong},
	{[]string{"FAILED_PRECONDITION", "INVALID_ARGUMENT", "PERMISSION_DENIED"}, "", "constraints/", orgPolicy},
}

// meaning looks a refusal up: by its reason, by its words, by its code, by its status.
func (a *answer) meaning() meaning {
	if m, ok := meanings[a.reason]; ok && m != forbidden && m != invalidCall {
		return m
	}
	code := cmp.Or(a.code, a.reason)
	for _, t := range told {
		if slices.Contains(t.codes, code) && (t.service == "" || t.service == a.api.service) && a.has(t.words) {
			return t.meaning
		}
	}
	for _, word := range []string{a.code, a.reason} {
		if m, ok := meanings[word]; ok {
			return m
		}
	}
	return byStatus(a.status)
}

func byStatus(status int) meaning {
	switch {
	case status == http.StatusUnauthorized:
		return tokenOver
	case status == http.StatusForbidden:
		return forbidden
	case status == http.StatusTooManyRequests:
		return tooOften
	case status >= http.StatusInternalServerError:
		return outOfOrder
	case status == http.StatusNotFound || status == http.StatusGone:
		return noSuchThing
	}
	return invalidCall
}
