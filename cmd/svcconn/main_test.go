package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/svcconn/svcconn/pkg/admin"
	"github.com/svcconn/svcconn/pkg/dockerhelper"
	"github.com/svcconn/svcconn/pkg/kubeplugin"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/registrytest"
)

// canary is the password of every story. After each, every file that it left is
// searched for it.
const canary = "canary-Zq7T5xLm0R"

// TestMain lets the test binary play all three programs.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"svcconn":                   func() { proc.Main(admin.Program(connectorTypes())) },
		"docker-credential-svcconn": func() { proc.Main(dockerhelper.Run) },
		"kubectl-svcconn":           func() { proc.Main(kubeplugin.Run) },
		"browser":                   browser,
		"googletoken":               googletoken,
	})
}

// TestStories runs the stories of testdata/script across the three programs, each with
// a set-up, a registry and an agent of its own.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setUp(t, env) },
		Condition:           onCI,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"unleaked": unleaked, "cluster": cluster, "apiserver": apiserver, "squat": squat},
	})
}

func setUp(t *testing.T, env *testscript.Env) error {
	registry, err := registrytest.New(registrytest.Options{Mode: registrytest.Bearer, Users: map[string]registrytest.User{"ci": {Password: canary}}})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = registry.Close() })
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	work := env.WorkDir
	for name, text := range map[string]string{
		"home/.keep":          "",
		"set-up/config.toml":  "[secrets]\nbackend = \"file\"\nidentity_file = \"identity.txt\"\n",
		"set-up/identity.txt": identity.String() + "\n",
		"secret/password":     canary + "\n",
	} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	env.Setenv("HOME", filepath.Join(work, "home"))
	env.Setenv("XDG_RUNTIME_DIR", filepath.Join(work, "xdg"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(work, "home", ".config"))
	env.Setenv("SVCCONN_CONFIG_DIR", filepath.Join(work, "set-up"))
	env.Setenv("REGISTRY", registry.Host())
	env.Setenv("PASSWORD_FILE", filepath.Join(work, "secret", "password"))
	env.Setenv("CANARY", canary)
	env.Setenv("GORACE", raceOptions)
	env.Defer(func() { stopAgent(env) })
	return nil
}

// raceOptions keeps the race detector from waiting a second at the end of every program.
const raceOptions = "atexit_sleep_ms=10"

// stopAgent leaves no process behind, whatever the story did.
func stopAgent(env *testscript.Env) {
	for _, dir := range []string{env.Getenv("PATH")} {
		for _, bin := range filepath.SplitList(dir) {
			path := filepath.Join(bin, "svcconn")
			if _, err := os.Stat(path); err != nil {
				continue
			}
			cmd := exec.CommandContext(context.Background(), path, "agent", "stop")
			cmd.Env = env.Vars
			_ = cmd.Run()
			return
		}
	}
}

// unleaked searches everything that the story left, but for the file that it read the
// password from, for the password, or for what secrets begin with.
func unleaked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: unleaked [BEGINNING]")
	}
	hidden := append(args, canary)[0]
	root := ts.Getenv("WORK")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(path, filepath.Join(root, "secret")) {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), hidden) {
			ts.Fatalf("%s has the secret", path)
		}
		return err
	})
	ts.Check(err)
	if files == 0 {
		ts.Fatalf("there was nothing to search")
	}
}

// onCI is the condition [ci]: what a machine lacks is skipped on others alone.
func onCI(condition string) (bool, error) {
	if condition != "ci" {
		return false, fmt.Errorf("there is no condition %q", condition)
	}
	return os.Getenv("CI") == "true", nil
}
