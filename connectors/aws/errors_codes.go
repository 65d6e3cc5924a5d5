package aws

import (
	"net/http"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// meaning is what a refusal means to a person.
type meaning struct {
	kind fault.Kind
	says string // behind the service's name; CALL is the operation
	hint string // the next step; Unavailable has its own
}

// The meanings that codes share.
var (
	forbiddenCall = meaning{
		fault.Denied, "refuses CALL",
		"grant it to the identity in IAM, or use a connector that may; a session policy, a permissions boundary or an organization's policy can forbid it, too",
	}
	unknownKeys = meaning{
		fault.Denied, "does not know the keys",
		"check the access key id and that the key is active; keys are good for one partition alone (field partition, field region)",
	}
	wrongSecret = meaning{
		fault.Denied, "does not accept the signature of the keys",
		"check that the secret access key belongs to the access key id, and region and endpoint_url",
	}
	unsignedCall = meaning{
		fault.Denied, "wants keys for CALL", "the connector has none for this service: check its auth method, and endpoint_url",
	}
	expiredKeys = meaning{
		fault.Denied, "says that the keys or the token have expired",
		"give the connector new ones with `svcconn update`; auth methods that mint keys get new ones by themselves",
	}
	wrongIdentity = meaning{
		fault.Denied, "does not accept the identity token",
		"check that the token is new, and that an OIDC provider of the account has its issuer and audience, and the role's trust policy its subject",
	}
	loginOver = meaning{
		fault.Denied, "does not accept the login", "log in again: svcconn verify NAME",
	}
	unfinishedLogin = meaning{
		fault.NeedsPerson, "waits for a person to log in", "open the page that was shown and enter the code",
	}
	noAccount = meaning{
		fault.Denied, "does not serve the account", "check in the AWS console that the account is open and signed up for the service",
	}
	regionOff = meaning{
		fault.Denied, "does not serve the account in this region",
		"activate the region for the account (IAM console, account settings), or choose another: --set region=REGION",
	}
	otherRegion = meaning{
		fault.Invalid, "is asked in another region than the one it has to be", "check region and endpoint_url",
	}
	tooOften      = meaning{fault.Unavailable, "is being asked too often", ""}
	tooSoon       = meaning{fault.Unavailable, "is asked again too soon", ""}
	brokenService = meaning{fault.Unavailable, "is out of order", ""}
	awayProvider  = meaning{fault.Unavailable, "cannot reach the identity provider", ""}
	noSuchThing   = meaning{fault.NotFound, "finds nothing by that name", "check the name, and the account and the region that the connector is for"}
	invalidCall   = meaning{
		fault.Invalid, "does not accept CALL",
		"check the fields of the connector and the name of the resource; endpoint_url can lead to a service that does not know the operation",
	}
	tooLong = meaning{
		fault.Invalid, "does not give keys for so long",
		"ask for less with --expiration, or raise the role's maximum session duration; with keys of another role, or of a root user, an hour is the most",
	}
	tooLarge = meaning{
		fault.Invalid, "cannot pack the session policies and tags", "make the fields policy, policy_arns and session_tags shorter: AWS packs them into one small space",
	}
	badPolicy = meaning{fault.Invalid, "does not accept the session policy", "mend the field policy"}
	wrongCode = meaning{
		fault.Denied, "does not accept the code of the MFA device",
		"give the code that the device shows now; each is good once; check mfa_serial, too",
	}
	rootUser = meaning{
		fault.Denied, "refuses the keys of a root user", "use the keys of an IAM user, or another auth method: root users cannot assume roles",
	}
	needsLongLived = meaning{
		fault.Denied, "refuses temporary keys for CALL", "use the long-lived keys of an IAM user",
	}
)

// refusals are the errors of STS, ECR, ECR Public, EKS, S3 and IAM Identity Center, and
// those that all services have. No code is in it twice.
//   - https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
//   - https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
//   - https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html
//   - https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
var refusals = []struct {
	meaning
	codes []string
}{
	{forbiddenCall, []string{
		"AccessDenied", "AccessDeniedException", "Forbidden", "ForbiddenException", "NotAuthorized", "UnauthorizedAccess", "UnauthorizedOperation",
		"IDPRejectedClaim", "BlockedByOrganizationPolicyException", "AllAccessDisabled", "AccessPointNotOwnedByYou", "Unauthorized",
	}},
	{unknownKeys, []string{"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "InvalidSecurity", "InvalidSecurityToken"}},
	{wrongSecret, []string{
		"SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature", "IncompleteSignature", "IncompleteSignatureException", "AuthFailure",
	}},
	{unsignedCall, []string{"MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingSecurityHeader"}},
	{expiredKeys, []string{"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}},
	{wrongIdentity, []string{"InvalidIdentityToken", "InvalidIdentityTokenException", "IDPRejectedClaimException"}},
	{loginOver, []string{"UnauthorizedException", "InvalidGrantException", "InvalidClientException", "UnauthorizedClientException"}},
	{unfinishedLogin, []string{"AuthorizationPendingException"}},
	{noAccount, []string{"OptInRequired", "SubscriptionRequiredException", "NotSignedUp", "AccountProblem", "InvalidPayer", "PendingVerification"}},
	{regionOff, []string{"RegionDisabledException", "RegionDisabled", "InvalidRequestRegionException"}},
	{otherRegion, []string{
		"PermanentRedirect", "MovedPermanently", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
		"IncorrectEndpoint",
	}},
	{tooOften, []string{
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
		"BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete", "TooManyRequests",
	}},
	{brokenService, []string{
		"InternalFailure", "InternalError", "InternalServerError", "InternalServerException", "ServerException", "ServiceUnavailable",
		"ServiceUnavailableException", "ServiceFailure", "RequestTimeout", "RequestTimeoutException", "ResourcePropagationDelayException", "OperationAborted",
	}},
	{tooSoon, []string{"SlowDownException"}},
	{awayProvider, []string{"IDPCommunicationError", "IDPCommunicationErrorException"}},
	{noSuchThing, []string{
		"NoSuchBucket", "NoSuchKey", "NotFound", "NotFoundException", "NoSuchEntity", "ResourceNotFoundException", "RepositoryNotFoundException",
		"RegistryNotFoundException",
	}},
	{invalidCall, []string{
		"ValidationError", "ValidationException", "ValidationErrorException", "InvalidParameterValue", "InvalidParameterException", "InvalidParameterCombination",
		"InvalidQueryParameter", "MalformedQueryString", "MissingParameter", "MissingAction", "InvalidAction", "UnknownOperationException", "InvalidInput",
		"InvalidRequest", "InvalidRequestException", "BadRequest", "BadRequestException", "ClientException", "InvalidArgument", "InvalidBucketName", "InvalidURI",
		"InvalidHTTPSRequest", "MethodNotAllowed", "NotImplemented", "UnsupportedCommandException", "UnsupportedAvailabilityZoneException", "InvalidStateException",
		"InvalidScopeException", "UnsupportedGrantTypeException", "InvalidClientMetadataException", "InvalidRedirectUriException", "InvalidTagParameterException",
		"LimitExceededException", "ResourceLimitExceededException", "TooManyTagsException", "ResourceInUseException", "MalformedInput", "SerializationException",
		"MalformedXML", "InvalidBucketState",
	}},
	{tooLarge, []string{"PackedPolicyTooLarge", "PackedPolicyTooLargeException"}},
	{badPolicy, []string{"MalformedPolicyDocument", "MalformedPolicyDocumentException"}},
}

// signatureCodes are what services answer to a signature that they cannot accept: also
// to one that is as good as it can be, with the wrong time in it.
var signatureCodes = []string{
	"SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature", "IncompleteSignature", "IncompleteSignatureException", "AuthFailure",
}

// Answers to a wrong time alone.
var (
	clockCodes = []string{"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}
	clockWords = []string{"signature expired", "signature not yet current", "request has expired"}
)

// codes are the refusals by code.
var codes = func() map[string]meaning {
	out := map[string]meaning{}
	for _, r := range refusals {
		for _, code := range r.codes {
			out[strings.ToLower(code)] = r.meaning
		}
	}
	return out
}()

// has reports whether the code is one of several. Case differs between services that
// speak the same protocol.
func (a *answer) has(codes []string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { return strings.EqualFold(code, a.code) })
}

// says reports whether the message has some words in it, which are in lower case.
func (a *answer) says(words string) bool { return strings.Contains(strings.ToLower(a.message), words) }

// told are refusals that only the words tell from others of the same code.
var told = []struct {
	codes []string
	words string // in lower case
	meaning
}{
	{[]string{"ValidationError"}, "durationseconds", tooLong},
	{[]string{"AccessDenied"}, "multifactorauthentication failed", wrongCode},
	{[]string{"AccessDenied"}, "root accounts", rootUser},
	{[]string{"AccessDenied"}, "with session credentials", needsLongLived},
	{[]string{"SignatureDoesNotMatch", "InvalidSignatureException"}, "scoped to a valid region", otherRegion},
}

// meaning looks a refusal up: by its words, by its code, by its status.
func (a *answer) meaning() meaning {
	for _, t := range told {
		if a.has(t.codes) && a.says(t.words) {
			return t.meaning
		}
	}
	if m, ok := a.known(); ok {
		return m.among(a)
	}
	return byStatus(a.status).among(a)
}

// known looks a refusal up by its code alone.
func (a *answer) known() (meaning, bool) {
	m, ok := codes[strings.ToLower(a.code)]
	return m, ok
}

// among adds what this answer alone says.
func (m meaning) among(a *answer) meaning {
	region := a.header.Get("X-Amz-Bucket-Region")
	switch {
	case m == otherRegion && checkedRegion(region):
		m.says, m.hint = "has the bucket in region "+region, "--set region="+region
	case m == forbiddenCall && refusedCalls[a.call] != "":
		m.hint = refusedCalls[a.call]
	case m == tooOften && a.tries > 1:
		m.says = "is being asked too often, and still refuses after several tries"
	}
	return m
}

// refusedCalls is what to do about calls that more than the identity's own policies can
// forbid.
var refusedCalls = map[string]string{
	"AssumeRole": "the identity needs sts:AssumeRole on the role, and the role's trust policy has to name the identity; " +
		"what that asks for besides are the fields external_id, mfa_serial, session_tags and source_identity",
	"AssumeRoleWithWebIdentity": "the role's trust policy has to name the issuer of the token, as an OIDC provider of the account, and the token's audience and subject",
	"HeadBucket":                "grant s3:ListBucket on it to the identity in IAM; a bucket of another account has to grant it in its own policy, too",
}

// checkedRegion reports whether a header says a region, which may then be repeated.
func checkedRegion(text string) bool {
	_, err := checkRegion(text)
	return text != "" && err == nil
}

func byStatus(status int) meaning {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return forbiddenCall
	case status == http.StatusTooManyRequests:
		return tooOften
	case status >= http.StatusInternalServerError:
		return brokenService
	case status == http.StatusNotFound:
		return noSuchThing
	case status/100 == 3:
		return otherRegion
	}
	return invalidCall
}
