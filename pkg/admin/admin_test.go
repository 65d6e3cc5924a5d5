package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
)

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
	for _, part := range []string{"雲 Service Connector (connector type: cloud)", " • iam-role", "Role. Fields: mode.", "Fields: private_key.", " • bucket", "Supports auto-configuration: no", "Reaches a cloud."} {
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
