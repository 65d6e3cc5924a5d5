package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/settings"
)

func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		name, c := fullName(path), path[len(path)-1]
		for _, args := range [][]string{append(words(path), "--help"), append(words(path), "-h"), append([]string{"help"}, words(path)...)} {
			got := invoke(t, args...)
			if got.code != proc.Done || got.stderr != "" {
				t.Errorf("%q: exit code %d, stderr %q", args, got.code, got.stderr)
			}
			for _, part := range []string{name + " - ", "Usage:\n  " + usage(path), "-h, --help"} {
				if !strings.Contains(got.stdout, part) {
					t.Errorf("%q: the help lacks %q:\n%s", args, part, got.stdout)
				}
			}
		}
		if c.summary == "" || c.doc == "" || strings.HasSuffix(c.summary, ".") {
			t.Errorf("%s: summary %q and doc must be there, the one without a period", name, c.summary)
		}
		if len(c.commands) == 0 && (len(c.examples) == 0 || c.run == nil) {
			t.Errorf("%s has no example, or does nothing", name)
		}
		for _, f := range c.allFlags() {
			if f.usage == "" || strings.HasSuffix(f.usage, ".") {
				t.Errorf("%s: the usage of --%s is %q", name, f.name, f.usage)
			}
		}
	}
}

// Every example of the help is a command line that svcconn would take.
func TestExamplesAreRight(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		for _, e := range path[len(path)-1].examples {
			if !strings.HasPrefix(e.line, program+" ") {
				if !strings.Contains(e.line, program+" ") {
					t.Errorf("%s: the example %q does not run it", fullName(path), e.line)
				}
				continue
			}
			line, _, _ := strings.Cut(e.line, " | ")
			line, _, _ = strings.Cut(line, " > ")
			if _, err := readLine(tree(), strings.Fields(line)[1:]); err != nil {
				t.Errorf("%s: the example %q: %v", fullName(path), e.line, err)
			}
		}
	}
}

// Names of flags are what the documentation promises, and unambiguous.
func TestFlagsAreUnambiguous(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		seen := map[string]bool{}
		for _, f := range path[len(path)-1].allFlags() {
			for _, name := range append(f.names(), f.short) {
				if name != "" && (seen[name] || strings.ContainsAny(name, "_= ")) {
					t.Errorf("%s: flag name %q is taken or malformed", fullName(path), name)
				}
				seen[name] = true
			}
			if len(f.short) > 1 {
				t.Errorf("%s: short flag %q is not one letter", fullName(path), f.short)
			}
		}
	}
}

func TestHelpFitsTheWidth(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		for _, width := range []int{60, 80, 100} {
			before, _, _ := strings.Cut(helpText(path, width), "\nExamples:\n")
			for line := range strings.Lines(before) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && strings.HasPrefix(line, " ") && !strings.Contains(line, program+" ") {
					t.Errorf("%s at %d columns: a line of %d: %q", fullName(path), width, n, line)
				}
			}
		}
	}
}

func TestNoCommandIsHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		got := invoke(t, args...)
		if got.code != 0 || !strings.Contains(got.stdout, "list-types") || got.stderr != "" {
			t.Errorf("%q: %+v", args, got)
		}
		if strings.Contains(got.stdout, "__complete") {
			t.Error("the help shows what is for programs")
		}
	}
	if got := invoke(t, "config"); got.code != 0 || !strings.Contains(got.stdout, "show") {
		t.Errorf("a group alone: %+v", got)
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"lst-types"}, {"list-types", "--foo"}, {"list-types", "x"}, {"describe-type"}, {"list-types", "-o"}, {"list-types", "-o", "sculpture"}} {
		got := invoke(t, args...)
		if got.code != proc.Usage || got.stdout != "" || !strings.HasPrefix(got.stderr, "svcconn: error: ") || strings.Contains(got.stderr, `{"error"`) {
			t.Errorf("%q: %+v", args, got)
		}
		if !strings.Contains(got.stderr, "\nsvcconn: hint: ") && args[len(args)-1] != "-o" {
			t.Errorf("%q: no hint in %q", args, got.stderr)
		}
	}
}

