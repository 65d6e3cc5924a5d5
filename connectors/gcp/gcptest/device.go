package gcptest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"
)

// deviceScopes are all that Google lets devices have.
// https://developers.google.com/identity/protocols/oauth2/limited-input-device#allowedscopes
var deviceScopes = []string{
	"openid", scopeEmail, authScopes + "userinfo.profile", authScopes + "drive.appdata", authScopes + "drive.file",
	authScopes + "youtube", authScopes + "youtube.readonly",
}

const (
	deviceLifetime = 30 * time.Minute
	deviceInterval = time.Second // Google's is 5
)

// DeviceScopes lets devices have further scopes, which Google does not: what speaks
// Google's protocols without being Google may.
func (s *Server) DeviceScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.devices = append(s.people.devices, scopes...)
}

// deviceCode is a login of a device that waits for a person.
type deviceCode struct {
	client  string
	scopes  []string
	expires time.Time
	polled  time.Time
	used    bool
}

// startDevice begins a device's login.
// https://developers.google.com/identity/protocols/oauth2/limited-input-device
func startDevice(r *request) (answer, error) {
	client := r.server.people.clients[r.form.Get("client_id")]
	switch {
	case client == nil:
		return answer{}, oauthError("invalid_client", "The OAuth client was not found.").at(http.StatusUnauthorized)
	case client.kind != clientTV:
		return answer{}, oauthError("invalid_client", "Invalid client type.").at(http.StatusUnauthorized)
	}
	scopes, err := readScopes(r.form.Get("scope"))
	if err != nil {
		return answer{}, err
	}
	for _, scope := range scopes {
		if !slices.Contains(deviceScopes, scope) && !slices.Contains(r.server.people.devices, scope) {
			return answer{}, oauthError("invalid_scope", "Invalid device flow scope: %s", scope)
		}
	}
	if len(scopes) == 0 {
		return answer{}, oauthError("invalid_request", "Missing required parameter: scope")
	}
	text := "AH-" + randomText()
	r.server.tokens.devices[text] = &deviceCode{client: client.ID, scopes: scopes, expires: r.now.Add(deviceLifetime)}
	user := rand.Text()
	return answerJSON(map[string]any{
		"device_code": text, "user_code": user[:4] + "-" + user[4:8], "verification_url": "https://www.google.com/device",
		"expires_in": int(deviceLifetime.Seconds()), "interval": int(deviceInterval.Seconds()),
	})
}

// grantByDevice gives a device tokens once a person has agreed.
func grantByDevice(r *request) (answer, error) {
	client, err := r.client()
	if err != nil {
		return answer{}, err
	}
	d := r.server.tokens.devices[r.form.Get("device_code")]
	switch {
	case d == nil || d.used:
		return answer{}, oauthError("invalid_grant", "Bad Request")
	case d.client != client.ID:
		return answer{}, oauthError("unauthorized_client", "Unauthorized").at(http.StatusUnauthorized)
	case !r.now.Before(d.expires):
		return answer{}, oauthError("expired_token", "Bad Request")
	}
	early := r.now.Sub(d.polled) < deviceInterval
	d.polled = r.now
	p := &r.server.people
	switch {
	case early:
		return answer{}, oauthError("slow_down", "Forbidden").at(http.StatusForbidden)
	case p.denies:
		return answer{}, oauthError("access_denied", "Forbidden").at(http.StatusForbidden)
	case p.answer == "":
		return answer{}, oauthError("authorization_pending", "Precondition Required").at(http.StatusPreconditionRequired)
	}
	d.used = true
	refresh := r.server.issueRefresh(r.server.person(p.answer).principal(), d.client, d.scopes)
	return r.answerUser(refresh, d.scopes, tokenAnswer{RefreshToken: refresh.text})
}
