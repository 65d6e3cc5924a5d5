package clientconfig

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tabbed = "{\n\t\"auths\": {\n\t\t\"a.example.com\": {}\n\t},\n\t\"psFormat\": \"table {{.ID}}\"\n}"

// Every file gets our entry in its own style, and every byte back.
func TestLoginAndLogoutByteForByte(t *testing.T) {
	t.Parallel()
	ours := `"credHelpers": {"registry.example.com": "svcconn"}`
	for name, c := range map[string]struct{ before, after string }{
		"empty object":            {"{}", "{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}"},
		"empty object, newline":   {"{}\n", "{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}\n"},
		"empty object, two lines": {"\n{\n}\n\n", "\n{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}\n\n"},
		"empty object, CRLF":      {"{\r\n}\r\n", "{\r\n\t\"credHelpers\": {\r\n\t\t\"registry.example.com\": \"svcconn\"\r\n\t}\r\n}\r\n"},
		"empty file":              {"", "{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}\n"},
		"blank file":              {" \n\t\n", "{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}\n"},
		"docker's tabs": {tabbed, strings.TrimSuffix(tabbed, "\n}") +
			",\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}"},
		"two spaces": {"{\n  \"auths\": {}\n}\n",
			"{\n  \"auths\": {},\n  \"credHelpers\": {\n    \"registry.example.com\": \"svcconn\"\n  }\n}\n"},
		"CRLF": {"{\r\n  \"auths\": {}\r\n}\r\n",
			"{\r\n  \"auths\": {},\r\n  \"credHelpers\": {\r\n    \"registry.example.com\": \"svcconn\"\r\n  }\r\n}\r\n"},
		"no indentation": {"{\n\"auths\": {}\n}", "{\n\"auths\": {},\n\"credHelpers\": {\n\"registry.example.com\": \"svcconn\"\n}\n}"},
		"one line":       {`{"auths": {}, "x": 1}`, `{"auths": {}, "x": 1, ` + ours + `}`},
		"one line, compact": {`{"auths":{},"x":[1,2]}`,
			`{"auths":{},"x":[1,2],"credHelpers":{"registry.example.com":"svcconn"}}`},
		"one line, airy": {`{ "x" : 1 } `, `{ "x" : 1, "credHelpers" : {"registry.example.com" : "svcconn"} } `},
		"space before commas": {"{\"a\":1 ,\n \"b\":2 ,\n \"c\":3 }",
			"{\"a\":1 ,\n \"b\":2 ,\n \"c\":3,\n \"credHelpers\":{\"registry.example.com\":\"svcconn\"} }"},
		"helpers empty": {"{\n  \"credHelpers\": {},\n  \"x\": {\"y\": null}\n}",
			"{\n  \"credHelpers\": {\n    \"registry.example.com\": \"svcconn\"\n  },\n  \"x\": {\"y\": null}\n}"},
		"helpers empty over lines": {"{\n  \"credHelpers\": {\n\n  }\n}", "{\n  \"credHelpers\": {\n    \"registry.example.com\": \"svcconn\"\n  }\n}"},
		"helpers null":             {"{\n  \"credHelpers\": null\n}", "{\n  \"credHelpers\": {\n    \"registry.example.com\": \"svcconn\"\n  }\n}"},
		"other helpers": {"{\n  \"credHelpers\": {\n    \"gcr.io\": \"gcloud\"\n  },\n  \"x\": 1e3\n}",
			"{\n  \"credHelpers\": {\n    \"gcr.io\": \"gcloud\",\n    \"registry.example.com\": \"svcconn\"\n  },\n  \"x\": 1e3\n}"},
		"other helpers, own layout": {"{\n  \"credHelpers\": { \"gcr.io\": \"gcloud\", \"eu.gcr.io\": \"gcloud\" }\n}",
			"{\n  \"credHelpers\": { \"gcr.io\": \"gcloud\", \"eu.gcr.io\": \"gcloud\", \"registry.example.com\": \"svcconn\" }\n}"},
		"another helper for it": {"{\n  \"credHelpers\": {\"registry.example.com\": \"ecr-l\\u006fgin\", \"z\": \"y\"}\n}",
			"{\n  \"credHelpers\": {\"registry.example.com\": \"svcconn\", \"z\": \"y\"}\n}"},
		"no helper for it":   {`{"credHelpers": {"registry.example.com": ""}}`, `{"credHelpers": {"registry.example.com": "svcconn"}}`},
		"null for it":        {`{"credHelpers": {"registry.example.com": null}}`, `{"credHelpers": {"registry.example.com": "svcconn"}}`},
		"names in any case":  {`{"CREDHELPERS": {}}`, `{"CREDHELPERS": {"registry.example.com": "svcconn"}}`},
		"names with escapes": {`{"cred\u0048elpers": {}}`, `{"cred\u0048elpers": {"registry.example.com": "svcconn"}}`},
		"unknown and odd": {"{\"😀\": \"\\ud83d\", \"n\": -0.0e-1, \"\": [[], {}, [ ]], \"bytes\": \"\xff\"}",
			"{\"😀\": \"\\ud83d\", \"n\": -0.0e-1, \"\": [[], {}, [ ]], \"bytes\": \"\xff\", " + ours + "}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(c.before)
			s.login(reg)
			if diff := cmp.Diff(c.after, content(t, file)); diff != "" {
				t.Errorf("after login (-want +got):\n%s", diff)
			}
			again := s.login(reg)
			if !again.Empty() || again.Diff() != "" {
				t.Errorf("a second login wants to change something:\n%s", again.Diff())
			}
			s.logout()
			if diff := cmp.Diff(c.before, content(t, file)); diff != "" {
				t.Errorf("after logout (-want +got):\n%s", diff)
			}
			s.noRecord()
		})
	}
}

