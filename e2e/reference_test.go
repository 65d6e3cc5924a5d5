//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/docker/docker-credential-helpers/credentials"
)

// memory is the simplest helper, for docker's own server code.
type memory map[string]credentials.Credentials

func (m memory) Add(c *credentials.Credentials) error { m[c.ServerURL] = *c; return nil }
func (m memory) Delete(url string) error              { delete(m, url); return nil }

func (m memory) Get(url string) (user, secret string, err error) {
	c, ok := m[url]
	if !ok {
		return "", "", credentials.NewErrCredentialsNotFound()
	}
	return c.Username, c.Secret, nil
}

func (m memory) List() (map[string]string, error) {
	list := map[string]string{}
	for url, c := range m {
		list[url] = c.Username
	}
	return list, nil
}

// TestReference puts the same questions to docker's own server code over a helper
// that keeps logins in memory, and to ours, and compares what comes out.
func TestReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "every answer equals that of docker-credential-helpers' own server, word by word or as JSON")
	w.startKeyring()
	reference := memory{}
	store := `{"ServerURL":"a.example.com","Username":"ada","Secret":"` + w.plainSecret() + `"}`
	for _, q := range []struct{ verb, input string }{
		{"list", "unused"}, {"list", ""}, {"get", "a.example.com"}, {"erase", "a.example.com"},
		{"store", store}, {"get", "a.example.com"}, {"get", " a.example.com\n"}, {"get", "b.example.com"}, {"list", "unused"},
		{"store", `{"ServerURL":"b.example.com","Username":"<token>","Secret":"x"}`}, {"get", "b.example.com"}, {"list", "unused"},
		{"erase", "a.example.com\n"}, {"get", "a.example.com"}, {"erase", "b.example.com"}, {"list", "unused"},
		{"get", ""}, {"get", "\n"}, {"erase", ""}, {"store", `{"Username":"ada","Secret":"x"}`}, {"store", `{"ServerURL":"a.example.com","Secret":"x"}`},
	} {
		var out bytes.Buffer
		err := credentials.HandleCommand(reference, credentials.Action(q.verb), strings.NewReader(q.input), &out)
		wantCode := 0
		if err != nil { // as credentials.Serve does
			out.WriteString(err.Error() + "\n")
			wantCode = 1
		}
		res := w.cmd("docker-credential-svcconn", q.verb).input(q.input).revealing().run().exits(wantCode)
		if !sameAnswer(res.stdout, out.String()) {
			t.Errorf("%s %q: an answer of another form than the reference's", q.verb, firstWord(q.input))
		}
	}
}

// sameAnswer compares as JSON where both are, else word by word.
func sameAnswer(got, want string) bool {
	var a, b any
	if json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal([]byte(want), &b) == nil {
		return reflect.DeepEqual(a, b)
	}
	return strings.TrimSpace(got) == strings.TrimSpace(want)
}

// firstWord names a question without the secret in it.
func firstWord(input string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(input), `,"Secret"`)
	return word
}
