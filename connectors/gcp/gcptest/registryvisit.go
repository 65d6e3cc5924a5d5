package gcptest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/svcconn/svcconn/pkg/faketest"
)

// target is what a visit is about.
type target struct {
	image      string // as the path has it: PROJECT/REPOSITORY/IMAGE
	project    string // its id
	location   string
	repository string
}

// path is the resource name of the target's repository.
func (t target) path() string {
	return "projects/" + t.project + "/locations/" + t.location + "/repositories/" + t.repository
}

// parseTarget takes the name of an image apart. Projects within a domain, as
// example.com:project, are two segments.
func (d *door) parseTarget(image string) (target, *faketest.OCIError) {
	segments := strings.Split(image, "/")
	if len(segments) > 1 && strings.Contains(segments[0], ".") {
		segments = append([]string{segments[0] + ":" + segments[1]}, segments[2:]...)
	}
	out := target{image: image, project: segments[0], location: d.location, repository: d.legacy}
	rest := segments[1:]
	if d.legacy == "" && len(rest) > 0 {
		out.repository, rest = rest[0], rest[1:]
	}
	if len(rest) == 0 {
		return out, &faketest.OCIError{
			Status: http.StatusBadRequest, Code: "NAME_INVALID",
			Message: "Missing image name. Pushes should be of the form docker push HOST-NAME/PROJECT-ID/REPOSITORY/IMAGE",
		}
	}
	return out, nil
}

// registryMethods are the actions that methods are.
var registryMethods = map[string]string{
	http.MethodGet: actionPull, http.MethodHead: actionPull, http.MethodPost: actionPush, http.MethodPatch: actionPush, http.MethodPut: actionPush,
	http.MethodDelete: actionDelete,
}

// aim finds out what the visit is about.
func (v *visit) aim() *faketest.OCIError {
	switch {
	case v.URL.Path == "/v2/" || v.URL.Path == "/v2":
		v.action = actionPing
		return nil
	case v.URL.Path == tokenPath && v.Method == http.MethodGet:
		v.action = actionToken
		return nil
	}
	image, _, _, ok := faketest.OCIPath(v.URL.Path)
	v.action = registryMethods[v.Method]
	if !ok || v.action == "" {
		return &faketest.OCIError{Status: http.StatusNotFound, Code: "UNSUPPORTED", Message: "The operation is unsupported."}
	}
	var refused *faketest.OCIError
	v.target, refused = v.door.parseTarget(image)
	v.vars["project"] = v.target.project
	return refused
}

func deniedOCI(format string, args ...any) *faketest.OCIError {
	return &faketest.OCIError{Status: http.StatusForbidden, Code: "DENIED", Message: fmt.Sprintf(format, args...)}
}

// judge says whether the visitor may do something to a target.
func (v *visit) judge(t target, action string) *faketest.OCIError {
	var disabled *apiError
	if errors.As(v.disabledIn(t.project), &disabled) {
		return deniedOCI("%s", disabled.message)
	}
	permission := registryPermissions[action]
	switch {
	case v.token != nil && !v.token.hasScope(registryScopes[action == actionPull]):
		return &faketest.OCIError{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "Request had insufficient authentication scopes."}
	case v.isPublic(t) && action == actionPull, v.may(permission, resource{project: t.project, name: t.path()}):
		return nil
	case v.token == nil:
		return deniedOCI("Unauthenticated request. Unauthenticated requests do not have permission %q on resource %q (or it may not exist)", permission, t.path())
	}
	return deniedOCI("Permission %q denied on resource %q (or it may not exist)", permission, t.path())
}

func (v *visit) key(t target) repositoryKey {
	return repositoryKey{v.server.projectOf(t.project), t.location, t.repository}
}

func (v *visit) isPublic(t target) bool {
	known := v.server.others.repositories[v.key(t)]
	return known != nil && known.Public
}

// repository is the repository of the target, where the visit can be served by it.
func (v *visit) repository() (repositoryKey, *faketest.OCIError) {
	key := v.key(v.target)
	known := v.server.others.repositories[key]
	switch {
	case known == nil && v.door.legacy != "" && v.action == actionPush:
		return key, v.createOnPush(key)
	case known == nil:
		return key, &faketest.OCIError{Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: fmt.Sprintf("Repository %q not found", key.name)}
	case known.Format != "DOCKER":
		return key, &faketest.OCIError{Status: http.StatusBadRequest, Code: "NAME_INVALID", Message: fmt.Sprintf("Repository %q has the format %s, not DOCKER", key.name, known.Format)}
	case known.Mode != "STANDARD" && v.action != actionPull:
		return key, &faketest.OCIError{Status: http.StatusBadRequest, Code: "UNSUPPORTED", Message: fmt.Sprintf("Repository %q is %s: artifacts cannot be written to it", key.name, strings.ToLower(known.Mode))}
	}
	return key, nil
}

// createOnPush makes the repository of gcr.io or the like at the first push, as Artifact
// Registry does for those who may.
// https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo
func (v *visit) createOnPush(key repositoryKey) *faketest.OCIError {
	const permission = "artifactregistry.repositories.createOnPush"
	if !v.may(permission, resource{project: key.project.id}) {
		return deniedOCI("gcr.io repo does not exist. Creating on push requires the %s permission", permission)
	}
	v.server.others.repositories[key] = &repository{Repository{Format: "DOCKER", Mode: "STANDARD"}, key, v.now}
	return nil
}
