package clientconfig

import (
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// PlanForgetPlainText plans to remove the logins that a file of docker or podman
// holds itself under the given keys of auths, spelled as they are there. What is
// left is the empty entry that docker leaves beside a helper. This is for logins
// that have been moved into the secret store; no logout brings them back.
func PlanForgetPlainText(env Env, tool, file string, keys []string) (*Plan, error) {
	forget := onDocument(tool, func(d *document, _ *record) ([]Change, error) {
		var changes []Change
		for _, key := range keys {
			if d.forgetLogin(key) {
				changes = append(changes, Change{Key: key, Before: PlainText})
			}
		}
		return changes, nil
	})
	return newPlan(env, step{tool: tool, path: file, edit: forget})
}

// secretMembers are the members of a login that make it one, in any case, as docker
// and podman read them.
var secretMembers = []string{"auth", "username", "password", "identitytoken"}

func isSecretMember(m hujson.ObjectMember) bool {
	return slices.ContainsFunc(secretMembers, func(name string) bool { return strings.EqualFold(name, nameOf(m)) })
}

// forgetLogin reports whether there was one.
func (d *document) forgetLogin(key string) bool {
	_, entry := d.find(place{memberAuths, key})
	if entry == nil {
		return false
	}
	object, _ := entry.Value.(*hujson.Object)
	found := false
	for i := len(members(object)) - 1; i >= 0; i-- {
		if isSecretMember(object.Members[i]) {
			remove(object, i)
			found = true
		}
	}
	return found
}

// holdsLogin returns the key of auths under which the file itself has a login for a
// registry: its own name first, then what docker and podman take for the same.
func (d *document) holdsLogin(registry string) (key string, ok bool) {
	entries := members(d.object(memberAuths))
	for _, same := range []func(string) bool{
		func(key string) bool { return key == registry },
		func(key string) bool { return bareHost(key) == bareHost(registry) },
	} {
		for _, m := range entries {
			if object, _ := m.Value.Value.(*hujson.Object); same(nameOf(m)) && hasSecret(object) {
				return nameOf(m), true
			}
		}
	}
	return "", false
}

// hasSecret tells a login from the empty entry that docker leaves beside a helper.
func hasSecret(object *hujson.Object) bool {
	return slices.ContainsFunc(members(object), func(m hujson.ObjectMember) bool {
		return isSecretMember(m) && !strings.EqualFold(nameOf(m), "username") && literal(m.Value) != ""
	})
}

// bareHost is the host in a key of auths, Docker Hub's names folded into one. A path
// counts only behind a scheme, where it is an old API address; else it is podman's
// way to name a part of a registry.
func bareHost(key string) string {
	host := strings.TrimPrefix(strings.TrimPrefix(key, "http://"), "https://")
	if host != key {
		host, _, _ = strings.Cut(host, "/")
	}
	if host == "registry-1.docker.io" || host == "index.docker.io" {
		return "docker.io"
	}
	return host
}
