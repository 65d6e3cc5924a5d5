package gcptest

import (
	"cmp"
	"strconv"
	"strings"
)

// tokenInfo tells whose an access token is. Numbers are texts in it. Tokens of the Security
// Token Service are unknown to it.
func tokenInfo(r *request) (answer, error) {
	text := r.form.Get("access_token")
	if text == "" {
		return answer{}, oauthError("invalid_request", "either access_token, id_token, or token_handle required")
	}
	t := r.server.live(text)
	if t == nil || t.sts {
		return answer{}, oauthError("invalid_token", "Invalid Value")
	}
	r.subject = t.who
	client := cmp.Or(t.client, digits(t.who.name))
	out := map[string]string{
		"azp": client, "aud": client, "scope": strings.Join(t.scopes, " "), "access_type": "online",
		"exp": strconv.FormatInt(t.expires.Unix(), 10), "expires_in": strconv.Itoa(int(t.expires.Sub(r.now).Seconds())),
	}
	if t.refresh != nil {
		out["access_type"] = "offline"
	}
	if t.hasScope([]string{scopeEmail, "openid"}) {
		out["sub"] = digits(t.who.name)
	}
	if t.hasScope([]string{scopeEmail}) && t.who.email != "" {
		out["email"], out["email_verified"] = t.who.email, "true"
	}
	return answerJSON(out)
}
