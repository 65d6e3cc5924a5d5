package admin

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/settings"
)

// Every setting is shown under the name that config.toml has for it.
func TestConfigShow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, configFile), "[docker]\nanonymous_fallback = true\n")
	got := invokeWith(t, []string{"SVCCONN_CONFIG_DIR=" + dir, "SVCCONN_SECRETS=file"}, "config", "show", "-o", "json")
	var doc struct {
		File     string                    `json:"file"`
		State    string                    `json:"state_dir"`
		Settings map[string]map[string]any `json:"settings"`
	}
	decodeJSON(t, got, &doc)
	if doc.File != filepath.Join(dir, configFile) || doc.State != filepath.Join(dir, "state") {
		t.Errorf("folders: %+v", doc)
	}
	if doc.Settings["docker"]["anonymous_fallback"] != true || doc.Settings["secrets"]["backend"] != "file" || doc.Settings["docker"]["timeout"] != "5s" {
		t.Errorf("settings: %v", doc.Settings)
	}
	got = invokeWith(t, []string{"SVCCONN_CONFIG_DIR=" + dir}, "config", "show")
	if !strings.Contains(got.stdout, "docker.anonymous_fallback │ true") {
		t.Errorf("table: %+v", got)
	}
	got = invokeWith(t, []string{"SVCCONN_CONFIG_DIR=" + dir}, "config", "path")
	if want := filepath.Join(dir, configFile) + "\n"; got != (result{0, want, ""}) {
		t.Errorf("path: %+v", got)
	}
}

func TestConfigNamesAreThoseOfTheExample(t *testing.T) {
	t.Parallel()
	var want, got []string
	section := ""
	for line := range strings.Lines(settings.Example()) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#"))
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
		} else if name, _, ok := strings.Cut(line, " = "); ok && section != "" && !strings.Contains(name, " ") {
			want = append(want, section+"."+name)
		}
	}
	for _, e := range entries(settings.Settings{}) {
		got = append(got, e.section+"."+e.name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-example +shown):\n%s", diff)
	}
}

// A mistake in config.toml is told with its place; what needs no settings works on.
func TestBrokenConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, configFile), "[output]\nfromat = \"json\"\n")
	env := []string{"SVCCONN_CONFIG_DIR=" + dir}
	got := invokeWith(t, env, "list-types")
	if got.code != proc.Usage || got.stdout != "" || !strings.Contains(got.stderr, configFile) || !strings.Contains(got.stderr, "fromat") {
		t.Errorf("list-types: %+v", got)
	}
	for _, args := range [][]string{{"list-types", "-o", "name"}, {"config", "path"}, {"--help"}, {"completion", "bash"}, {"man"}} {
		if got := invokeWith(t, env, args...); got.code != 0 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestOutputDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, configFile), "[output]\nformat = \"name\"\n")
	config := "SVCCONN_CONFIG_DIR=" + dir
	for _, c := range []struct {
		env  []string
		args []string
		want string
	}{
		{[]string{config}, []string{"list-types"}, "docker\ncloud\n"},
		{[]string{config, "SVCCONN_OUTPUT=json"}, []string{"list-types", "-r", "bucket", "-a", "password"}, "[]\n"},
		{[]string{config, "SVCCONN_OUTPUT=json"}, []string{"list-types", "--output", "name"}, "docker\ncloud\n"},
	} {
		if got := invokeWith(t, c.env, c.args...); got.stdout != c.want {
			t.Errorf("%v %q: %+v", c.env, c.args, got)
		}
	}
	if got := invokeWith(t, []string{config, "SVCCONN_OUTPUT=sculpture"}, "list-types"); got.code != proc.Usage || !strings.Contains(got.stderr, "SVCCONN_OUTPUT") {
		t.Errorf("an unknown format in the environment: %+v", got)
	}
}
