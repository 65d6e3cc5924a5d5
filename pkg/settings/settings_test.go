package settings

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

var update = flag.Bool("update", false, "write config.example.toml")

var defaults = Settings{
	Output:  Output{Format: "table"},
	Secrets: Secrets{Backend: "auto", Timeout: 3 * time.Second},
	Docker:  Docker{Timeout: 5 * time.Second},
	Kubectl: Kubectl{Timeout: 10 * time.Second},
	Kubelet: Kubelet{Timeout: 30 * time.Second},
	AWS:     AWS{Timeout: 30 * time.Second},
	Gcloud:  Gcloud{Timeout: 30 * time.Second},
	Agent:   Agent{Keep: 15 * time.Minute, Idle: 10 * time.Minute},
	Network: Network{Timeout: 20 * time.Second},
}

// configured returns a configuration folder with that config.toml.
func configured(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, text)
	return dir
}

func write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	all := "[output]\nformat = 'json'\n[secrets]\nbackend = 'file'\nidentity_file = '/keys/id.txt'\ntimeout = '1m30s'\n" +
		"[docker]\ntimeout = 7\nanonymous_fallback = true\n[agent]\nkeep = '0s'\nidle = '1h'\n[kubectl]\ntimeout = 12\n[kubelet]\ntimeout = 20\n[aws]\ntimeout = 50\n[gcloud]\ntimeout = 100\n[network]\ntimeout = '90s'\n"
	tests := []struct {
		name, text string
		want       func(*Settings)
	}{
		{"empty", "", func(*Settings) {}},
		{"one setting leaves the others alone", "[agent]\nidle = '2m'\n", func(s *Settings) { s.Agent.Idle = 2 * time.Minute }},
		{"an empty text is no value", "[secrets]\nidentity_file = ''\n", func(*Settings) {}},
		{"all", all, func(s *Settings) {
			*s = Settings{
				Output:  Output{"json"},
				Secrets: Secrets{"file", "/keys/id.txt", 90 * time.Second},
				Docker:  Docker{7 * time.Second, true},
				Kubectl: Kubectl{Timeout: 12 * time.Second},
				Kubelet: Kubelet{Timeout: 20 * time.Second},
				AWS:     AWS{Timeout: 50 * time.Second},
				Gcloud:  Gcloud{Timeout: 100 * time.Second},
				Agent:   Agent{0, time.Hour},
				Network: Network{90 * time.Second},
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.want(&want)
			got, err := Load(configured(t, test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadWithoutFile(t *testing.T) {
	t.Parallel()
	got, err := Load(filepath.Join(t.TempDir(), "nowhere"))
	if err != nil || got != defaults {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestIdentityFileBesideTheSettings(t *testing.T) {
	t.Parallel()
	dir := configured(t, "[secrets]\nidentity_file = 'keys/id.txt'\n")
	got, err := Load(dir)
	if want := filepath.Join(dir, "keys", "id.txt"); err != nil || got.Secrets.IdentityFile != want {
		t.Errorf("got %q, %v, want %q", got.Secrets.IdentityFile, err, want)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, message, hint string }{
		{"unknown key", "[agent]\nkeep = '1m'\nidel = '1m'\n", "config.toml:3: key agent.idel: there is no such key", `did you mean "idle"`},
		{"unknown section", "[dokcer]\ntimeout = '1s'\n", "config.toml:1: key dokcer: there is no such key", `did you mean "docker"`},
		{"setting outside a section", "format = 'json'\n", "config.toml:1: key format: there is no such key", "agent, aws, connectors, docker, gcloud, kubectl, kubelet, network, output, secrets"},
		{"dash for underscore", "[docker]\nanonymous-fallback = true\n", "config.toml:2: key docker.anonymous-fallback: there is no such key", `did you mean "anonymous_fallback"`},
		{"section is a value", "agent = 3\n", "config.toml:1: key agent: must be a table, not a whole number", ""},
		{"wrong kind", "\n[output]\nformat = 3\n", "config.toml:3: key output.format: must be a string, not a whole number", ""},
		{"wrong kind, dotted", "docker.anonymous_fallback = []\n", "config.toml:1: key docker.anonymous_fallback: must be true or false, not a list", ""},
		{"unknown choice", "[secrets]\nbackend = 'keychain'\n", `config.toml:2: key secrets.backend: "keychain" is not one of: auto, keyring, file`, ""},
		{"misspelt choice", "[secrets]\nbackend = 'keyrign'\n", `config.toml:2: key secrets.backend: "keyrign" is not one of`, `did you mean "keyring"?`},
		{"not a duration", "[network]\ntimeout = 'soon'\n", `config.toml:2: key network.timeout: "soon" is not a duration`, "90s, 15m or 1h30m"},
		{"no time at all", "[network]\ntimeout = '0s'\n", "config.toml:2: key network.timeout: 0s is below the least value", ""},
		{"too long", "[agent]\nkeep = '10000h'\n", "config.toml:2: key agent.keep: 10000h0m0s is above the greatest value", ""},
		{"home folder", "[secrets]\nidentity_file = '~/id'\n", "config.toml:2: key secrets.identity_file: ~ is not expanded here", "from the root"},
		{"not TOML", "[output]\nformat = json\n", "config.toml:2: is not TOML:", "correct "},
		{"twice", "[output]\nformat = 'json'\nformat = 'csv'\n", "config.toml:3: is not TOML:", "correct "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(configured(t, test.text))
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), test.message) {
				t.Errorf("got %v\nwant %s", err, test.message)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, test.hint) {
				t.Errorf("hint %q\nwant %s", hint, test.hint)
			}
		})
	}
}

func TestCurrentFollowsTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := NewFile(dir, time.Now)
	format := func() string {
		t.Helper()
		s, err := file.Current()
		if err != nil {
			return "error"
		}
		return s.Output.Format
	}
	// The texts are of one length and follow each other within a tick of the clock.
	steps := []struct{ text, want string }{
		{"[output]\nformat='json'\n", "json"}, {"[output]\nformat='yaml'\n", "yaml"}, {"[output]\nformat='name'\n", "name"},
		{"[output]\nformat='nope'\n", "error"}, {"[output]\nformat='json'\n", "json"},
	}
	if got := format(); got != "table" {
		t.Fatalf("got %s without a file", got)
	}
	for _, step := range steps {
		write(t, dir, step.text)
		for range 2 {
			if got := format(); got != step.want {
				t.Fatalf("got %s, want %s", got, step.want)
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, "config.toml")); err != nil {
		t.Fatal(err)
	}
	if got := format(); got != "table" {
		t.Fatalf("got %s after the file was removed", got)
	}
}

func TestWithEnv(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env             map[string]string
		format, backend string
		problem         string
	}{
		{nil, "table", "auto", ""},
		{map[string]string{"SVCCONN_OUTPUT": "json"}, "json", "auto", ""},
		{map[string]string{"SVCCONN_SECRETS": "file", "SVCCONN_OUTPUT": ""}, "table", "file", ""},
		{map[string]string{"SVCCONN_SECRETS": "plain"}, "", "", `environment variable SVCCONN_SECRETS: "plain" is not one of: auto, keyring, file`},
		{map[string]string{"SVCCONN_OUTPUT": "xml"}, "", "", `environment variable SVCCONN_OUTPUT: "xml" is not one of: table, json, yaml, csv, name`},
	}
	for _, test := range tests {
		got, err := defaults.WithEnv(func(name string) string { return test.env[name] })
		if test.problem != "" {
			if !fault.Is(err, fault.Invalid) || err.Error() != test.problem {
				t.Errorf("%v: got %v, want %s", test.env, err, test.problem)
			}
			continue
		}
		if err != nil || got.Output.Format != test.format || got.Secrets.Backend != test.backend {
			t.Errorf("%v: got %+v, %v", test.env, got, err)
		}
	}
	if defaults.Output.Format != "table" {
		t.Error("WithEnv changed its receiver")
	}
}

// TestExampleFile fails when config.example.toml is stale: run go generate.
func TestExampleFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "config.example.toml")
	if *update {
		if err := os.WriteFile(path, []byte(Example()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Example(), string(have)); diff != "" {
		t.Errorf("config.example.toml is stale; run `go generate ./pkg/settings`:\n%s", diff)
	}
}

// TestExampleIsTheDefaults uncomments every setting of the example.
func TestExampleIsTheDefaults(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	settings := 0
	for line := range strings.Lines(Example()) {
		if setting, ok := strings.CutPrefix(line, "# "); ok && strings.Contains(line, " = ") && !strings.Contains(line, ": ") {
			line = setting
			settings++
		}
		text.WriteString(line)
	}
	if settings != 14 {
		t.Errorf("the example has %d settings:\n%s", settings, text.String())
	}
	got, err := Load(configured(t, text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaults, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("[secrets]\ntimeout = 3\nidentity_file = \"\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode("/config", data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "config.toml") {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if s.Output.Format == "" || s.Secrets.Backend == "" || s.Network.Timeout < shortest || s.Docker.Timeout > time.Hour {
			t.Fatalf("incomplete or out of bounds: %+v", s)
		}
	})
}
