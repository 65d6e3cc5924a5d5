package awstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// service is one of AWS's services: a row of the table in services.go.
//
// How a request gets to an operation: a signed one belongs to the service that the
// credential scope of its signature names; an unsigned one to the first service whose
// unsigned says so. Then action tells the operation. The signature is verified, delay and
// throttling happen, and the operation runs with Server.mu held: it reads and changes the
// world freely, must call no exported method of Server or Account (they take the lock),
// and returns what to answer: answerJSON, answerJSON11 and answerXML make
// answers. An error that is an *apiError (invalid makes one, r.allow and r.refuse do) is
// answered in the service's protocol; any other is a fault of this package (500). Nothing
// needs to be logged: the journal has every request. Lists are cut by pages.go.
type service struct {
	name     string // as in the credential scope, and in the journal
	protocol protocol
	// action names the operation that a request is for, "" for none. The body has been
	// read, and r.form parsed.
	action func(r *request) string
	// operations are by action.
	operations map[string]operation
	// unsigned says whether a request without any signature is for this service; nil is
	// never.
	unsigned func(r *request) bool
	// public are the operations that need no signature; r.who is nil in them where there
	// is none. The others refuse unsigned requests before they run.
	public map[string]bool
}

type operation func(r *request) (answer, error)

// maxBody is the most that a request's body may have: a layer or object of a test.
const maxBody = 64 << 20

// request is a request under way.
type request struct {
	*http.Request
	server  *Server
	service *service
	action  string
	region  string     // of the signature's scope, else of the host; "" where neither says
	who     *principal // nil for unsigned requests
	key     *accessKey // that signed; nil for unsigned requests
	signed  *signature // nil for unsigned requests
	body    []byte     // whole
	form    url.Values // of the query, and of the body where that is a form
	now     time.Time  // by AWS's clock
	id      string     // the request id
	// conditions are values for the Condition blocks of policies beside the global ones,
	// such as s3:prefix. Operations set them before they call allow.
	conditions map[string]string
}

// answerAWS answers one request to any service.
func (s *Server) answerAWS(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, server: s, now: s.now(), id: requestID(), conditions: map[string]string{}}
	err := r.read()
	if err == nil {
		err = r.route()
	}
	if r.service == nil {
		r.service = &service{protocol: restXML}
	}
	s.temper.Wait(hr.Context())
	out, err := r.perform(err)
	if err != nil {
		out = r.failed(err)
	}
	s.journal.Add(r.call(errorCode(err)))
	out.write(w, r)
}

// read takes the body in.
func (r *request) read() error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return &apiError{status: http.StatusBadRequest, code: "IncompleteBody", message: "The request body terminated unexpectedly"}
	}
	if len(body) > maxBody {
		return &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: "The request is too large"}
	}
	r.body = body
	r.form, err = url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &apiError{status: http.StatusBadRequest, code: "MalformedQueryString", message: "The query string is malformed"}
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/x-www-form-urlencoded" {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return &apiError{status: http.StatusBadRequest, code: "MalformedQueryString", message: "The form is malformed"}
	}
	for name, values := range form {
		r.form[name] = append(r.form[name], values...)
	}
	return nil
}

// route finds the service and the operation.
func (r *request) route() error {
	var err error
	if r.signed, err = r.readSignature(); err != nil {
		return err
	}
	if r.signed != nil {
		r.region = r.signed.region
		r.service = r.server.service[r.signed.service]
	} else if i := slices.IndexFunc(r.server.order, func(s *service) bool { return s.unsigned != nil && s.unsigned(r) }); i >= 0 {
		r.service = r.server.order[i]
		if host, ours := parseHost(r.Host); ours {
			r.region = host.region
		}
	}
	if r.service == nil {
		return &apiError{status: http.StatusNotFound, code: "UnknownOperationException", message: "awstest has no such service"}
	}
	r.action = r.service.action(r)
	return nil
}

// perform verifies who asks, and runs the operation unless an error came before it.
func (r *request) perform(err error) (answer, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return answer{}, err
	}
	if err := r.authenticate(); err != nil {
		return answer{}, err
	}
	if s.temper.Throttled(r.service.name, r.action) {
		return answer{}, r.refuse(throttled, "")
	}
	run, ok := r.service.operations[r.action]
	if !ok {
		return answer{}, r.refuse(unknownOperation, "")
	}
	return run(r)
}

// failed is the answer for an error.
func (r *request) failed(err error) answer {
	var known *apiError
	if !errors.As(err, &known) {
		known = &apiError{status: http.StatusInternalServerError, code: "InternalFailure", message: "awstest: " + err.Error()}
	}
	return r.service.protocol.fail(r, known)
}

func errorCode(err error) string {
	var known *apiError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		return known.code
	}
	return "InternalFailure"
}

// decode reads the JSON body into a structure. Fields that the structure has not are
// ignored: the structure is what the fake heeds.
func (r *request) decode(into any) error {
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil
	}
	if json.Unmarshal(r.body, into) != nil {
		return &apiError{status: http.StatusBadRequest, code: "SerializationException", message: "the body is not the JSON of this operation"}
	}
	return nil
}
