package awstest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// answer is what a request gets.
type answer struct {
	status int // 0 is 200
	header http.Header
	body   []byte
}

// answerJSON answers with a value as JSON.
func answerJSON(value any) (answer, error) {
	body, err := json.Marshal(value)
	return answer{header: contentType("application/json"), body: body}, err
}

// answerJSON11 answers with a value as the protocol JSON 1.1 has it.
func answerJSON11(value any) (answer, error) {
	out, err := answerJSON(value)
	out.header = contentType("application/x-amz-json-1.1")
	return out, err
}

// answerXML answers with a value as XML; its name and name space are the value's.
func answerXML(value any) (answer, error) {
	body, err := xml.Marshal(value)
	return answer{header: contentType("text/xml"), body: append([]byte(xml.Header), body...)}, err
}

func contentType(value string) http.Header { return http.Header{"Content-Type": {value}} }

// with is the answer with a further header.
func (a answer) with(name, value string) answer {
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	a.header = header
	return a
}

func (a answer) write(w http.ResponseWriter, r *request) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Date", r.now.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Amzn-Requestid", r.id)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(max(a.status, http.StatusOK))
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// apiError is a call that was refused, as the service words it.
type apiError struct {
	status  int // 0 is 400
	code    string
	message string
	header  http.Header // further headers
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// invalid is the error of a request that is malformed: 400.
func invalid(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// protocol is how a service words errors.
type protocol struct {
	fail func(r *request, e *apiError) answer
	// words are the codes and messages of what all services refuse alike.
	words map[refusal]apiError
}

// refuse is the error for what all services refuse alike, in the words of this one's
// protocol. A detail other than "" replaces the usual message.
func (r *request) refuse(why refusal, detail string) *apiError {
	known := r.service.protocol.words[why]
	if detail != "" {
		known.message = detail
	}
	return &known
}

// The protocols: query (STS), JSON 1.1 (ECR, ECR Public), REST JSON (EKS, SSO), REST XML
// (S3).
var (
	query    = protocol{failQuery, queryWords}
	json11   = protocol{failJSON11, json11Words}
	restJSON = protocol{failRestJSON, restJSONWords}
	restXML  = protocol{failRestXML, restXMLWords}
)

func (e *apiError) answer(header http.Header, body []byte) answer {
	out := answer{status: cmp.Or(e.status, http.StatusBadRequest), header: header, body: body}
	for name, values := range e.header {
		out.header[name] = values
	}
	return out
}

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

func failQuery(r *request, e *apiError) answer {
	fault := "Sender"
	if e.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	if wantsJSON(r) {
		body, _ := json.Marshal(map[string]any{"Error": map[string]string{"Type": fault, "Code": e.code, "Message": e.message}, "RequestId": r.id})
		return e.answer(contentType("application/json"), body)
	}
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{Namespace: stsNamespace, Type: fault, Code: e.code, Message: e.message, RequestID: r.id})
	return e.answer(contentType("text/xml"), body)
}

// wantsJSON says that a client of a query service asked for JSON, as
// aws-iam-authenticator does.
func wantsJSON(r *request) bool { return strings.Contains(r.Header.Get("Accept"), "application/json") }

func failJSON11(_ *request, e *apiError) answer {
	body, _ := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
	return e.answer(contentType("application/x-amz-json-1.1"), body)
}

func failRestJSON(_ *request, e *apiError) answer {
	body, _ := json.Marshal(map[string]string{"message": e.message})
	header := contentType("application/json")
	header.Set("X-Amzn-Errortype", e.code)
	return e.answer(header, body)
}

func failRestXML(r *request, e *apiError) answer {
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string
		RequestID string `xml:"RequestId"`
	}{Code: e.code, Message: e.message, Resource: r.URL.Path, RequestID: r.id})
	out := e.answer(contentType("application/xml"), append([]byte(xml.Header), body...))
	return out.with("X-Amz-Request-Id", r.id)
}

// requestID is a new UUID-like id.
func requestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
