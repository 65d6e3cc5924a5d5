package clientconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForgetPlainText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after string }{
		"docker's": {"{\n\t\"auths\": {\n\t\t\"registry.example.com\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t},\n\t\t\"b\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t}\n\t}\n}",
			"{\n\t\"auths\": {\n\t\t\"registry.example.com\": {},\n\t\t\"b\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t}\n\t}\n}"},
		"all members": {`{"auths": {"registry.example.com": {"AUTH": "x", "email": "e", "username": "u", "x": 1, "password": "p", "identityToken": "t"}}}`,
			`{"auths": {"registry.example.com": {"email": "e", "x": 1}}}`},
		"marker":    {`{"auths": {"registry.example.com": {}}}`, `{"auths": {"registry.example.com": {}}}`},
		"null":      {`{"auths": {"registry.example.com": null}}`, `{"auths": {"registry.example.com": null}}`},
		"no auths":  {`{"x": 1}`, `{"x": 1}`},
		"null all":  {`{"auths": null}`, `{"auths": null}`},
		"elsewhere": {`{"registry.example.com": {"auth": "x"}}`, `{"registry.example.com": {"auth": "x"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(c.before)
			s.login("x")
			s.logout()
			p, err := PlanForgetPlainText(s.Env, Docker, file, []string{reg, "absent"})
			s.apply(p, err)
			if diff := cmp.Diff(c.after, content(t, file)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if c.before == c.after != p.Empty() {
				t.Errorf("empty is %v", p.Empty())
			}
			want := []Change{{Tool: Docker, File: file, Key: reg, Before: PlainText}}
			if diff := cmp.Diff(want, p.Changes()); diff != "" && !p.Empty() {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// A login beside it is undone as ever; the plain text does not come back.
func TestForgetPlainTextBetweenLoginAndLogout(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker(`{"auths": {"registry.example.com": {"auth": "eDp5"}}, "credHelpers": {"registry.example.com": "old"}}`)
	s.login(reg)
	p, err := PlanForgetPlainText(s.Env, Docker, file, []string{reg})
	s.apply(p, err)
	s.logout()
	if got, want := content(t, file), `{"auths": {"registry.example.com": {}}, "credHelpers": {"registry.example.com": "old"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestForgetInAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	p, err := PlanForgetPlainText(s.Env, Docker, s.DockerFile(), []string{reg})
	s.apply(p, err)
	if left := tree(t, s.Home); len(left) > 0 || !p.Empty() {
		t.Errorf("made %v", left)
	}
}
