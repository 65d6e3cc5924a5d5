package gcp

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/hop"
)

// answer is a service's refusal, in its own words.
type answer struct {
	api      api
	status   int // of HTTP
	header   http.Header
	code     string            // "PERMISSION_DENIED", or OAuth's: "invalid_grant"; "" where it has none
	reason   string            // why, as a word: "SERVICE_DISABLED", Storage's "forbidden", OAuth's "invalid_rapt"; "" where it has none
	message  string            // the service's words
	metadata map[string]string // what belongs to the reason: "consumer", "permission"
	asked    string            // the path that was asked for
	who      string            // whom it refuses; "" where nobody said
	tries    int               // how often the service was asked
}

// Error implements error: what it is called and its words, on one line.
func (a *answer) Error() string {
	switch name := a.name(); {
	case name == "" && a.message == "":
		return hop.Status(a.status, "")
	case name == "" || a.message == "":
		return name + a.message
	default:
		return name + ": " + a.message
	}
}

// name is the code, or the reason where that says more or is all that there is.
func (a *answer) name() string {
	if a.reason == strings.ToUpper(a.reason) { // those of google.rpc.ErrorInfo
		return cmp.Or(a.reason, a.code)
	}
	return cmp.Or(a.code, a.reason)
}

// has reports whether the service's words have some in them, which are in lower case.
func (a *answer) has(words string) bool { return strings.Contains(strings.ToLower(a.message), words) }

// printed is a copy whose texts are fit to be printed.
func (a *answer) printed(printable func(string) string) *answer {
	out := *a
	out.metadata = map[string]string{}
	for name, text := range a.metadata {
		out.metadata[name] = printable(text)
	}
	out.code, out.reason, out.message = printable(a.code), printable(a.reason), printable(a.message)
	return &out
}

// answerOf reads a refusal: the errors of the APIs, or those of OAuth.
func answerOf(a api, response *http.Response, body []byte) *answer {
	out := &answer{api: a, status: response.StatusCode, header: response.Header, tries: hop.Tries(response)}
	if response.Request != nil && response.Request.URL != nil {
		out.asked = response.Request.URL.Path
	}
	var said struct {
		Error json.RawMessage `json:"error"`
		oauthError
	}
	// A part that is of another shape says nothing.
	_ = json.Unmarshal(body, &said)
	var status rpcStatus
	switch {
	case json.Unmarshal(said.Error, &out.code) == nil:
		out.oauth(said.oauthError)
	case json.Unmarshal(said.Error, &status) == nil || status.Message != "":
		out.rpc(status)
	case said.Description != "" || said.Code != "": // tokeninfo, and the server of device codes
		out.code = cmp.Or(said.Code, "invalid_token")
		out.oauth(said.oauthError)
	}
	return out
}

// oauthError is an error of OAuth's, beside its code.
// https://www.rfc-editor.org/rfc/rfc6749#section-5.2
type oauthError struct {
	Description string `json:"error_description"`
	Subtype     string `json:"error_subtype"` // Google's own: "invalid_rapt"
	Code        string `json:"error_code"`    // in place of "error", where device codes are given
}

func (a *answer) oauth(said oauthError) { a.message, a.reason = said.Description, said.Subtype }

// rpcStatus is an error of the APIs: google.rpc.Status, with what the older ones of them,
// Cloud Storage among them, have in its place.
// https://cloud.google.com/apis/design/errors
// https://cloud.google.com/storage/docs/json_api/v1/status-codes
type rpcStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Errors  []struct {
		Reason string `json:"reason"`
	} `json:"errors"`
	Details []rpcDetail `json:"details"`
}

// rpcDetail is any of the details of google.rpc, told apart by what is in them.
// https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
type rpcDetail struct {
	Reason   string            `json:"reason"`   // ErrorInfo
	Metadata map[string]string `json:"metadata"` // ErrorInfo
	Fields   []struct {
		Field       string `json:"field"`
		Description string `json:"description"`
	} `json:"fieldViolations"` // BadRequest
	Violations []struct {
		Type        string `json:"type"`
		Description string `json:"description"`
	} `json:"violations"` // PreconditionFailure
}

func (a *answer) rpc(said rpcStatus) {
	a.code, a.message, a.metadata = said.Status, said.Message, map[string]string{}
	for _, older := range slices.Backward(said.Errors) {
		a.reason = cmp.Or(older.Reason, a.reason)
	}
	for _, detail := range said.Details {
		if detail.Reason != "" {
			a.reason = detail.Reason
		}
		maps.Copy(a.metadata, detail.Metadata)
		for _, f := range detail.Fields {
			a.add(strings.Trim(f.Field+": "+f.Description, ": "))
		}
		for _, v := range detail.Violations {
			a.add(strings.Trim(v.Type+": "+v.Description, ": "))
		}
	}
}

// add adds what the message does not say yet.
func (a *answer) add(words string) {
	if _, description, _ := strings.Cut(words, ": "); words == "" || description != "" && strings.Contains(a.message, description) {
		return
	}
	a.message = strings.TrimSpace(a.message + " (" + words + ")")
}