// With -o json, in each of its spellings, an error is there as JSON too.
func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	config := "SVCCONN_CONFIG_DIR=" + t.TempDir()
	for _, c := range []struct {
		env  []string
		args []string
		want bool
	}{
		{nil, []string{"describe-type", "dcker", "-o", "json"}, true},
		{nil, []string{"describe-type", "dcker", "-ojson"}, true},
		{nil, []string{"-o=json", "describe-type", "dcker"}, true},
		{nil, []string{"describe-type", "--output=json", "dcker"}, true},
		{nil, []string{"describe-type", "--output", "json", "dcker"}, true},
		{[]string{"SVCCONN_OUTPUT=json"}, []string{"describe-type", "dcker"}, true},
		{[]string{"SVCCONN_OUTPUT=json"}, []string{"describe-type", "dcker", "-o", "table"}, false},
		{nil, []string{"describe-type", "dcker"}, false},
		{nil, []string{"describe-type", "-o", "yaml", "--", "dcker"}, false},
	} {
		got := invokeWith(t, append(c.env, config), c.args...)
		lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
		var body struct {
			Error struct{ Kind, Message, Hint string }
		}
		err := json.Unmarshal([]byte(lines[len(lines)-1]), &body)
		if (err == nil) != c.want {
			t.Errorf("%v %q: stderr %q", c.env, c.args, got.stderr)
			continue
		}
		if c.want && (body.Error.Kind != "not-found" || body.Error.Message != `unknown connector type "dcker"` || !strings.Contains(body.Error.Hint, `"docker"`)) {
			t.Errorf("%q: %+v", c.args, body.Error)
		}
		if got.code != proc.NotFound || got.stdout != "" || lines[0] != `svcconn: error: unknown connector type "dcker"` {
			t.Errorf("%q: %+v", c.args, got)
		}
	}
}

