package clientconfig

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

// What docker or podman would misread is never touched; the error names file and
// line and quotes nothing.
func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	secretFile := `{"auths": {"a": {"auth": "` + canary + `"}},` + "\n"
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"cut off":                  {secretFile, 2},
		"no JSON":                  {canary, 1},
		"bad literal":              {"{\n\"a\": " + canary + "}", 2},
		"bad string":               {"{\n\"a\": \"" + canary + "\\q\"}", 2},
		"line comment":             {"{\n  // " + canary + "\n}", 2},
		"block comment":            {"{/* " + canary + " */}", 1},
		"trailing comma":           {"{\"a\": 1,\n}", 2},
		"more behind it":           {"{}\n{}", 2},
		"byte order mark":          {"\ufeff{}", 1},
		"array":                    {"\n[]", 2},
		"string":                   {`"` + canary + `"`, 1},
		"null":                     {"null", 1},
		"key twice":                {"{\"a\": 1,\n\"\\u0061\": 2}", 2},
		"key twice, in other case": {"{\"credHelpers\": {},\n\"CredHelpers\": {}}", 2},
		"key twice, folded":        {"{\"credsStore\": \"a\",\n\"cred\u017fStore\": \"b\"}", 2},
		"key twice, deep":          {"{\"x\": [{\n\"a\": 1,\n\"a\": 2}]}", 3},
		"helpers no object":        {"{\n\"credHelpers\": [\"" + canary + "\"]}", 2},
		"helper no string":         {"{\"credHelpers\": {\n\"a\": {\"" + canary + "\": 1}}}", 2},
		"helper no UTF-8":          {"{\"credHelpers\": {\n\"a\": \"\xff\"}}", 2},
		"store no UTF-8":           {"{\n\"credsStore\": \"\xff\"}", 2},
		"store no string":          {"{\n\"credsStore\": true}", 2},
		"auths no object":          {"{\n\"auths\": \"" + canary + "\"}", 2},
		"login no object":          {"{\"auths\": {\n\"a\": \"" + canary + "\"}}", 2},
		"nested beyond all reason": {strings.Repeat("[", 1<<20), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRefused(t, c.text, c.line)
		})
	}
}

func checkRefused(t *testing.T, text string, line int) {
	t.Helper()
	s := newSetup(t)
	file := s.docker(text)
	for verb, plan := range map[string]func() (*Plan, error){
		"login":  func() (*Plan, error) { return PlanDockerLogin(s.Env, []string{reg}, Options{}) },
		"logout": func() (*Plan, error) { return PlanDockerLogout(s.Env, nil, Options{}) },
		"forget": func() (*Plan, error) { return PlanForgetPlainText(s.Env, Docker, file, []string{"a"}) },
	} {
		_, err := plan()
		if want := fmt.Sprintf("%s, line %d: ", file, line); !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want an invalid fault that begins with %q", verb, err, want)
			continue
		}
		noCanary(t, verb, err.Error(), fault.HintOf(err))
	}
	if _, err := Pointers(s.Env); err == nil {
		t.Error("pointers: got no error")
	}
	findings := ExplainDocker(s.Env, []string{reg})
	if findings[0].Leads || !strings.Contains(findings[0].Reason, fmt.Sprintf("line %d: ", line)) {
		t.Errorf("explain: got %+v", findings[0])
	}
	noCanary(t, "explain", findings[0].Reason)
	if diff := cmp.Diff(text, content(t, file)); diff != "" {
		t.Errorf("the file was touched:\n%s", diff)
	}
	if left := tree(t, s.State); len(left) > 0 {
		t.Errorf("made %v", left)
	}
}

func TestThingsThatAreNoFiles(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	if err := os.MkdirAll(s.DockerFile(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := PlanDockerLogin(s.Env, []string{reg}, Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("folder: got %v", err)
	}
	s.vars["DOCKER_CONFIG"] = s.write("no-folder", "")
	if _, err := PlanDockerLogin(s.Env, []string{reg}, Options{}); err == nil || !strings.Contains(err.Error(), "no-folder") {
		t.Errorf("file for a folder: got %v", err)
	}
	large := s.write("large/config.json", "{}")
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	s.vars["DOCKER_CONFIG"] = s.Home + "/large"
	if _, err := PlanDockerLogin(s.Env, []string{reg}, Options{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "16 MiB") {
		t.Errorf("large file: got %v", err)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	for _, key := range []string{"", "a b", "a\n", "\xff", "a\x00"} {
		if _, err := PlanDockerLogin(s.Env, []string{reg, key}, Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("login %q: got %v", key, err)
		}
		if _, err := PlanDockerLogout(s.Env, []string{key}, Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("logout %q: got %v", key, err)
		}
	}
	if _, err := PlanDockerLogin(s.Env, nil, Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("login to nothing: got %v", err)
	}
}

func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(text string) string{
		"no JSON":       func(string) string { return "{" },
		"newer version": func(text string) string { return strings.Replace(text, `"version": 1`, `"version": 2`, 1) },
		"another file":  func(text string) string { return strings.Replace(text, `config.json"`, `other.json"`, 1) },
		"bad notation":  func(text string) string { return strings.Replace(text, `\"old\"`, `{\"old\"`, 1) },
		"no helper":     func(text string) string { return strings.Replace(text, `\"old\"`, `[1]`, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.docker(`{"credHelpers": {"registry.example.com": "old"}}`)
			s.login(reg)
			path := s.journal().path(file)
			kept := content(t, path)
			if damage(kept) == kept {
				t.Fatalf("no damage done to %s", kept)
			}
			if err := os.WriteFile(path, []byte(damage(kept)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := PlanDockerLogout(s.Env, nil, Options{})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(fault.HintOf(err), "delete it") {
				t.Errorf("got %v", err)
			}
		})
	}
}
