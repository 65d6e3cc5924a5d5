package aws

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
)

// answered asks a service that refuses.
func answered(t *testing.T, service string, status int, header http.Header, code, message string) error {
	t.Helper()
	server := httptest.NewServer(refusing(service, status, header, code, message))
	defer server.Close()
	c := wire(t, server.URL)
	name, _, _ := strings.Cut(service, ",")
	return c.failed(t.Context(), name, asking[service](t.Context(), c))
}

// says checks an error as a person sees it.
func says(t *testing.T, what string, err error, kind fault.Kind, text, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", what)
	}
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%s: %q, %v (hint: %s)", what, fault.KindOf(err), err, fault.HintOf(err))
	}
	shown := fmt.Sprintf("%v %+v %#v", err, err, err) + fault.HintOf(err)
	if strings.Contains(shown, "canary") || strings.Contains(shown, "\n") && !strings.Contains(fault.HintOf(err), "\n") {
		t.Errorf("%s: it tells a secret, or more than a line: %s", what, shown)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		service string
		status  int
		code    string
		message string
		kind    fault.Kind
		says    string
		hint    string
	}{
		{"STS", 403, "InvalidClientTokenId", "The security token included in the request is invalid.", fault.Denied, "STS does not know the keys: InvalidClientTokenId: The security token", "access key id"},
		{"STS", 403, "ExpiredToken", "The security token included in the request is expired", fault.Denied, "have expired: ExpiredToken", "svcconn update"},
		{"STS", 403, "AccessDenied", "User: arn:aws:iam::123456789012:user/jane is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/deployer", fault.Denied, "STS refuses GetCallerIdentity: AccessDenied: User: arn:aws:iam::123456789012:user/jane is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/deployer", "IAM"},
		{"STS", 403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", fault.Denied, "code of the MFA device", "shows now"},
		{"STS", 403, "AccessDenied", "Roles may not be assumed by root accounts.", fault.Denied, "root user", "IAM user"},
		{"STS", 403, "AccessDenied", "Cannot call GetSessionToken with session credentials", fault.Denied, "temporary keys", "long-lived"},
		{"STS", 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", fault.Invalid, "keys for so long", "--expiration"},
		{"STS", 400, "ValidationError", "1 validation error detected: Value 'x' at 'roleArn' failed to satisfy constraint", fault.Invalid, "does not accept GetCallerIdentity: ValidationError: 1 validation", "fields"},
		{"STS", 400, "PackedPolicyTooLarge", "Packed policy consumes 112% of allotted space, please use smaller policy.", fault.Invalid, "112%", "session_tags"},
		{"STS", 400, "MalformedPolicyDocument", "Syntax errors in policy.", fault.Invalid, "session policy: MalformedPolicyDocument", "field policy"},
		{"STS", 403, "RegionDisabledException", "STS is not activated in this region for account:123456789012.", fault.Denied, "in this region", "activate"},
		{"STS", 403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region.", fault.Invalid, "another region", "region"},
		{"STS", 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://ci.example.com", fault.Denied, "identity token", "issuer and audience"},
		{"STS", 400, "IDPCommunicationError", "Couldn't retrieve verification key", fault.Unavailable, "identity provider", "again"},
		{"STS", 400, "Throttling", "Rate exceeded", fault.Unavailable, "is being asked too often, and still refuses after several tries: Throttling: Rate exceeded", "try again later"},
		{"STS", 503, "ServiceUnavailable", "", fault.Unavailable, "STS is out of order: ServiceUnavailable", "try again"},
		{"ECR", 418, "Odd\u001b[2J", "a\r\nb", fault.Invalid, "Odd [2J: a b", ""},
		{"ECR", 400, "AccessDeniedException", "User: u is not authorized to perform: ecr:GetAuthorizationToken on resource: *", fault.Denied, "ECR refuses GetAuthorizationToken: AccessDeniedException: User: u", "IAM"},
		{"ECR", 400, "UnrecognizedClientException", "The security token included in the request is invalid.", fault.Denied, "ECR does not know the keys", "active"},
		{"ECR", 400, "ThrottlingException", "Rate exceeded", fault.Unavailable, "too often", "try again"},
		{"ECR", 500, "ServerException", "", fault.Unavailable, "out of order", "try again"},
		{"ECR Public", 400, "RegistryNotFoundException", "none", fault.NotFound, "ECR Public finds nothing by that name", "account"},
		{"EKS", 404, "ResourceNotFoundException", "No cluster found for name: staging.", fault.NotFound, "EKS finds nothing by that name: ResourceNotFoundException: No cluster found for name: staging.", "region"},
		{"EKS", 403, "AccessDeniedException", "User: u is not authorized to perform: eks:DescribeCluster on resource: c", fault.Denied, "eks:DescribeCluster on resource: c", "IAM"},
		{"EKS", 429, "ThrottlingException", "Rate exceeded", fault.Unavailable, "too often", "try again"},
		{"S3", 403, "AccessDenied", "Access Denied", fault.Denied, "S3 refuses ListBuckets: AccessDenied: Access Denied", "IAM"},
		{"S3", 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", fault.Denied, "does not know the keys", "active"},
		{"S3", 400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", fault.Invalid, "expecting 'eu-west-1'", "region"},
		{"S3", 404, "NoSuchBucket", "The specified bucket does not exist", fault.NotFound, "S3 finds nothing by that name: NoSuchBucket", "name"},
		{"S3", 503, "SlowDown", "Please reduce your request rate.", fault.Unavailable, "too often", "try again"},
		{"S3, without bodies", 403, "", "", fault.Denied, "S3 refuses HeadBucket: Forbidden", "IAM"},
		{"S3, without bodies", 404, "", "", fault.NotFound, "S3 finds nothing by that name: NotFound", "name"},
		{"S3, without bodies", 301, "", "", fault.Invalid, "S3 is asked in another region", "region"},
		{"SSO", 401, "UnauthorizedException", "Session token not found or invalid", fault.Denied, "does not accept the login", "svcconn verify"},
		{"SSO", 403, "ForbiddenException", "No access", fault.Denied, "refuses GetRoleCredentials: ForbiddenException: No access", ""},
		{"SSO", 429, "TooManyRequestsException", "", fault.Unavailable, "too often", ""},
		{"SSO OIDC", 400, "InvalidGrantException", "", fault.Denied, "does not accept the login", "log in again"},
		{"SSO OIDC", 400, "AuthorizationPendingException", "", fault.NeedsPerson, "waits for a person", ""},
		{"SSO OIDC", 400, "SlowDownException", "", fault.Unavailable, "too soon", ""},
	}
	for _, test := range tests {
		t.Run(test.service+" "+test.code, func(t *testing.T) {
			t.Parallel()
			says(t, test.code, answered(t, test.service, test.status, nil, test.code, test.message), test.kind, test.says, test.hint)
		})
	}
}

// A bucket in another region is told with its region, if that is one.
func TestRefusalNamesTheRegion(t *testing.T) {
	t.Parallel()
	at := func(region string) http.Header { return http.Header{"X-Amz-Bucket-Region": {region}} }
	says(t, "another region", answered(t, "S3, without bodies", 301, at("eu-west-1"), "", ""), fault.Invalid, "S3 has the bucket in region eu-west-1", "--set region=eu-west-1")
	says(t, "none", answered(t, "S3, without bodies", 301, at("`reboot`"), "", ""), fault.Invalid, "another region", "check region")
}

// Whoever handles a refusal goes by the code, which stays in the chain without the
// words of the SDK.
func TestRefusalKeepsItsCode(t *testing.T) {
	t.Parallel()
	err := answered(t, "ECR", 400, nil, "RepositoryNotFoundException", "token=canary")
	var said smithy.APIError
	if !errors.As(err, &said) || said.ErrorCode() != "RepositoryNotFoundException" || strings.Contains(said.ErrorMessage(), "canary") {
		t.Errorf("%#v", said)
	}
}

// Every code that is known is known once.
func TestCodesAreNotRepeated(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range refusals {
		for _, code := range r.codes {
			if low := strings.ToLower(code); seen[low] {
				t.Errorf("%s is there twice", code)
			} else {
				seen[low] = true
			}
		}
	}
	for _, code := range append(append([]string{}, signatureCodes...), clockCodes...) {
		if m, ok := (&answer{code: code}).known(); ok && m != wrongSecret {
			t.Errorf("%s is %+v", code, m)
		}
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	aws := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	ask := func(service string, here time.Time, header http.Header, code, message string) error {
		header = header.Clone()
		if header == nil {
			header = http.Header{}
		}
		if header.Get("Date") == "" {
			header.Set("Date", aws.Format(http.TimeFormat))
		}
		server := httptest.NewServer(refusing(service, 403, header, code, message))
		defer server.Close()
		c := wire(t, server.URL, func(h *connector.Host, _ *field.Values) { h.Now = func() time.Time { return here } })
		return c.failed(t.Context(), service, asking[service](t.Context(), c))
	}
	behind, ahead, right := aws.Add(-17*time.Minute), aws.Add(3*time.Hour+12*time.Minute), aws.Add(4*time.Minute)
	const hint = "set this machine's clock"
	for what, test := range map[string]struct {
		err  error
		says string
		hint string
	}{
		"expired":       {ask("STS", behind, nil, "SignatureDoesNotMatch", "Signature expired: 20260801T114300Z is now earlier than 20260801T114500Z"), "STS refuses GetCallerIdentity, since this machine's clock is 17m behind AWS's: SignatureDoesNotMatch: Signature expired", hint},
		"not yet":       {ask("ECR", ahead, nil, "InvalidSignatureException", "Signature not yet current: x is still later than y"), "clock is 3h12m ahead of AWS's", hint},
		"S3":            {ask("S3", behind, nil, "RequestTimeTooSkewed", "The difference is too large."), "17m behind", hint},
		"EKS":           {ask("EKS", ahead, nil, "InvalidSignatureException", "wrong"), "3h12m ahead", hint},
		"query":         {ask("STS", behind, nil, "RequestExpired", "Request has expired."), "17m behind", hint},
		"old":           {ask("STS", behind, nil, "AuthFailure", "no"), "17m behind", hint},
		"presigned":     {ask("S3", behind, nil, "AccessDenied", "Request has expired"), "17m behind", hint},
		"by no date":    {ask("S3", behind, http.Header{"Date": {"soon"}}, "RequestTimeTooSkewed", "no"), "clock differs from AWS's", hint},
		"by a cache":    {ask("S3", behind, http.Header{"Age": {"9"}}, "RequestTimeTooSkewed", "no"), "clock differs from AWS's", hint},
		"the key":       {ask("STS", right, nil, "SignatureDoesNotMatch", "no"), "does not accept the signature", "secret access key"},
		"a cached date": {ask("STS", behind, http.Header{"Age": {"9"}}, "SignatureDoesNotMatch", "no"), "does not accept the signature", "secret access key"},
		"rights":        {ask("STS", behind, nil, "AccessDenied", "no"), "refuses GetCallerIdentity: AccessDenied", "IAM"},
	} {
		says(t, what, test.err, fault.Denied, test.says, test.hint)
	}
}
