package awstest

import "net/http"

// refusal is why any service refuses a call. Each protocol has its own codes and words
// for them.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type refusal int

const (
	missingToken refusal = iota
	incompleteSignature
	unknownKey     // no such key, or revoked
	wrongToken     // the session token is not the key's
	expiredToken   // the keys have ended
	wrongSignature // the signature does not match
	wrongScope     // region, service or date of the scope
	unsignedHeader // a header that must be signed is not
	skewed         // the date is more than 15 minutes off
	denied         // policies
	throttled
	unknownOperation
)

const (
	mismatchWords = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	unknownWords  = "The security token included in the request is invalid"
	expiredWords  = "The security token included in the request is expired"
	missingWords  = "Missing Authentication Token"
)

var queryWords = map[refusal]apiError{
	missingToken:        {status: http.StatusForbidden, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token"},
	incompleteSignature: {status: http.StatusForbidden, code: "IncompleteSignature", message: "The request signature does not conform to AWS standards."},
	unknownKey:          {status: http.StatusForbidden, code: "InvalidClientTokenId", message: unknownWords + "."},
	wrongToken:          {status: http.StatusForbidden, code: "InvalidClientTokenId", message: unknownWords + "."},
	expiredToken:        {status: http.StatusForbidden, code: "ExpiredToken", message: expiredWords},
	wrongSignature:      {status: http.StatusForbidden, code: "SignatureDoesNotMatch", message: mismatchWords},
	wrongScope:          {status: http.StatusForbidden, code: "SignatureDoesNotMatch", message: "Credential should be scoped to a valid region."},
	unsignedHeader:      {status: http.StatusForbidden, code: "SignatureDoesNotMatch", message: "'Host' must be a 'SignedHeader' in the AWS Authorization."},
	skewed:              {status: http.StatusForbidden, code: "SignatureDoesNotMatch"},
	denied:              {status: http.StatusForbidden, code: "AccessDenied"},
	throttled:           {status: http.StatusBadRequest, code: "Throttling", message: "Rate exceeded"},
	unknownOperation:    {status: http.StatusBadRequest, code: "InvalidAction", message: "Could not find operation for this version"},
}

var json11Words = map[refusal]apiError{
	missingToken:        {status: http.StatusBadRequest, code: "MissingAuthenticationTokenException", message: missingWords},
	incompleteSignature: {status: http.StatusBadRequest, code: "IncompleteSignatureException", message: "The request signature does not conform to AWS standards."},
	unknownKey:          {status: http.StatusBadRequest, code: "UnrecognizedClientException", message: unknownWords + "."},
	wrongToken:          {status: http.StatusBadRequest, code: "UnrecognizedClientException", message: unknownWords + "."},
	expiredToken:        {status: http.StatusBadRequest, code: "ExpiredTokenException", message: expiredWords},
	wrongSignature:      {status: http.StatusBadRequest, code: "InvalidSignatureException", message: mismatchWords},
	wrongScope:          {status: http.StatusBadRequest, code: "InvalidSignatureException", message: "Credential should be scoped to a valid region. "},
	unsignedHeader:      {status: http.StatusBadRequest, code: "InvalidSignatureException", message: "'Host' must be a 'SignedHeader' in the AWS Authorization."},
	skewed:              {status: http.StatusBadRequest, code: "InvalidSignatureException"},
	denied:              {status: http.StatusBadRequest, code: "AccessDeniedException"},
	throttled:           {status: http.StatusBadRequest, code: "ThrottlingException", message: "Rate exceeded"},
	unknownOperation:    {status: http.StatusBadRequest, code: "UnknownOperationException"},
}

var restJSONWords = map[refusal]apiError{
	missingToken:        {status: http.StatusForbidden, code: "MissingAuthenticationTokenException", message: missingWords},
	incompleteSignature: {status: http.StatusForbidden, code: "IncompleteSignatureException", message: "The request signature does not conform to AWS standards."},
	unknownKey:          {status: http.StatusForbidden, code: "UnrecognizedClientException", message: unknownWords + "."},
	wrongToken:          {status: http.StatusForbidden, code: "UnrecognizedClientException", message: unknownWords + "."},
	expiredToken:        {status: http.StatusForbidden, code: "ExpiredTokenException", message: expiredWords},
	wrongSignature:      {status: http.StatusForbidden, code: "InvalidSignatureException", message: mismatchWords},
	wrongScope:          {status: http.StatusForbidden, code: "InvalidSignatureException", message: "Credential should be scoped to a valid region. "},
	unsignedHeader:      {status: http.StatusForbidden, code: "InvalidSignatureException", message: "'Host' must be a 'SignedHeader' in the AWS Authorization."},
	skewed:              {status: http.StatusForbidden, code: "InvalidSignatureException"},
	denied:              {status: http.StatusForbidden, code: "AccessDeniedException"},
	throttled:           {status: http.StatusTooManyRequests, code: "ThrottlingException", message: "Rate exceeded"},
	unknownOperation:    {status: http.StatusNotFound, code: "UnknownOperationException"},
}

var restXMLWords = map[refusal]apiError{
	missingToken:        {status: http.StatusForbidden, code: "AccessDenied", message: "Access Denied"},
	incompleteSignature: {status: http.StatusBadRequest, code: "AuthorizationHeaderMalformed", message: "The authorization header that you provided is not valid."},
	unknownKey:          {status: http.StatusForbidden, code: "InvalidAccessKeyId", message: "The AWS Access Key Id you provided does not exist in our records."},
	wrongToken:          {status: http.StatusBadRequest, code: "InvalidToken", message: "The provided token is malformed or otherwise invalid."},
	expiredToken:        {status: http.StatusBadRequest, code: "ExpiredToken", message: "The provided token has expired."},
	wrongSignature:      {status: http.StatusForbidden, code: "SignatureDoesNotMatch", message: "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	wrongScope:          {status: http.StatusBadRequest, code: "AuthorizationHeaderMalformed", message: "The authorization header is malformed; the region is wrong"},
	unsignedHeader:      {status: http.StatusForbidden, code: "AccessDenied", message: "There were headers present in the request which were not signed"},
	skewed:              {status: http.StatusForbidden, code: "RequestTimeTooSkewed", message: "The difference between the request time and the current time is too large."},
	denied:              {status: http.StatusForbidden, code: "AccessDenied"},
	throttled:           {status: http.StatusServiceUnavailable, code: "SlowDown", message: "Please reduce your request rate."},
	unknownOperation:    {status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "The specified method is not allowed against this resource."},
}
