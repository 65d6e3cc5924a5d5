package gcptest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// maxBody is the most that a request's body may have: a layer or object of a test.
const maxBody = 64 << 20

// request is a request under way.
type request struct {
	*http.Request
	server  *Server
	service *service
	op      *operation        // nil where the path is none of the service's
	vars    map[string]string // what the path has in place of the pattern's names
	token   *accessToken      // of the caller; nil in public operations
	body    []byte            // whole
	form    url.Values        // of the query, and of the body where that is a form
	now     time.Time         // by Google's clock
	action  string            // in place of the operation's, where only the body tells it
	// subject is who a public operation is about, for the journal: who gets a token.
	subject *principal
}

// answerGoogle answers one request to any service.
func (s *Server) answerGoogle(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, server: s, now: s.now(), vars: map[string]string{}}
	err := r.read()
	r.route()
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
	if err != nil || len(body) > maxBody {
		return invalid("The request's body cannot be read.")
	}
	r.body = body
	if r.form, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return invalid("Malformed query string.")
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/x-www-form-urlencoded" {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return invalid("Malformed form.")
	}
	for name, values := range form {
		r.form[name] = append(r.form[name], values...)
	}
	return nil
}

// perform finds out who asks, and runs the operation unless an error came before it.
func (r *request) perform(err error) (answer, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		return answer{}, err
	case r.op == nil:
		return answer{}, notFound("The requested URL %s was not found on this server.", r.URL.Path)
	}
	if r.op.refine != nil {
		r.action = r.op.refine(r)
	}
	if s.temper.Throttled(r.service.name, cmp.Or(r.action, r.op.action)) {
		return answer{}, r.throttled()
	}
	if !r.op.public {
		if err := r.authenticate(); err != nil {
			return answer{}, err
		}
	}
	return r.op.run(r)
}

// failed is the answer for an error.
func (r *request) failed(err error) answer {
	var known *apiError
	if !errors.As(err, &known) {
		known = &apiError{status: http.StatusInternalServerError, code: "INTERNAL", message: "gcptest: " + err.Error()}
	}
	if r.service.fail == nil {
		return failGoogle(r, known)
	}
	return r.service.fail(r, known)
}

// project is the project that a request is about, as its path has it: an id or a number.
// "" is none.
func (r *request) project() string { return r.vars["project"] }

// decode reads the JSON body into a structure. Fields that the structure has not are
// ignored: the structure is what the fake heeds.
func (r *request) decode(into any) error {
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil
	}
	if json.Unmarshal(r.body, into) != nil {
		return invalid("Invalid JSON payload received.")
	}
	return nil
}
