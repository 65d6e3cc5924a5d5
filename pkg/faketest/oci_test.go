package faketest_test

import (
	"net/http/httptest"
	"testing"

	"github.com/svcconn/svcconn/pkg/faketest"
)

func TestOCIPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][3]string{
		"/v2/team/app/manifests/v1":   {"team/app", "manifests", "v1"},
		"/v2/app/blobs/uploads/":      {"app", "blobs", "uploads/"},
		"/v2/app/blobs/sha256:00":     {"app", "blobs", "sha256:00"},
		"/v2/a/manifests/b/tags/list": {"a/manifests/b", "tags", "list"},
		"/v2/app/referrers/sha256:00": {"app", "referrers", "sha256:00"},
		"/v2/":                        {},
		"/v2/app/manifests/":          {},
		"/v2/_catalog":                {},
		"/v1/app/manifests/v1":        {},
		"/x/v2/app/manifests/v1":      {},
	} {
		repository, kind, rest, ok := faketest.OCIPath(path)
		if got := [3]string{repository, kind, rest}; got != want || ok != (want[0] != "") {
			t.Errorf("%s: %q, %v, want %q", path, got, ok, want)
		}
	}
}

func TestOCIError(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	(&faketest.OCIError{Status: 404, Code: "NAME_UNKNOWN", Message: `no "app"`}).Write(w)
	if want := `{"errors":[{"code":"NAME_UNKNOWN","message":"no \"app\""}]}`; w.Code != 404 || w.Body.String() != want {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
}
