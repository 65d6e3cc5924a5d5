package admin

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
)

// withConnector is a set-up where the connector hub is registered.
func withConnector(t *testing.T) *app {
	t.Helper()
	config := t.TempDir()
	a := newApp(worldWith(nil, nil, []string{"SVCCONN_CONFIG_DIR=" + config}), testTypes(), prompt.Terminal{})
	registerHub(t, config)
	return a
}

func TestComplete(t *testing.T) {
	t.Parallel()
	a := withConnector(t)
	for _, c := range []struct{ line, want, then string }{
		{"list-t", "list-types", ""},
		{"describe-", "describe-type", ""},
		{"config ", "show path", ""},
		{"sculpt", "", ""},
		{"__com", "", ""},
		{"help describe-t", "describe-type", ""},
		{"list-types --re", "--resource-type", ""},
		{"list-types --no", "--no-icons", ""},
		{"list-types --resource-type ", "docker-registry bucket", ""},
		{"list-types -r b", "bucket", ""},
		{"list-types --resource_type=b", "--resource_type=bucket", ""},
		{"list-types --auth-method i", "iam-role", ""},
		{"list-types -o ", "table json yaml csv name", ""},
		{"list-types -- -", "", ""},
		{"describe-type ", "docker cloud", ""},
		{"describe-type cl", "cloud", ""},
		{"describe-type cloud ", "", ""},
		{"describe-type cloud --auth-method ", "secret-key iam-role", ""},
		{"describe-type --auth-method=", "--auth-method=password --auth-method=secret-key --auth-method=iam-role", ""},
		{"describe-type cloud -r ", "bucket docker-registry", ""},
		{"completion ", "bash zsh fish pwsh", ""},
		{"register x --type d", "docker", ""},
		{"register x --type docker --set ", "username= password= private_key= certificate_authority= mode= insecure= tags=", "nospace"},
		{"register x --type docker --set m", "mode=", "nospace"},
		{"register x --type docker --set mode=", "mode=fast mode=safe", ""},
		{"register x --type docker --set mode=f", "mode=fast", ""},
		{"register x --type docker --set=insecure=t", "--set=insecure=true", ""},
		{"register x --type docker --set password=", "password=@ password=- password=env: password=cmd:", "nospace"},
		{"register x --type docker --set password=@fi", "", "files"},
		{"register x --type cloud --auth-method secret-key --set ", "private_key=", "nospace"},
		{"update ", "hub", ""},
		{"update h", "hub", ""},
		{"update hub --set ", "private_key= mode=", "nospace"},
		{"update hub --auth-method ", "secret-key iam-role", ""},
		{"update hub --unset ", "private_key mode", ""},
		{"delete hub h", "hub", ""},
		{"list-resources --connector ", "hub", ""},
		{"credential --format t", "token", ""},
	} {
		words := strings.Split(c.line, " ")
		last := len(words) - 1
		got := a.complete(t.Context(), words[:last], words[last])
		var offered []string
		for _, w := range got.words {
			offered = append(offered, w.word)
		}
		if diff := cmp.Diff(c.want, strings.Join(offered, " ")); diff != "" || got.directive() != c.then {
			t.Errorf("%q: then %q, (-want +got):\n%s", c.line, got.directive(), diff)
		}
	}
}

func TestCompleteCommand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"describe-type =d":      "docker\tDocker Service Connector\n:\n",
		"list-types =--no":      "--no-icons\t" + noIconsFlag.usage + "\n:\n",
		"no-such-command =":     invoke(t, "__complete", "=").stdout,
		"list-types --foo -- =": ":\n",
	} {
		got := invoke(t, append([]string{"__complete"}, strings.Fields(line)...)...)
		if got != (result{proc.Done, want, ""}) {
			t.Errorf("%q: %+v, want %q", line, got, want)
		}
	}
	if got := invoke(t, "__complete"); got != (result{}) {
		t.Errorf("nothing: %+v", got)
	}
}

// A set-up that can not be read offers no connectors, and does not fail.
func TestCompleteWithoutSetUp(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{nil, {"SVCCONN_CONFIG_DIR=" + filepath.Join(t.TempDir(), "none")}} {
		got := invokeWith(t, env, "__complete", "update", "=")
		if got != (result{0, ":\n", ""}) {
			t.Errorf("%v: %+v", env, got)
		}
	}
}

// Every word that stands for a value of the commands' flags and arguments and that
// can be completed is completed.
func TestEveryKnownWordIsCompleted(t *testing.T) {
	t.Parallel()
	a := withConnector(t)
	for _, word := range []string{typeWord, methodWord, resourceTypeWord, connectorWord, fieldWord, settingWord, formatWord, credentialFormatWord, shellWord} {
		if got := a.values(t.Context(), line{path: []*command{tree()}}, word, ""); len(got.words) == 0 {
			t.Errorf("%s: nothing is offered", word)
		}
	}
	if !a.values(t.Context(), line{path: []*command{tree()}}, fileWord, "").files {
		t.Error("no files are offered for a file")
	}
}

// Whatever was typed so far, there is an answer.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{"register x --set ", "describe-type docker -", "help ", "-o", "login docker -- "} {
		f.Add(seed)
	}
	a := newApp(worldWith(nil, nil, []string{"SVCCONN_CONFIG_DIR=" + f.TempDir()}), testTypes(), prompt.Terminal{})
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, " ")
		last := len(words) - 1
		for _, w := range a.complete(t.Context(), words[:last], words[last]).words {
			if !strings.HasPrefix(w.word, words[last]) {
				t.Errorf("%q: offered %q", text, w.word)
			}
		}
	})
}
