package gcptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
)

// apiError is a call that was refused.
type apiError struct {
	status  int    // of HTTP
	code    string // google.rpc.Code, or OAuth's: PERMISSION_DENIED, invalid_grant
	message string
	// reason, domain and metadata are the google.rpc.ErrorInfo; no reason is none.
	// https://cloud.google.com/apis/design/errors#error_info
	reason   string
	domain   string
	metadata map[string]string
	details  []any             // further ones
	header   map[string]string // further headers
	subtype  string            // OAuth's error_subtype
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// invalid is the error of a request that is malformed: 400.
func invalid(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "INVALID_ARGUMENT", message: fmt.Sprintf(format, args...)}
}

// notFound is the error for what is not there: 404.
func notFound(format string, args ...any) *apiError {
	return &apiError{status: http.StatusNotFound, code: "NOT_FOUND", message: fmt.Sprintf(format, args...)}
}

// forbidden is the error for what is not allowed: 403.
func forbidden(reason, domain string, metadata map[string]string, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "PERMISSION_DENIED", message: fmt.Sprintf(format, args...),
		reason: reason, domain: domain, metadata: metadata,
	}
}

// throttled is the error for too many requests.
func (r *request) throttled() *apiError {
	return &apiError{
		status: http.StatusTooManyRequests, code: "RESOURCE_EXHAUSTED",
		message: fmt.Sprintf("Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service '%s'.", r.service.host()),
		reason:  "RATE_LIMIT_EXCEEDED", domain: "googleapis.com", metadata: map[string]string{"service": r.service.host()},
	}
}

// host is what the service is called in refusals.
func (s *service) host() string {
	if s.api != "" {
		return s.api
	}
	return s.name + "." + defaultUniverse
}

func errorCode(err error) string {
	var known *apiError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		return known.code
	}
	return "INTERNAL"
}

// failGoogle words an error as Google's APIs do. https://google.aip.dev/193
func failGoogle(_ *request, e *apiError) answer {
	body := map[string]any{"code": e.status, "message": e.message, "status": e.code}
	if details := e.allDetails(); len(details) > 0 {
		body["details"] = details
	}
	return e.answer(map[string]any{"error": body})
}

func (e *apiError) allDetails() []any {
	if e.reason == "" {
		return e.details
	}
	info := map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": e.reason, "domain": e.domain}
	if len(e.metadata) > 0 {
		info["metadata"] = maps.Clone(e.metadata)
	}
	return append([]any{info}, e.details...)
}

// failOAuth words an error as the authorization server does: RFC 6749, section 5.2. What
// has no code of OAuth's gets one.
func failOAuth(_ *request, e *apiError) answer {
	code, known := map[string]string{
		"INVALID_ARGUMENT": "invalid_request", "NOT_FOUND": "invalid_request", "RESOURCE_EXHAUSTED": "rate_limit_exceeded", "INTERNAL": "internal_failure",
	}[e.code]
	if !known {
		code = e.code
	}
	body := map[string]any{"error": code, "error_description": e.message}
	if e.subtype != "" {
		body["error_subtype"] = e.subtype
	}
	return e.answer(body)
}

func (e *apiError) answer(body any) answer {
	text, _ := json.MarshalIndent(body, "", "  ") // texts and numbers
	out := answer{status: e.status, header: contentType("application/json; charset=UTF-8"), body: append(text, '\n')}
	for name, value := range e.header {
		out.header.Set(name, value)
	}
	return out
}

// oauthError is a refusal of the authorization server: 400.
func oauthError(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// at is the error with another status of HTTP.
func (e *apiError) at(status int) *apiError {
	e.status = status
	return e
}
