package gcp

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// status is an error of the APIs. details are JSON.
func status(code, message string, details ...string) string {
	reason := map[string]string{"PERMISSION_DENIED": "forbidden", "NOT_FOUND": "notFound", "UNAUTHENTICATED": "authError"}[code]
	return `{"error":{"code":400,"message":` + quoted(message) + `,"status":"` + code + `","errors":[{"message":"x","domain":"global","reason":"` + reason + `"}],"details":[` +
		strings.Join(details, ",") + `]}}`
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}

// info is a google.rpc.ErrorInfo; pairs are its metadata.
func info(reason, domain string, pairs ...string) string {
	var metadata []string
	for i := 0; i < len(pairs); i += 2 {
		metadata = append(metadata, quoted(pairs[i])+":"+quoted(pairs[i+1]))
	}
	return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `","domain":"` + domain + `","metadata":{` + strings.Join(metadata, ",") + `}}`
}

// older is an error as Cloud Storage has them.
func older(reason, message string) string {
	return `{"error":{"code":400,"message":` + quoted(message) + `,"errors":[{"message":` + quoted(message) + `,"domain":"global","reason":"` + reason + `"}]}}`
}

// oauth is an error of the authorization server's.
func oauth(code, description string) string {
	return `{"error":"` + code + `","error_description":` + quoted(description) + `}`
}

// refusedCase is what a service answers, and what becomes of it.
type refusedCase struct {
	api    api
	status int
	body   string
	kind   fault.Kind
	says   string
	hint   string
}

