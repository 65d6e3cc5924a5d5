package gcptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/faketest"
	"github.com/svcconn/svcconn/pkg/field"
)

const tokenPath = "/v2/token"

// tokenLifetime is how long a token of a registry is good, unless the access token that it
// was given for ends before.
const tokenLifetime = time.Hour

// registryToken is a token that a registry gave for an access token, or for none.
type registryToken struct {
	by      *accessToken // nil is nobody
	grants  []string     // ACTION:IMAGE
	expires time.Time
}

// registryUsers are who logs in with an access token: what is documented, and what Google's
// credential helpers say. docker-credential-gcr without a version, "_dcgcr__token", is
// refused: https://github.com/GoogleCloudPlatform/docker-credential-gcr/issues/129
var registryUsers = field.Lazily(`^(oauth2accesstoken|_token|_dcgcr_.+_token|_dcgcloud_token)$`)

func unauthorizedOCI(message string) *faketest.OCIError {
	return &faketest.OCIError{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: message}
}

// identify finds out who visits. Nobody may pull what is public; a token of the registry
// must be for what the visit does.
func (v *visit) identify() *faketest.OCIError {
	if v.Header.Get("Authorization") == "" {
		if v.action == actionPull && v.judge(v.target, v.action) == nil {
			return nil
		}
		return unauthorizedOCI("authentication required")
	}
	if bearer, ok := strings.CutPrefix(v.Header.Get("Authorization"), "Bearer "); ok {
		if own := v.server.others.registryTokens[bearer]; own != nil {
			return v.recognise(own)
		}
		return v.login("oauth2accesstoken", bearer)
	}
	user, password, _ := v.BasicAuth()
	return v.login(user, password)
}

// login takes an access token. One with an access boundary is for Cloud Storage alone.
func (v *visit) login(user, password string) *faketest.OCIError {
	if !registryUsers.MatchString(user) {
		return unauthorizedOCI("No valid credential was supplied.")
	}
	token := v.server.live(password)
	if token == nil || token.boundary != nil {
		return unauthorizedOCI("authentication failed")
	}
	v.token = token
	return nil
}

// recognise takes a token of the registry.
func (v *visit) recognise(own *registryToken) *faketest.OCIError {
	switch {
	case !v.now.Before(own.expires), own.by != nil && !own.by.liveAt(v.now):
		return unauthorizedOCI("authentication failed")
	case v.action == actionPing && own.by == nil,
		v.action != actionPing && !slices.Contains(own.grants, v.action+":"+v.target.image):
		return unauthorizedOCI("authentication required")
	}
	v.token = own.by
	return nil
}

// challenge tells a client where it gets a token. Where it asks for no image, there is
// little to tell: https://github.com/apple/container/issues/2274
func (v *visit) challenge() string {
	out := fmt.Sprintf("Bearer realm=%q", v.own(tokenPath))
	if v.target.image == "" && v.door.legacy == "" {
		return out
	}
	out += fmt.Sprintf(",service=%q", v.Host)
	if v.target.image == "" {
		return out
	}
	actions := actionPull
	switch v.action {
	case actionPush:
		actions = actionPush + "," + actionPull
	case actionDelete:
		actions = actionDelete
	}
	return out + fmt.Sprintf(",scope=\"repository:%s:%s\"", v.target.image, actions)
}

// giveToken gives a token for all that is asked for, or none at all.
func (v *visit) giveToken() (http.Handler, *faketest.OCIError) {
	if v.Header.Get("Authorization") != "" {
		user, password, _ := v.BasicAuth()
		if refused := v.login(user, password); refused != nil {
			return nil, refused
		}
	}
	granted := &registryToken{by: v.token, expires: v.now.Add(tokenLifetime)}
	for _, scope := range v.URL.Query()["scope"] {
		for _, one := range strings.Fields(scope) {
			if refused := v.grant(granted, one); refused != nil {
				return nil, refused
			}
		}
	}
	text := randomText()
	v.server.others.registryTokens[text] = granted
	body, _ := json.Marshal(map[string]any{ // texts and a number
		"token": text, "expires_in": int(tokenLifetime.Seconds()), "issued_at": v.now.UTC().Format(time.RFC3339),
	})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}), nil
}

// grant adds what a scope asks for, repository:IMAGE:ACTIONS, if the visitor may do it.
func (v *visit) grant(to *registryToken, scope string) *faketest.OCIError {
	kind, rest, _ := strings.Cut(scope, ":")
	i := strings.LastIndex(rest, ":")
	if kind != "repository" || i < 0 {
		return &faketest.OCIError{Status: http.StatusBadRequest, Code: "UNSUPPORTED", Message: fmt.Sprintf("The scope %q is malformed.", scope)}
	}
	image, refused := v.door.parseTarget(rest[:i])
	if refused != nil {
		return refused
	}
	v.vars["project"] = image.project
	for action := range strings.SplitSeq(rest[i+1:], ",") {
		actions := []string{action}
		if action == "*" {
			actions = []string{actionPull, actionPush, actionDelete}
		}
		for _, one := range actions {
			if registryPermissions[one] == "" {
				return &faketest.OCIError{Status: http.StatusBadRequest, Code: "UNSUPPORTED", Message: fmt.Sprintf("The action %q is unknown.", one)}
			}
			if refused := v.judge(image, one); refused != nil {
				return refused
			}
			to.grants = append(to.grants, one+":"+image.image)
		}
	}
	return nil
}
