package gcptest

import (
	"encoding/json"
	"maps"
	"net/http"
)

// The scopes of Cloud Storage. https://cloud.google.com/storage/docs/oauth-scopes
const (
	scopeStorageFull  = "https://www.googleapis.com/auth/devstorage.full_control"
	scopeStorageWrite = "https://www.googleapis.com/auth/devstorage.read_write"
	scopeStorageRead  = "https://www.googleapis.com/auth/devstorage.read_only"
)

const storageName = "storage"

func storageService() *service {
	const bucket, object = "/storage/v1/b/{bucket}", "/storage/v1/b/{bucket}/o/{object}"
	read := []string{scopeStorageFull, scopeStorageWrite, scopeStorageRead}
	write := []string{scopeStorageFull, scopeStorageWrite}
	out := &service{
		name: storageName, api: "storage.googleapis.com", title: "Google Cloud Storage JSON API", bounded: true, fail: failStorage,
		operations: []operation{
			{action: "buckets.list", method: http.MethodGet, path: "/storage/v1/b", scopes: read, run: listBuckets},
			{action: "buckets.get", method: http.MethodGet, path: bucket, scopes: read, run: getBucket},
			{action: "buckets.testIamPermissions", method: http.MethodGet, path: bucket + "/iam/testPermissions", scopes: read, run: testBucket},
			{action: "objects.list", method: http.MethodGet, path: bucket + "/o", scopes: read, run: listObjects},
			{action: "objects.get", method: http.MethodGet, path: object, scopes: read, run: getObject},
			{action: "objects.get", method: http.MethodGet, path: "/download" + object, scopes: read, run: getObject},
			{action: "objects.delete", method: http.MethodDelete, path: object, scopes: write, run: deleteObject},
		},
	}
	for _, front := range []string{"/upload", "/resumable/upload"} {
		path := front + bucket + "/o"
		out.operations = append(out.operations,
			operation{action: "objects.insert", method: http.MethodPost, path: path, scopes: write, run: insertObject},
			// The address of an upload is secret, and all that it takes to go on.
			// https://cloud.google.com/storage/docs/resumable-uploads#session-uris
			operation{action: "objects.insert", method: http.MethodPut, path: path, public: true, run: continueUpload},
			operation{action: "objects.insert", method: http.MethodDelete, path: path, public: true, run: cancelUpload},
		)
	}
	return out
}

// storageReasons are the reasons that errors of Cloud Storage have.
// https://cloud.google.com/storage/docs/json_api/v1/status-codes
var storageReasons = map[string]string{
	"INVALID_ARGUMENT": "invalid", "NOT_FOUND": "notFound", "PERMISSION_DENIED": "forbidden", "UNAUTHENTICATED": "authError",
	"RESOURCE_EXHAUSTED": "rateLimitExceeded", "FAILED_PRECONDITION": "conditionNotMet", "INTERNAL": "backendError",
	"SERVICE_DISABLED": "accessNotConfigured", "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "insufficientPermissions", "CREDENTIALS_MISSING": "required",
}

// failStorage words an error as the JSON API does.
func failStorage(_ *request, e *apiError) answer {
	body := map[string]any{"code": e.status, "message": e.message, "errors": []any{e.listed()}}
	if details := e.allDetails(); len(details) > 0 {
		body["details"] = details
	}
	return e.answer(map[string]any{"error": body})
}

// listed is the error as the oldest of Google's formats lists it, which Cloud Storage and
// Kubernetes Engine still have.
func (e *apiError) listed() map[string]string {
	reason := storageReasons[e.reason]
	if reason == "" {
		reason = storageReasons[e.code]
	}
	out := map[string]string{"message": e.message, "domain": "global", "reason": reason}
	switch {
	case e.status == http.StatusUnauthorized:
		maps.Copy(out, map[string]string{"locationType": "header", "location": "Authorization"})
	case reason == "accessNotConfigured" || reason == "rateLimitExceeded":
		out["domain"] = "usageLimits"
	}
	return out
}

// failed412 is the refusal of a request whose condition is not met.
func failed412() *apiError {
	return &apiError{status: http.StatusPreconditionFailed, code: "FAILED_PRECONDITION", message: "At least one of the pre-conditions you specified did not hold."}
}

// metadata is the part of an object's resource that a request may set.
type metadata struct {
	Name            string            `json:"name,omitempty"`
	ContentType     string            `json:"contentType,omitempty"`
	ContentEncoding string            `json:"contentEncoding,omitempty"`
	CacheControl    string            `json:"cacheControl,omitempty"`
	StorageClass    string            `json:"storageClass,omitempty"`
	MD5             string            `json:"md5Hash,omitempty"`
	CRC32C          string            `json:"crc32c,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
}

// parseMetadata reads JSON; nothing is none.
func parseMetadata(text []byte) (metadata, error) {
	var out metadata
	if len(text) > 0 && json.Unmarshal(text, &out) != nil {
		return out, invalid("Metadata part is not valid JSON.")
	}
	return out, nil
}
