package gcptest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// answer is what a request gets.
type answer struct {
	status int // 0 is 200
	header http.Header
	body   []byte
}

// answerJSON answers with a value as JSON.
func answerJSON(value any) (answer, error) {
	body, err := json.MarshalIndent(value, "", "  ")
	return answer{header: contentType("application/json; charset=UTF-8"), body: append(body, '\n')}, err
}

// answerText answers with plain text of a media type.
func answerText(media, text string) (answer, error) {
	return answer{header: contentType(media), body: []byte(text)}, nil
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
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(max(a.status, http.StatusOK))
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}
