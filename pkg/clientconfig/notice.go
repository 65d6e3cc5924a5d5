package clientconfig

import (
	"fmt"
	"slices"
)

// loginNotices tells what a login changes beyond its purpose.
func loginNotices(env Env, p *Plan, keys []string) []string {
	var notices []string
	if store := env.detectedStore(); store != "" && p.endsDetection() {
		notices = append(notices, fmt.Sprintf("docker finds %s by itself only while its file names no helper and no login: "+
			"from now on `docker login` to other registries keeps passwords in %s in plain text, unless \"credsStore\": %q is added there",
			store, p.files[0].before.path, store))
	}
	if env.GOOS != "linux" && env.installed("podman") && slices.ContainsFunc(keys, hasScheme) {
		notices = append(notices, fmt.Sprintf("podman's remote client, the only one on this system, refuses every pull and push while %s "+
			"has an entry for an address with https://, which docker needs for Docker Hub", p.files[0].before.path))
	}
	return notices
}

// endsDetection reports whether docker's file names its first helper by the plan.
func (p *Plan) endsDetection() bool {
	before, err := parse(p.files[0].before.path, p.files[0].before.text)
	if err != nil || len(p.files[0].changes) == 0 {
		return false
	}
	store := slices.ContainsFunc(p.files[0].changes, func(c Change) bool { return c.Key == "" })
	return !store && before.helperAt(storePlace) == "" &&
		len(members(before.object(memberHelpers))) == 0 && len(members(before.object(memberAuths))) == 0
}

// detectedStore is the helper that docker uses by itself on this system, or "".
func (e Env) detectedStore() string {
	store := map[string]string{"darwin": "osxkeychain", "windows": "wincred"}[e.GOOS]
	if e.GOOS == "linux" {
		store = "secretservice"
		if e.installed("pass") {
			store = "pass"
		}
	}
	if store == "" || !e.installed("docker-credential-"+store) {
		return ""
	}
	return store
}
