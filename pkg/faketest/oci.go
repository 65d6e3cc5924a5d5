package faketest

import (
	"encoding/json"
	"net/http"

	"github.com/svcconn/svcconn/pkg/field"
)

// OCIError is an error of a registry.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
type OCIError struct {
	Status        int
	Code, Message string
}

// Write answers with the error.
func (e *OCIError) Write(w http.ResponseWriter) {
	body, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": e.Code, "message": e.Message}}}) // texts
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

var ociPath = field.Lazily(`^/v2/(.+)/(manifests|blobs|tags|referrers)/(.+)$`)

// OCIPath takes the path of a request about a registry's repository apart: NAME, one of
// manifests, blobs, tags and referrers, and what comes behind it. It reports false for any
// other path.
func OCIPath(path string) (repository, kind, rest string, ok bool) {
	found := ociPath.FindStringSubmatch(path)
	if found == nil {
		return "", "", "", false
	}
	return found[1], found[2], found[3], true
}