// Registries come and go one by one; the last to go leaves the file as it was.
func TestSeveralRegistries(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"nothing":     "{}\n",
		"tabs":        tabbed,
		"own helpers": "{\"credsStore\": \"desktop\", \"credHelpers\": {\"a\": \"b\", \"docker.io\": \"c\"}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(before)
			s.login(reg)
			s.loginWith(Options{Default: true}, hubURL, hubBare)
			s.login("localhost:5000")
			all, err := Pointers(s.Env)
			if err != nil || len(all) != 5 {
				t.Errorf("got %v, %v; want 5 pointers", all, err)
			}
			s.logout(hubBare, hubURL)
			s.logout("localhost:5000")
			p, err := PlanDockerLogout(s.Env, nil, Options{Default: true})
			s.apply(p, err)
			want := []Change{{Tool: Docker, File: file, Before: "svcconn"}}
			if strings.Contains(before, "desktop") {
				want[0].After = "desktop"
			}
			if diff := cmp.Diff(want, p.Changes()); diff != "" {
				t.Errorf("logout of the default (-want +got):\n%s", diff)
			}
			left, _ := Pointers(s.Env)
			if diff := cmp.Diff([]Pointer{{Docker, file, reg}}, left); diff != "" {
				t.Errorf("pointers (-want +got):\n%s", diff)
			}
			s.logout(reg)
			if diff := cmp.Diff(before, content(t, file)); diff != "" {
				t.Errorf("after logout (-want +got):\n%s", diff)
			}
		})
	}
}

// When somebody else wrote the file meanwhile, exactly our entries go.
func TestLogoutAfterOthersWrote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, then, want string }{
		"docker rewrote it": {"{}",
			"{\n\t\"auths\": {\n\t\t\"h\": {}\n\t},\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}",
			"{\n\t\"auths\": {\n\t\t\"h\": {}\n\t}\n}"},
		"ours is first by then": {`{"x": 1}`,
			`{ "credHelpers": {"registry.example.com": "svcconn"}, "x": 1}`, `{ "x": 1}`},
		"ours is in the middle": {`{"credHelpers": {"a": "b"}}`,
			`{"credHelpers": {"a": "b", "registry.example.com": "svcconn", "c": "d"}}`, `{"credHelpers": {"a": "b", "c": "d"}}`},
		"another helper came": {"{}",
			`{"credHelpers": {"registry.example.com": "svcconn", "z": "ecr-login"}}`, `{"credHelpers": {"z": "ecr-login"}}`},
		"all reformatted": {"{\n  \"credHelpers\": {}\n}",
			`{"credHelpers":{"registry.example.com":"svcconn"}}`, `{"credHelpers":{}}`},
		"space behind the last that stays": {`{"credHelpers": {"a": "b"}}`,
			"{\"credHelpers\": {\"a\": \"b\" , \"registry.example.com\": \"svcconn\"}}", `{"credHelpers": {"a": "b"}}`},
		"replaced by another": {`{"credHelpers": {"registry.example.com": "old"}}`,
			`{"credHelpers": {"registry.example.com": "new"}}`, `{"credHelpers": {"registry.example.com": "new"}}`},
		"removed by hand": {`{"credHelpers": {"registry.example.com": "old"}, "x": 1}`, `{"x": 1}`, `{"x": 1}`},
		"emptied by hand": {"{ }", "{}", "{}"},
		"moved by podman": {`{"credHelpers": {"registry.example.com": "old"}}`,
			"{\n\t\"auths\": {},\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"svcconn\"\n\t}\n}",
			"{\n\t\"auths\": {},\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"old\"\n\t}\n}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(c.before)
			s.login(reg)
			s.docker(c.then)
			s.logout()
			if diff := cmp.Diff(c.want, content(t, file)); diff != "" {
				t.Errorf("after logout (-want +got):\n%s", diff)
			}
			if all, err := Pointers(s.Env); err != nil || all != nil {
				t.Errorf("got %v, %v; want no pointers", all, err)
			}
			s.noRecord()
		})
	}
}

// A record whose change did not happen says nothing about what came after it.
func TestStaleRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, then string }{
		"another helper":    {`{"credHelpers": {"registry.example.com": "old"}}`, `{"credHelpers": {"registry.example.com": "new"}}`},
		"an object":         {`{"x": 1}`, `{"x": 1, "credHelpers": { }}`},
		"filled meanwhile":  {`{}`, `{"x": 1}`},
		"emptied meanwhile": {`{"credHelpers": {"a": "b"}}`, `{ "credHelpers" : {}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(c.before)
			s.login(reg)
			s.docker(c.then) // the login was cut off behind the journal, then a person came
			s.login(reg)
			s.logout()
			if got := content(t, file); got != c.then {
				t.Errorf("got %s, want %s", got, c.then)
			}
			s.noRecord()
		})
	}
}

// What was written by hand, or whose journal is lost, is ours all the same.
func TestLogoutWithoutJournal(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker(`{"credHelpers": {"registry.example.com": "svcconn", "b": "svcconn"}, "credsStore": "svcconn"}`)
	s.logout(reg)
	if got, want := content(t, file), `{"credHelpers": {"b": "svcconn"}, "credsStore": "svcconn"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.logout()
	if got, want := content(t, file), `{"credHelpers": {}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLogoutOfNothingTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.vars["XDG_RUNTIME_DIR"] = s.Home
	if p := s.logout(); !p.Empty() || p.Diff() != "" || len(p.Changes()) > 0 {
		t.Errorf("got changes %v", p.Changes())
	}
	if left := tree(t, s.State); len(left) > 0 {
		t.Errorf("made %v", left)
	}
}
