package clientconfig

import (
	"fmt"
	"slices"
	"strings"
)

// setupVariables decide which set-up of svcconn is meant.
var setupVariables = []string{"SVCCONN_CONFIG_DIR", "SVCCONN_STATE_DIR", "SVCCONN_RUNTIME_DIR", "SVCCONN_SECRETS", "SVCCONN_PASSPHRASE_FILE"}

// setupNotices tells which of them are set, where they cannot be written into the entry.
func (e Env) setupNotices(entry string) []string {
	set := e.setOf(setupVariables...)
	if len(set) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s cannot be written into %s: it leads to this set-up only where the environment says the same", strings.Join(set, ", "), entry)}
}

// setOf are the variables that are set.
func (e Env) setOf(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return e.Getenv(name) == "" })
}

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
