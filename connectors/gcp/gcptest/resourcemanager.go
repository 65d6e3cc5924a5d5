package gcptest

import (
	"net/http"
	"strings"
)

func resourceManagerService() *service {
	return &service{
		name: "cloudresourcemanager", api: "cloudresourcemanager.googleapis.com", title: "Cloud Resource Manager API",
		operations: []operation{
			{action: "projects.get", method: http.MethodGet, path: "/v1/projects/{project}", run: getProject},
			{action: "projects.get", method: http.MethodGet, path: "/v3/projects/{project}", run: getProject},
		},
	}
}

// getProject answers in the words of the API's version.
// https://cloud.google.com/resource-manager/reference/rest/v3/projects/get
func getProject(r *request) (answer, error) {
	const permission = "resourcemanager.projects.get"
	name := r.project()
	if !r.may(permission, resource{project: name}) {
		return answer{}, forbidden("IAM_PERMISSION_DENIED", r.service.api, map[string]string{"permission": permission, "resource": "projects/" + name},
			"The caller does not have permission")
	}
	p := r.server.projectOf(name)
	if strings.HasPrefix(r.op.path, "/v1/") {
		return answerJSON(map[string]any{"projectId": p.id, "projectNumber": p.number, "name": p.id, "lifecycleState": "ACTIVE"})
	}
	return answerJSON(map[string]any{"name": "projects/" + p.number, "projectId": p.id, "displayName": p.id, "state": "ACTIVE"})
}