func TestListTypes(t *testing.T) {
	t.Parallel()
	got := invoke(t, "list-types", "-o", "json")
	want := `[
  {
    "name": "Docker Service Connector",
    "type": "docker",
    "resource_types": [
      "docker-registry"
    ],
    "auth_methods": [
      "password"
    ],
    "local": true,
    "remote": true
  },
  {
    "name": "雲 Service Connector",
    "type": "cloud",
    "resource_types": [
      "bucket",
      "docker-registry"
    ],
    "auth_methods": [
      "secret-key",
      "iam-role"
    ],
    "local": true,
    "remote": true
  }
]
`
	if diff := cmp.Diff(result{0, want, ""}, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		args string
		want result
	}{
		{"-o name", result{0, "docker\ncloud\n", ""}},
		{"--resource-type bucket -o name", result{0, "cloud\n", ""}},
		{"-r docker-registry -o name", result{0, "docker\ncloud\n", ""}},
		{"-a iam-role -o name", result{0, "cloud\n", ""}},
		{"-a password -r bucket", result{0, "", "No connector type has both.\n"}},
		{"-a password -r bucket -o json", result{0, "[]\n", ""}},
		{"-r bukcet", result{3, "", "svcconn: error: unknown resource type \"bukcet\"\nsvcconn: hint: did you mean \"bucket\"? There are: docker-registry, bucket\n"}},
		{"-a iam-rle", result{3, "", "svcconn: error: unknown auth method \"iam-rle\"\nsvcconn: hint: did you mean \"iam-role\"? There are: iam-role, password, secret-key\n"}},
		{"-o csv -a iam-role", result{0, "name,type,resource_types,auth_methods,local,remote\n雲 Service Connector,cloud,\"bucket,docker-registry\",\"secret-key,iam-role\",yes,yes\n", ""}},
	} {
		got := invoke(t, append([]string{"list-types"}, strings.Fields(c.args)...)...)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
}

// The page of an auth method has all that is known of its fields, and so has its
// JSON; the page of the type has the names.
func TestDescribeType(t *testing.T) {
	t.Parallel()
	page := invoke(t, "describe-type", "docker", "--auth-method", "password").stdout
	for _, part := range []string{
		"Password (auth method: password)", "username {string, required}", "Who logs in.", "Example: ci", "password {secret, required}",
		"mode {string, optional}", "One of: fast, safe.", "Default: safe", "insecure {boolean, optional}", "Default: false", "tags {list, optional}",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	var method methodDoc
	decodeJSON(t, invoke(t, "describe-type", "docker", "-a", "password", "-o", "json"), &method)
	if len(method.Fields) != len(testFields()) || method.Expiration != nil {
		t.Errorf("JSON of the method: %+v", method)
	}
	for i, f := range testFields() {
		if diff := cmp.Diff(newFieldDoc(f.Info()), method.Fields[i]); diff != "" {
			t.Errorf("field %d (-want +got):\n%s", i, diff)
		}
	}
	page = invoke(t, "describe-type", "cloud").stdout
	for _, part := range []string{"雲 Service Connector (connector type: cloud)", " • iam-role", "Fields: private_key, mode.", " • bucket", "Supports auto-configuration: no", "Reaches a cloud."} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	page = invoke(t, "describe-type", "cloud", "-r", "bucket").stdout
	for _, part := range []string{"Bucket (resource type: bucket)", "Authentication methods: secret-key, iam-role", "Supports resource instances: yes", " • read"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	page = invoke(t, "describe-type", "cloud", "-a", "iam-role").stdout
	if !strings.Contains(page, "Expiration: from 15m0s to 12h0m, 1h0m by default") || !strings.Contains(page, "Issues temporary credentials: yes") {
		t.Errorf("the page of a method that mints:\n%s", page)
	}
}

func TestDescribeTypeJSON(t *testing.T) {
	t.Parallel()
	var typ map[string]any
	decodeJSON(t, invoke(t, "describe-type", "cloud", "-o", "json"), &typ)
	for _, key := range []string{"name", "type", "resource_types", "auth_methods", "local", "remote", "auto_configuration", "description", "resource_type_details", "auth_method_details"} {
		if _, ok := typ[key]; !ok {
			t.Errorf("the JSON of a type lacks %q: %v", key, typ)
		}
	}
	var resource map[string]any
	decodeJSON(t, invoke(t, "describe-type", "cloud", "-r", "bucket", "-o", "json"), &resource)
	want := map[string]any{
		"type": "cloud", "resource_type": "bucket", "name": "Bucket", "description": "A bucket.", "instances": true,
		"auth_methods": []any{"secret-key", "iam-role"}, "formats": []any{}, "permissions": []any{"list", "read"},
	}
	if diff := cmp.Diff(want, resource); diff != "" {
		t.Errorf("JSON of a resource type (-want +got):\n%s", diff)
	}
	for _, args := range [][]string{{"-o", "yaml"}, {"-o", "csv"}, {"-r", "bucket", "-o", "csv"}} {
		if got := invoke(t, append([]string{"describe-type", "cloud"}, args...)...); got.code != 0 || got.stdout == "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
	for args, want := range map[string]string{"": "cloud\n", "-r bucket": "bucket\n", "-a iam-role": "iam-role\n"} {
		if got := invoke(t, append([]string{"describe-type", "cloud", "-o", "name"}, strings.Fields(args)...)...); got.stdout != want {
			t.Errorf("%q as name: %+v", args, got)
		}
	}
}

func TestDescribeTypeErrors(t *testing.T) {
	t.Parallel()
	for args, code := range map[string]int{
		"cluod": 3, "cloud -r bukcet": 3, "cloud -a iam": 3, "cloud -a iam-role -r bucket": 2, "": 2, "cloud docker": 2,
	} {
		got := invoke(t, append([]string{"describe-type"}, strings.Fields(args)...)...)
		if got.code != code || got.stdout != "" || !strings.Contains(got.stderr, "svcconn: hint: ") {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	var b map[string]any
	decodeJSON(t, invoke(t, "version", "-o", "json"), &b)
	for _, key := range []string{"release", "protocol", "commit", "modified", "go", "os", "arch"} {
		if _, ok := b[key]; !ok {
			t.Errorf("the JSON lacks %q: %v", key, b)
		}
	}
	plain, flag := invoke(t, "version"), invoke(t, "--version")
	if plain.code != 0 || !strings.Contains(plain.stdout, "RELEASE") || plain != flag {
		t.Errorf("version %+v, --version %+v", plain, flag)
	}
}

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

// failing runs a command that ends with err.
func failing(ctx context.Context, t *testing.T, stdout io.Writer, err error) (int, string) {
	t.Helper()
	var errs bytes.Buffer
	a := newApp(proc.World{Args: []string{"man"}, Stdout: stdout, Stderr: &errs}, nil, prompt.Terminal{})
	code := a.finish(ctx, err)
	return code, errs.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{
		fault.Failed: 1, fault.Invalid: 2, fault.NotFound: 3, fault.Denied: 4, fault.Unavailable: 5, fault.NeedsPerson: 6, fault.Ambiguous: 7,
	} {
		code, stderr := failing(t.Context(), t, io.Discard, fault.New(kind, "it went wrong"))
		if code != want || stderr != "svcconn: error: it went wrong\n" {
			t.Errorf("%s: %d, %q", kind, code, stderr)
		}
	}
	if code, stderr := failing(t.Context(), t, io.Discard, nil); code != 0 || stderr != "" {
		t.Errorf("no error: %d, %q", code, stderr)
	}
}

// After Ctrl-C, whatever the command made of it is an interruption.
func TestInterruptedCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{context.Canceled, fault.New(fault.Unavailable, "no answer: %w", context.Canceled)} {
		if code, stderr := failing(ctx, t, io.Discard, err); code != proc.Interrupted || stderr != "svcconn: error: interrupted\n" {
			t.Errorf("%v: %d, %q", err, code, stderr)
		}
	}
	if code, _ := failing(ctx, t, io.Discard, nil); code != 0 {
		t.Errorf("a command that was done all the same: %d", code)
	}
}

func TestErrorsCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	_, stderr := failing(t.Context(), t, io.Discard, fault.New(fault.Denied, "the registry says \x1b[2J\u202e\n").Hint("one\x1b\ntwo"))
	if want := "svcconn: error: the registry says \\x1b[2J\\u202e\\n\nsvcconn: hint: one\\x1b\nsvcconn: hint: two\n"; stderr != want {
		t.Errorf("got %q, want %q", stderr, want)
	}
}

// A reader that goes away ends the command without a word; a full disk does not.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	for name, c := range map[string]struct {
		stdout io.Writer
		code   int
		silent bool
	}{"pipe": {write, 0, true}, "full": {fullDisk{}, 1, false}} {
		var errs bytes.Buffer
		a := newApp(worldWith(c.stdout, &errs, nil, "man"), testTypes(), prompt.Terminal{})
		if code := run(t.Context(), a); code != c.code || (errs.Len() == 0) != c.silent {
			t.Errorf("%s: exit code %d, %q", name, code, errs.String())
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestEveryFormatOfEveryListing(t *testing.T) {
	t.Parallel()
	for _, format := range output.Formats() {
		for _, args := range [][]string{{"list-types"}, {"describe-type", "docker"}, {"version"}, {"config", "show"}} {
			if got := invoke(t, append(args, "-o", format)...); got.code != 0 || got.stdout == "" || got.stderr != "" {
				t.Errorf("%q as %s: %+v", args, format, got)
			}
		}
	}
}

func decodeJSON(t *testing.T, got result, into any) {
	t.Helper()
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.code, got.stderr)
	}
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, got.stdout)
	}
	if decoder.More() {
		t.Errorf("more than JSON on stdout: %s", got.stdout)
	}
}
