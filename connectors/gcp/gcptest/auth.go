package gcptest

import (
	"net/http"
	"strings"
)

const (
	realm = `Bearer realm="https://accounts.google.com/"`
	// docPage is where Google's refusals send developers.
	docPage = " Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)

// authenticate finds out whose the access token is, and whether it is good for the
// operation at all.
func (r *request) authenticate() error {
	text, err := r.bearer()
	if err != nil {
		return err
	}
	if r.token = r.server.live(text); r.token == nil {
		return r.unauthenticated(text)
	}
	if r.token.boundary != nil && !r.service.bounded {
		return r.refusedToken("ACCESS_TOKEN_TYPE_UNSUPPORTED")
	}
	if !r.token.hasScope(r.op.scopesFor()) {
		return r.insufficient()
	}
	if err := r.checkQuota(); err != nil {
		return err
	}
	return r.checkEnabled()
}

// bearer is the access token that the request has.
func (r *request) bearer() (string, error) {
	if text := r.form.Get("access_token"); text != "" {
		return text, nil
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		return "", r.unauthorized("CREDENTIALS_MISSING", realm, "Request is missing required authentication credential."+docPage)
	}
	return text, nil
}

// unauthenticated is the refusal of a token that is none, or is no longer.
func (r *request) unauthenticated(text string) *apiError {
	known := r.server.tokens.access[text]
	if known != nil && !known.revoked && !r.now.Before(known.expires) {
		return r.refusedToken("ACCESS_TOKEN_EXPIRED")
	}
	return r.refusedToken("ACCESS_TOKEN_TYPE_UNSUPPORTED")
}

func (r *request) refusedToken(reason string) *apiError {
	return r.unauthorized(reason, realm+`, error="invalid_token"`, "Request had invalid authentication credentials."+docPage)
}

func (r *request) unauthorized(reason, challenge, message string) *apiError {
	return &apiError{
		status: http.StatusUnauthorized, code: "UNAUTHENTICATED", message: message,
		reason: reason, domain: "googleapis.com", metadata: map[string]string{"service": r.service.host(), "method": r.op.action},
		header: map[string]string{"WWW-Authenticate": challenge},
	}
}

// insufficient is the refusal of a token whose scopes are too narrow.
func (r *request) insufficient() *apiError {
	out := forbidden("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", map[string]string{"service": r.service.host(), "method": r.op.action},
		"Request had insufficient authentication scopes.")
	out.header = map[string]string{"WWW-Authenticate": realm + `, error="insufficient_scope", scope="` + strings.Join(r.op.scopesFor(), " ") + `"`}
	return out
}

// checkQuota refuses a project to bill that the caller may not use.
func (r *request) checkQuota() error {
	quota := r.Header.Get("X-Goog-User-Project")
	if quota == "" || r.server.may(&accessToken{who: r.token.who}, "serviceusage.services.use", resource{project: quota}) {
		return nil
	}
	return forbidden("USER_PROJECT_DENIED", "googleapis.com", map[string]string{"consumer": "projects/" + quota, "service": r.service.host()},
		"Caller does not have required permission to use project %[1]s. Grant the caller the roles/serviceusage.serviceUsageConsumer role, "+
			"or a custom role with the serviceusage.services.use permission, by visiting "+
			"https://console.developers.google.com/iam-admin/iam/project?project=%[1]s and then retry. Propagation of the new permission may take a few minutes.", quota)
}

// checkEnabled refuses an API that is not enabled where it is counted: in the project to
// bill, else in the one that is asked about, else in the caller's own.
func (r *request) checkEnabled() error {
	name := r.Header.Get("X-Goog-User-Project")
	if name == "" {
		name = r.project()
	}
	if name == "" && r.token.who.account != nil {
		name = r.token.who.account.project.id
	}
	return r.disabledIn(name)
}

// disabledIn refuses an API that a project, by id or number, has not enabled. Services
// whose paths name no project ask it themselves.
func (r *request) disabledIn(name string) error {
	p := r.server.projectOf(name)
	if p == nil || !p.disabled[r.service.api] {
		return nil
	}
	address := "https://console.developers.google.com/apis/api/" + r.service.api + "/overview?project=" + p.number
	out := forbidden("SERVICE_DISABLED", "googleapis.com", map[string]string{
		"consumer": "projects/" + p.number, "containerInfo": p.number, "service": r.service.api, "serviceTitle": r.service.title, "activationUrl": address,
	}, "%s has not been used in project %s before or it is disabled. Enable it by visiting %s then retry. "+
		"If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.", r.service.title, p.number, address)
	out.details = []any{
		map[string]any{"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": out.message},
		map[string]any{"@type": "type.googleapis.com/google.rpc.Help", "links": []any{map[string]string{"description": "Google developers console API activation", "url": address}}},
	}
	return out
}
