package admin

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/registry"
)

// The test binary plays svcconn itself, with the connector types below: once with
// nobody at the terminal, and once as it is.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		program: func() {
			proc.Main(func(ctx context.Context, w proc.World) int {
				ctx, stop := proc.Interruptible(ctx)
				defer stop()
				return run(ctx, newApp(w, testTypes(), prompt.Terminal{}))
			})
		},
		programAtTerminal: func() { proc.Main(Program(testTypes())) },
	})
}

const programAtTerminal = "svcconn-at-terminal"

var (
	testUser   = field.String{Name: "username", Title: "user name", Help: "Who logs in.", Required: true, Example: "ci"}
	testSecret = field.Secret{Name: "password", Title: "password", Help: "What proves it.", Required: true}
	testKey    = field.Secret{Name: "private_key", Title: "private key", Help: "Several lines.", Multiline: true}
	testAuth   = field.String{Name: "certificate_authority", Title: "certificate authority", Help: "A file's content."}
	testMode   = field.String{Name: "mode", Title: "mode", Help: "How.", Choices: []string{"fast", "safe"}, Default: "safe"}
	testSwitch = field.Bool{Name: "insecure", Title: "insecure", Help: "Do not check."}
	testTags   = field.List{Name: "tags", Title: "tags", Help: "Several words."}
)

func testFields() field.Set {
	return field.Set{testUser, testSecret, testKey, testAuth, testMode, testSwitch, testTags}
}

// testTypes are two connector types: one with one of everything, one with several.
func testTypes() connector.Types {
	parse := func(_ field.Values, name string) (string, error) { return name, nil }
	open := func(connector.Host, connector.Settings) (connector.Session, error) {
		return nil, fault.New(fault.Unavailable, "there is no service")
	}
	registry := connector.ResourceType{Name: "docker-registry", Title: "Docker registry", Icon: "🐳", Doc: "A registry.", Parse: parse, Formats: []string{"host", "host:port"}}
	return connector.NewTypes(
		&connector.Type{
			Name: "docker", Title: "Docker Service Connector", Icon: "🐳", Doc: "Logs in to one registry.\n\n- Docker Hub\n- any other", Open: open,
			Methods:   []connector.AuthMethod{{Name: "password", Title: "Password", Doc: "A user name and a password.", Fields: testFields()}},
			Resources: []connector.ResourceType{registry},
			Detect: func(context.Context, connector.Host, map[string]string) ([]connector.Detected, error) {
				return nil, nil
			},
		},
		&connector.Type{
			Name: "cloud", Title: "雲 Service Connector", Icon: "🔶", Doc: "Reaches a cloud.", Open: open,
			Methods: []connector.AuthMethod{
				{Name: "secret-key", Title: "Secret key", Doc: "A key.", Fields: field.Set{testKey}},
				{Name: "iam-role", Title: "Role", Doc: "A role.", Temporary: true, Fields: field.Set{testKey, testMode},
					Lifetime: connector.TTLBounds{Min: 15 * time.Minute, Default: time.Hour, Max: 12 * time.Hour}},
			},
			Resources: []connector.ResourceType{
				{Name: "bucket", Title: "Bucket", Icon: "📦", Doc: "A bucket.", Parse: parse, Instances: true, Permissions: []string{"list", "read"}},
				registry,
			},
		},
	)
}

// result is what a command line came to.
type result struct {
	code           int
	stdout, stderr string
}

// invoke runs a command line in a set-up of its own.
func invoke(t *testing.T, args ...string) result {
	t.Helper()
	return invokeWith(t, []string{"SVCCONN_CONFIG_DIR=" + t.TempDir()}, args...)
}

func invokeWith(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), newApp(worldWith(&out, &errs, env, args...), testTypes(), prompt.Terminal{}))
	return result{code, out.String(), errs.String()}
}

// commandPaths are all commands and groups of commands that people see.
func commandPaths(root *command) [][]*command {
	var out [][]*command
	var walk func(path []*command)
	walk = func(path []*command) {
		out = append(out, path)
		group := path[len(path)-1]
		for i := range group.commands {
			if !group.commands[i].hidden {
				walk(append(path[:len(path):len(path)], &group.commands[i]))
			}
		}
	}
	walk([]*command{root})
	return out
}

func words(path []*command) []string {
	var out []string
	for _, c := range path[1:] {
		out = append(out, c.name)
	}
	return out
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// worldWith is a World with a stdout of one's own.
func worldWith(stdout, stderr io.Writer, env []string, args ...string) proc.World {
	return proc.World{
		Program: program, Args: args, Env: env, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Now: func() time.Time { return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC) },
	}
}

// registerHub registers the connector hub, of type cloud.
func registerHub(t *testing.T, config string) {
	t.Helper()
	dir := registry.Open(filepath.Join(config, "connectors"), worldWith(nil, nil, nil).Now)
	defer dir.Close()
	if _, err := dir.Create(t.Context(), registry.Connector{Name: "hub", Type: "cloud", Method: "iam-role", Description: "ours"}); err != nil {
		t.Fatal(err)
	}
}

// missing skips a test whose tool is not installed, but not in CI, which installs it.
func missing(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: make e2e-deps", tool)
	}
	t.Skipf("there is no %[1]s: apt-get install %[1]s", tool)
}