// The APIs' refusals, in the words that they have been seen with.
var apiRefusals = map[string]refusedCase{
	"API not enabled": {containerAPI, 403, status("PERMISSION_DENIED",
		"Kubernetes Engine API has not been used in project acme-prod before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/container.googleapis.com/overview?project=acme-prod then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
		`{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Google developers console API activation","url":"https://console.developers.google.com/x"}]}`,
		info("SERVICE_DISABLED", "googleapis.com", "service", "container.googleapis.com", "serviceTitle", "Kubernetes Engine API", "consumer", "projects/acme-prod", "containerInfo", "acme-prod")),
		fault.Denied, "Kubernetes Engine says that container.googleapis.com is not enabled in project acme-prod: SERVICE_DISABLED: Kubernetes Engine API has not been used", "gcloud services enable container.googleapis.com --project acme-prod"},
	"API not enabled, by number": {registryAPI, 403, status("PERMISSION_DENIED", "x", info("SERVICE_DISABLED", "googleapis.com", "service", "artifactregistry.googleapis.com", "consumer", "projects/123456789")),
		fault.Denied, "artifactregistry.googleapis.com is not enabled in project 123456789", "gcloud services enable artifactregistry.googleapis.com --project 123456789"},
	"API not enabled, older": {storageAPI, 403, older("accessNotConfigured",
		"Access Not Configured. Cloud Storage JSON API has not been used in project 88979237084 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/storage.googleapis.com/overview?project=88979237084 then retry."),
		fault.Denied, "storage.googleapis.com is not enabled in project 88979237084", "gcloud services enable storage.googleapis.com --project 88979237084"},
	"API not enabled, without a reason": {containerAPI, 403, status("PERMISSION_DENIED", "Kubernetes Engine API has not been used in project 123456789 before or it is disabled. Enable it by visiting https://x then retry."),
		fault.Denied, "container.googleapis.com is not enabled in project 123456789", "gcloud services enable container.googleapis.com --project 123456789"},
	"API not enabled, a joke": {containerAPI, 403, status("PERMISSION_DENIED", "x", info("SERVICE_DISABLED", "googleapis.com", "service", "x; rm -rf /", "consumer", "projects/$(reboot)")),
		fault.Denied, "container.googleapis.com is not enabled in project acme-prod", "gcloud services enable container.googleapis.com --project acme-prod"},
	"permission, by IAM": {registryAPI, 403, status("PERMISSION_DENIED",
		"Permission 'artifactregistry.repositories.list' denied on resource '//artifactregistry.googleapis.com/projects/acme-prod/locations/europe' (or it may not exist).",
		info("IAM_PERMISSION_DENIED", "artifactregistry.googleapis.com", "permission", "artifactregistry.repositories.list", "resource", "projects/acme-prod/locations/europe")),
		fault.Denied, "Artifact Registry refuses ci@acme-prod.iam.gserviceaccount.com artifactregistry.repositories.list on projects/acme-prod/locations/europe: IAM_PERMISSION_DENIED: Permission",
		"gcloud projects add-iam-policy-binding acme-prod --member=serviceAccount:ci@acme-prod.iam.gserviceaccount.com --role=roles/artifactregistry.reader"},
	"permission, by IAM in words": {registryAPI, 403, status("PERMISSION_DENIED",
		"Permission 'artifactregistry.repositories.get' denied on resource '//artifactregistry.googleapis.com/projects/acme-2/locations/us' (or it may not exist)."),
		fault.Denied, "artifactregistry.repositories.get on projects/acme-2/locations/us: PERMISSION_DENIED", "add-iam-policy-binding acme-2 "},
	"permission, in words": {containerAPI, 403, status("PERMISSION_DENIED", `Required "container.clusters.list" permission(s) for "projects/other-1". See https://cloud.google.com/kubernetes-engine/docs/troubleshooting#gke_service_account_deleted for more info.`),
		fault.Denied, "Kubernetes Engine refuses ci@acme-prod.iam.gserviceaccount.com container.clusters.list on projects/other-1: PERMISSION_DENIED: Required",
		"gcloud projects add-iam-policy-binding other-1 --member=serviceAccount:ci@acme-prod.iam.gserviceaccount.com --role=roles/container.clusterViewer"},
	"permission, by Storage": {storageAPI, 403, older("forbidden", "jane@example.com does not have storage.buckets.list access to the Google Cloud project. Permission 'storage.buckets.list' denied on resource (or it may not exist)."),
		fault.Denied, "Cloud Storage refuses jane@example.com storage.buckets.list on the Google Cloud project: forbidden: jane@example.com does not",
		"gcloud projects add-iam-policy-binding acme-prod --member=user:jane@example.com --role=roles/storage.bucketViewer"},
	"permission of somebody": {storageAPI, 403, older("forbidden", "Caller does not have storage.objects.get access to the Google Cloud Storage object."),
		fault.Denied, "storage.objects.get on the Google Cloud Storage object", "--role=roles/storage.objectViewer"},
	"permission nobody knows": {containerAPI, 403, status("PERMISSION_DENIED", "x", info("IAM_PERMISSION_DENIED", "iam.googleapis.com", "permission", "a.b.c")), fault.Denied, "refuses ci@acme-prod.iam.gserviceaccount.com a.b.c: ", "--role=ROLE"},
	"permission, a joke":      {containerAPI, 403, status("PERMISSION_DENIED", "x", info("IAM_PERMISSION_DENIED", "iam.googleapis.com", "permission", "$(reboot)")), fault.Denied, "refuses ci@acme-prod.iam.gserviceaccount.com: IAM_PERMISSION_DENIED: x", "--role=ROLE"},
	"no impersonation": {credentialsAPI, 403, status("PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
		info("IAM_PERMISSION_DENIED", "iam.googleapis.com", "permission", "iam.serviceAccounts.getAccessToken")),
		fault.Denied, "IAM refuses ci@acme-prod.iam.gserviceaccount.com iam.serviceAccounts.getAccessToken on target@acme-prod.iam.gserviceaccount.com",
		"gcloud iam service-accounts add-iam-policy-binding target@acme-prod.iam.gserviceaccount.com --member=serviceAccount:ci@acme-prod.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator"},
	"no impersonation, older": {credentialsAPI, 403, status("PERMISSION_DENIED", "The caller does not have permission"), fault.Denied, "IAM refuses ci@acme-prod.iam.gserviceaccount.com: PERMISSION_DENIED: The caller", "serviceAccountTokenCreator"},
	"no such account":         {credentialsAPI, 404, status("NOT_FOUND", "Not found; Gaia id not found for email target@acme-prod.iam.gserviceaccount.com"), fault.NotFound, "IAM finds nothing by that name: NOT_FOUND: Not found; Gaia id", "name"},
	"too long": {credentialsAPI, 400, status("INVALID_ARGUMENT",
		"Access tokens for service account target@acme-prod.iam.gserviceaccount.com can not have lifetimes of more than 1 hour. Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours."),
		fault.Invalid, "IAM does not give tokens for so long: INVALID_ARGUMENT: Access tokens", "constraints/iam.allowServiceAccountCredentialLifetimeExtension"},
	"scopes": {containerAPI, 403, status("PERMISSION_DENIED", "Request had insufficient authentication scopes.",
		info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", "service", "container.googleapis.com", "method", "google.container.v1.ClusterManager.ListClusters")),
		fault.Denied, "Kubernetes Engine finds too few scopes in the token: ACCESS_TOKEN_SCOPE_INSUFFICIENT: Request had", "https://www.googleapis.com/auth/cloud-platform"},
	"scopes, older":      {storageAPI, 403, older("insufficientPermissions", "Insufficient Permission"), fault.Denied, "too few scopes", "cloud-platform"},
	"scopes, in words":   {containerAPI, 403, status("PERMISSION_DENIED", "Request had insufficient authentication scopes."), fault.Denied, "too few scopes", "cloud-platform"},
	"token expired":      {registryAPI, 401, status("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", info("ACCESS_TOKEN_EXPIRED", "googleapis.com")), fault.Denied, "Artifact Registry does not accept the token: it has expired, was revoked, or is none: ACCESS_TOKEN_EXPIRED", "svcconn update"},
	"token wrong":        {containerAPI, 401, status("UNAUTHENTICATED", "Request had invalid authentication credentials."), fault.Denied, "does not accept the token", "svcconn update"},
	"token wrong, older": {storageAPI, 401, older("authError", "Invalid Credentials"), fault.Denied, "Cloud Storage does not accept the token: it has expired, was revoked, or is none: authError: Invalid Credentials", "svcconn update"},
	"token missing":      {containerAPI, 401, status("UNAUTHENTICATED", "Request is missing required authentication credential.", info("CREDENTIALS_MISSING", "googleapis.com")), fault.Denied, "wants a token", "api_endpoint_container"},
	"token missing, older": {storageAPI, 401, older("required", "Anonymous caller does not have storage.buckets.list access to the Google Cloud project."),
		fault.Denied, "wants a token", "api_endpoint_storage"},
	"token of another type": {containerAPI, 401, status("UNAUTHENTICATED", "x", info("ACCESS_TOKEN_TYPE_UNSUPPORTED", "googleapis.com")), fault.Denied, "tokens of this type", "bucket"},
	"account off":           {storageAPI, 401, status("UNAUTHENTICATED", "x", info("ACCOUNT_STATE_INVALID", "googleapis.com", "email", "ci@acme-prod.iam.gserviceaccount.com")), fault.Denied, "disabled or deleted", "enable"},
	"quota project": {storageAPI, 403, status("PERMISSION_DENIED",
		"Caller does not have required permission to use project billing-1. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, by visiting https://console.developers.google.com/iam-admin/iam/project?project=billing-1 and then retry.",
		info("USER_PROJECT_DENIED", "googleapis.com", "consumer", "projects/billing-1", "service", "storage.googleapis.com")),
		fault.Denied, "Cloud Storage does not let ci@acme-prod.iam.gserviceaccount.com use project billing-1 for quota and billing: USER_PROJECT_DENIED: Caller",
		"gcloud projects add-iam-policy-binding billing-1 --member=serviceAccount:ci@acme-prod.iam.gserviceaccount.com --role=roles/serviceusage.serviceUsageConsumer; or choose another: --set quota_project_id="},
	"quota project, in words": {storageAPI, 403, older("forbidden", "Caller does not have required permission to use project billing-1. Grant the caller the Owner role."), fault.Denied, "use project billing-1 for quota", "quota_project_id"},
	"unknown project": {containerAPI, 403, status("PERMISSION_DENIED", "Permission denied on resource project acme-pord.", info("CONSUMER_INVALID", "googleapis.com", "consumer", "projects/acme-pord", "containerInfo", "acme-pord", "service", "container.googleapis.com")),
		fault.Denied, "Kubernetes Engine knows no project acme-pord, or none that is ours: CONSUMER_INVALID: Permission denied on resource project acme-pord.", "check project_id"},
	"billing": {registryAPI, 403, status("PERMISSION_DENIED", "This API method requires billing to be enabled. Please enable billing on project #acme-prod by visiting https://x then retry.", info("BILLING_DISABLED", "googleapis.com", "consumer", "projects/acme-prod", "service", "artifactregistry.googleapis.com")),
		fault.Denied, "project acme-prod has no billing account that is open: BILLING_DISABLED", "gcloud billing projects link acme-prod"},
	"billing, older":    {storageAPI, 403, older("accountDisabled", "The billing account for the owning project is disabled in state absent"), fault.Denied, "no billing account", "gcloud billing projects link acme-prod"},
	"billing, in words": {containerAPI, 403, status("PERMISSION_DENIED", "Project acme-2 (#808448574146) has billing disabled. Please enable it."), fault.Denied, "project acme-2 has no billing account", "gcloud billing projects link acme-2"},
	"perimeter": {storageAPI, 403, status("PERMISSION_DENIED", "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: eYhDkfYCu-dOCjuj8X4Am9",
		`{"@type":"type.googleapis.com/google.rpc.PreconditionFailure","violations":[{"type":"VPC_SERVICE_CONTROLS","description":"eYhDkfYCu-dOCjuj8X4Am9"}]}`,
		info("SECURITY_POLICY_VIOLATED", "googleapis.com", "uid", "eYhDkfYCu-dOCjuj8X4Am9", "consumer", "projects/acme-prod", "service", "storage.googleapis.com")),
		fault.Denied, "Cloud Storage is closed to this request by VPC Service Controls: SECURITY_POLICY_VIOLATED: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: eYhDkfYCu-dOCjuj8X4Am9", "audit log: eYhDkfYCu-dOCjuj8X4Am9"},
	"perimeter, in words": {storageAPI, 403, older("forbidden", "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: eYhD"), fault.Denied, "VPC Service Controls", "perimeter"},
	"organization's policy": {registryAPI, 412, status("FAILED_PRECONDITION", "Request is disallowed by organization's constraints.",
		`{"@type":"type.googleapis.com/google.rpc.PreconditionFailure","violations":[{"type":"constraints/gcp.restrictServiceUsage","subject":"orgpolicy:projects/p","description":"x is not allowed"}]}`),
		fault.Denied, "by a policy of the organization: FAILED_PRECONDITION: Request is disallowed by organization's constraints. (constraints/gcp.restrictServiceUsage: x is not allowed)", "organization"},
	"restricted":       {storageAPI, 403, status("PERMISSION_DENIED", "x", info("RESOURCE_USAGE_RESTRICTION_VIOLATED", "googleapis.com", "consumer", "projects/p")), fault.Denied, "policy of the organization", ""},
	"suspended":        {storageAPI, 403, status("PERMISSION_DENIED", "x", info("CONSUMER_SUSPENDED", "googleapis.com", "consumer", "projects/p-1")), fault.Denied, "project p-1 is suspended", "console"},
	"blocked":          {storageAPI, 403, status("PERMISSION_DENIED", "x", info("USER_BLOCKED_BY_ADMIN", "googleapis.com")), fault.Denied, "Workspace administrator", ""},
	"not found":        {containerAPI, 404, status("NOT_FOUND", "Not found: projects/acme-prod/locations/europe-west1/clusters/staging."), fault.NotFound, "Kubernetes Engine finds nothing by that name: NOT_FOUND: Not found: projects/acme-prod", "project_id"},
	"not found, older": {storageAPI, 404, older("notFound", "The specified bucket does not exist."), fault.NotFound, "Cloud Storage finds nothing by that name: notFound: The specified bucket", "name"},
	"too often": {containerAPI, 429, status("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Requests'", info("RATE_LIMIT_EXCEEDED", "googleapis.com", "quota_limit", "x")),
		fault.Unavailable, "Kubernetes Engine is being asked too often, after 4 tries: RATE_LIMIT_EXCEEDED: Quota exceeded", "try again later"},
	"too often, older": {storageAPI, 429, older("rateLimitExceeded", "The rate of requests is too high"), fault.Unavailable, "is being asked too often, after 4 tries: rateLimitExceeded", "try again"},
	"too often, as 403": {storageAPI, 403, older("userRateLimitExceeded", "x"), fault.Unavailable,
		"is being asked too often: userRateLimitExceeded", "try again"},
	"out of order":        {containerAPI, 503, status("UNAVAILABLE", "The service is currently unavailable."), fault.Unavailable, "Kubernetes Engine is out of order, after 4 tries: UNAVAILABLE", "try again"},
	"out of order, older": {storageAPI, 500, older("backendError", "Backend Error"), fault.Unavailable, "out of order, after 4 tries: backendError", "try again"},
	"invalid": {containerAPI, 400, status("INVALID_ARGUMENT", "Request contains an invalid argument.",
		`{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"parent","description":"is malformed"}]}`),
		fault.Invalid, "does not accept the request: INVALID_ARGUMENT: Request contains an invalid argument. (parent: is malformed)", "fields"},
	"invalid, older": {storageAPI, 400, older("required", "Required parameter: project"), fault.Invalid, "does not accept the request: required: Required parameter: project", ""},
	"unknown code":   {containerAPI, 409, status("WHATEVER", "hm"), fault.Invalid, "does not accept the request: WHATEVER: hm", ""},
	"by its status":  {containerAPI, 403, `{"error":{"message":"go away"}}`, fault.Denied, "Kubernetes Engine refuses ci@acme-prod.iam.gserviceaccount.com: go away", ""},
	"hostile":        {containerAPI, 403, `{"error":{"message":"a\r\nb\u001b[2J ` + wireToken + ` Bearer canary-canary x","status":"X\u001b"}}`, fault.Denied, "refuses ci@acme-prod.iam.gserviceaccount.com: X: a b [2J [redacted] Bearer [redacted] x", ""},
}

// OAuth's refusals, of the authorization server and of the Security Token Service.
var oauthRefusals = map[string]refusedCase{
	"key deleted":       {oauthAPI, 400, oauth("invalid_grant", "Invalid JWT Signature."), fault.Denied, "Google's authorization server does not accept the key: it was deleted or disabled, or is another account's: invalid_grant: Invalid JWT Signature.", "gcloud iam service-accounts keys create"},
	"account gone":      {oauthAPI, 400, oauth("invalid_grant", "Invalid grant: account not found"), fault.Denied, "knows no such account", "gcloud iam service-accounts describe"},
	"account deleted":   {oauthAPI, 400, oauth("invalid_grant", "Account has been deleted"), fault.Denied, "knows no such account", ""},
	"account disabled":  {oauthAPI, 400, oauth("invalid_grant", "Robot is disabled."), fault.Denied, "or one that is disabled: invalid_grant: Robot is disabled.", "enabled"},
	"no e-mail address": {oauthAPI, 400, oauth("invalid_grant", "Not a valid email or user ID."), fault.Denied, "knows no such account", ""},
	"login over":        {oauthAPI, 400, oauth("invalid_grant", "Token has been expired or revoked."), fault.Denied, "does not accept the login: it has expired or was revoked, or is another client's: invalid_grant: Token has been expired or revoked.", "gcloud auth application-default login"},
	"login of another":  {oauthAPI, 400, oauth("invalid_grant", "Bad Request"), fault.Denied, "does not accept the login", "log in anew"},
	"session over":      {oauthAPI, 400, `{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_uri":"https://support.google.com/a/answer/9368756","error_subtype":"invalid_rapt"}`, fault.NeedsPerson, "wants the person to log in again: the organization lets sessions end: invalid_grant: reauth related error (invalid_rapt)", "log in anew"},
	"session to begin":  {oauthAPI, 400, `{"error":"invalid_grant","error_description":"reauth related error (rapt_required)","error_subtype":"rapt_required"}`, fault.NeedsPerson, "log in again", ""},
	"client unknown":    {oauthAPI, 401, oauth("invalid_client", "The OAuth client was not found."), fault.Denied, "does not know the OAuth client", "client_id"},
	"client deleted":    {oauthAPI, 401, oauth("deleted_client", "The OAuth client was deleted."), fault.Denied, "does not know the OAuth client", "deleted"},
	"scope":             {oauthAPI, 400, oauth("invalid_scope", "Some requested scopes were invalid."), fault.Invalid, "does not give the scopes", "scopes"},
	"not delegated":     {oauthAPI, 401, oauth("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."), fault.Denied, "does not let this client", ""},
	"administrator":     {oauthAPI, 400, oauth("admin_policy_enforced", "x"), fault.Denied, "administrator", "Admin console"},
	"internal":          {oauthAPI, 403, oauth("org_internal", "x"), fault.Denied, "own organization", "another client"},
	"refused by person": {oauthAPI, 403, oauth("access_denied", "Forbidden"), fault.Denied, "told by the person", "allow it"},
	"person is late":    {oauthAPI, 400, oauth("expired_token", ""), fault.NeedsPerson, "did not log in in time: expired_token", ""},
	"person is awaited": {oauthAPI, 428, oauth("authorization_pending", "Precondition Required"), fault.NeedsPerson, "waits for a person", ""},
	"too many codes":    {oauthAPI, 403, `{"error_code":"rate_limit_exceeded"}`, fault.Unavailable, "is being asked too often: rate_limit_exceeded", ""},
	"too soon":          {oauthAPI, 403, oauth("slow_down", "Forbidden"), fault.Unavailable, "is being asked too often", ""},
	"token unknown":     {oauthAPI, 400, `{"error_description":"Invalid Value"}`, fault.Denied, "does not accept the token: it has expired, was revoked, or is none: invalid_token: Invalid Value", ""},
	"token refused":     {oauthAPI, 401, oauth("invalid_request", "Invalid Credentials"), fault.Denied, "does not accept the token", ""},
	"malformed":         {oauthAPI, 400, oauth("invalid_request", "Missing required parameter: refresh_token"), fault.Invalid, "does not accept the request: invalid_request: Missing", ""},
	"all well, says it": {oauthAPI, 200, oauth("invalid_grant", "Invalid JWT Signature."), fault.Denied, "does not accept the key", ""},
	"out of order":      {oauthAPI, 500, oauth("internal_failure", ""), fault.Unavailable, "is out of order, after 4 tries: internal_failure", "try again"},
	"repeats":           {oauthAPI, 400, oauth("invalid_grant", "assertion=eyJhbGciOiJS.eyJpc3Mi.c2ln and canary/+wire=secret, GOCSPX-canary 1//0canary"), fault.Denied, "does not accept the login: it has expired or was revoked, or is another client's: invalid_grant: assertion=[redacted] and [redacted], [redacted] [redacted]", ""},

	"subject stale":    {stsAPI, 400, oauth("invalid_grant", "ID Token issued at 1676000000 is stale to sign-in."), fault.Denied, "the Security Token Service does not accept the subject token: invalid_grant: ID Token issued", "issuer and audience"},
	"issuer away":      {stsAPI, 400, oauth("invalid_grant", "Error connecting to the given credential's issuer."), fault.Denied, "does not accept the subject token", ""},
	"subject missing":  {stsAPI, 400, oauth("invalid_request", "Invalid value for \"subject_token\"."), fault.Denied, "does not accept the subject token", ""},
	"condition":        {stsAPI, 401, oauth("unauthorized_client", "The given credential is rejected by the attribute condition."), fault.Denied, "does not let this subject in: unauthorized_client: The given", "attribute condition"},
	"pool":             {stsAPI, 400, oauth("invalid_target", `The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.`), fault.Denied, "knows no such pool or provider, or one that is disabled: invalid_target", "//iam.googleapis.com/projects/NUMBER"},
	"pool, malformed":  {stsAPI, 400, oauth("invalid_request", `Invalid value for "audience". This value should be the full resource name of the Identity Provider.`), fault.Denied, "knows no such pool", ""},
	"STS, out of date": {stsAPI, 503, oauth("temporarily_unavailable", ""), fault.Unavailable, "the Security Token Service is out of order, after 4 tries", ""},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, table := range []map[string]refusedCase{apiRefusals, oauthRefusals} {
		for what, test := range table {
			t.Run(test.api.service+" "+what, func(t *testing.T) {
				t.Parallel()
				err := asks(t.Context(), answeringAlways(t, test.status, nil, test.body), test.api)
				says(t, what, err, test.kind, test.says, test.hint)
				if fault.HintOf(err) == "" {
					t.Errorf("%s: nobody says what to do: %v", what, err)
				}
			})
		}
	}
}

// Whoever handles a refusal goes by what is in the chain, which tells no secrets either.
func TestRefusalKeepsItsAnswer(t *testing.T) {
	t.Parallel()
	c := answeringAlways(t, 404, http.Header{"X-Y": {"z"}}, status("NOT_FOUND", wireToken, info("A_REASON", "x", "key", wireToken)))
	err := asks(t.Context(), c, containerAPI)
	var said *answer
	if !errors.As(err, &said) || said.status != 404 || said.code != "NOT_FOUND" || said.reason != "A_REASON" || said.header.Get("X-Y") != "z" {
		t.Fatalf("%#v", said)
	}
	if strings.Contains(said.message+said.metadata["key"], "canary") {
		t.Errorf("%+v", said)
	}
}

func TestAnswersAsErrors(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]answer{
		"403 Forbidden": {status: 403}, "CODE": {code: "CODE"}, "CODE: words": {code: "CODE", message: "words"}, "words": {message: "words"},
		"REASON: words": {code: "CODE", reason: "REASON", message: "words"}, "CODE: older": {code: "CODE", reason: "forbidden", message: "older"}, "reason": {reason: "reason"},
	} {
		if got := a.Error(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// Where neither codes nor words are known, the status says what it is.
func TestMeaningByStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{
		400: fault.Invalid, 401: fault.Denied, 403: fault.Denied, 404: fault.NotFound, 409: fault.Invalid, 410: fault.NotFound, 429: fault.Unavailable, 500: fault.Unavailable, 503: fault.Unavailable,
	} {
		a := &answer{status: status, code: "WHATEVER"}
		if got := a.meaning(); got.kind != want {
			t.Errorf("%d is %+v", status, got)
		}
	}
}

// No word is known twice, and none that means nothing.
func TestWordsAreNotRepeated(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range refusals {
		for _, word := range r.words {
			if seen[word] || word == "" {
				t.Errorf("%q is there twice", word)
			}
			seen[word] = true
		}
		if r.says == "" || (r.hint == "") != (r.kind == fault.Unavailable) {
			t.Errorf("%v is unfinished", r)
		}
	}
	for _, r := range told {
		if strings.ToLower(r.words) != r.words || r.words == "" && r.service == "" {
			t.Errorf("%q fits nothing, or all", r.words)
		}
	}
}

// The clock is to blame where Google says so, and where the token may well be good.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	const short = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	at := func(d time.Duration) http.Header {
		return http.Header{"Date": {time.Now().Add(d).UTC().Format(http.TimeFormat)}}
	}
	const hint = "set this machine's clock"
	for what, test := range map[string]struct {
		api    api
		status int
		header http.Header
		body   string
		says   string
		hint   string
	}{
		"ahead":           {oauthAPI, 400, at(-12 * time.Minute), oauth("invalid_grant", short), "does not accept the time that was signed, and this machine's clock is 12m ahead of Google's: invalid_grant: Invalid JWT", hint},
		"behind":          {oauthAPI, 400, at(3*time.Hour + 12*time.Minute), oauth("invalid_grant", short), "clock is 3h12m behind Google's", hint},
		"by no date":      {oauthAPI, 400, http.Header{"Date": {"soon"}}, oauth("invalid_grant", short), "clock differs from Google's", hint},
		"by a cache":      {oauthAPI, 400, http.Header{"Date": at(time.Hour)["Date"], "Age": {"9"}}, oauth("invalid_grant", short), "clock differs from Google's", hint},
		"another reason":  {oauthAPI, 400, at(time.Hour), oauth("invalid_grant", "Invalid JWT Signature."), "does not accept the key: it was deleted or disabled, or is another account's, and this machine's clock is 1h0m behind Google's", "set this machine's clock; if it is right, make another"},
		"subject token":   {stsAPI, 400, at(time.Hour), oauth("invalid_grant", "ID Token issued at 1 is stale to sign-in."), "subject token, and this machine's clock is 1h0m behind", hint},
		"token":           {containerAPI, 401, at(-time.Hour), status("UNAUTHENTICATED", "no"), "or is none, and this machine's clock is 1h0m ahead of Google's: UNAUTHENTICATED", "if it is right, give the connector a new one"},
		"token, right":    {containerAPI, 401, at(4 * time.Minute), status("UNAUTHENTICATED", "no"), "or is none: UNAUTHENTICATED", "svcconn update"},
		"rights":          {containerAPI, 403, at(time.Hour), status("PERMISSION_DENIED", "no"), "refuses ci@acme-prod.iam.gserviceaccount.com: PERMISSION_DENIED", "grant it"},
		"client, as well": {oauthAPI, 401, at(time.Hour), oauth("invalid_client", "no"), "clock is 1h0m behind", "client_id"},
	} {
		says(t, what, asks(t.Context(), answeringAlways(t, test.status, test.header, test.body), test.api), fault.Denied, test.says, test.hint)
	}
}
