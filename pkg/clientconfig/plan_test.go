package clientconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

// TestMain lets the test binary be the second process of TestTwoProcesses.
func TestMain(m *testing.M) {
	if home := os.Getenv("CLIENTCONFIG_TEST_HOME"); home != "" {
		os.Exit(loginAgainAndAgain(home, os.Getenv("CLIENTCONFIG_TEST_STATE"), os.Args[1]))
	}
	os.Exit(m.Run())
}

const rounds = 20

// loginAgainAndAgain logs in and out in turns and ends logged in.
func loginAgainAndAgain(home, state, key string) int {
	env := Env{Getenv: func(string) string { return "" }, Home: home, State: state, GOOS: "linux", UID: 1 << 30,
		LookPath: func(string) (string, error) { return "", exec.ErrNotFound }}
	for i := range 2*rounds + 1 {
		plan := PlanDockerLogin
		if i%2 == 1 {
			plan = PlanDockerLogout
		}
		p, err := plan(env, []string{key}, Options{})
		if err == nil {
			err = p.Apply(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// Processes that change one file at the same time lose nothing.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker(tabbed)
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() {
			child := exec.Command(os.Args[0], fmt.Sprintf("r%d.example.com", i))
			child.Env = append(os.Environ(), "CLIENTCONFIG_TEST_HOME="+s.Home, "CLIENTCONFIG_TEST_STATE="+s.State)
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wait.Wait()
	all, err := Pointers(s.Env)
	if err != nil || len(all) != 3 {
		t.Errorf("got %v, %v; want 3 pointers", all, err)
	}
	s.logout()
	if diff := cmp.Diff(tabbed, content(t, file)); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
}

// Killed for real, at instants that nobody chose, a process leaves whole files and a
// journal that a logout can use.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker(tabbed)
	for i := range 10 {
		child := exec.Command(os.Args[0], reg)
		child.Env = append(os.Environ(), "CLIENTCONFIG_TEST_HOME="+s.Home, "CLIENTCONFIG_TEST_STATE="+s.State)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		for seen := 0; seen <= i && len(ended) == 0; { // let it get going
			if strings.Contains(content(t, file), reg) {
				seen++
			}
		}
		_ = child.Process.Kill() // it may have come to its end
		if err := <-ended; err != nil && err.Error() != "signal: killed" {
			t.Fatal(err)
		}
		if _, err := Pointers(s.Env); err != nil {
			t.Fatalf("after kill %d: %v", i, err)
		}
	}
	s.login(reg)
	s.logout()
	want := map[string]string{".": "dir", ".docker": "dir", ".docker/config.json": tabbed}
	if diff := cmp.Diff(want, tree(t, s.Home)); diff != "" {
		t.Errorf("after logout (-want +got):\n%s", diff)
	}
}

// Between plan and apply, and while it is applied, others may write.
func TestOthersWriteMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker("{}")
	p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.docker(`{"auths": {"new": {}}}`)
	writes := 0
	inner := p.steps[0].edit
	p.steps[0].edit = func(name string, text []byte, r *record) ([]byte, []Change, error) {
		after, changes, err := inner(name, text, r)
		if writes++; writes < 4 {
			s.docker(fmt.Sprintf(`{"auths": {"new": {}}, "write": %d}`, writes))
		}
		return after, changes, err
	}
	s.apply(p, nil)
	want := `{"auths": {"new": {}}, "write": 3, "credHelpers": {"registry.example.com": "svcconn"}}`
	if got := content(t, file); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.logout()
	if got, want := content(t, file), `{"auths": {"new": {}}, "write": 3}`; got != want {
		t.Errorf("after logout: got %s, want %s", got, want)
	}
}

// The file may also come or go meanwhile.
func TestFileComesOrGoesMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, meanwhile := range []func() error{
		func() error { s.docker(`{"x": 1}`); return nil },
		func() error { return os.Remove(s.DockerFile()) },
	} {
		found, err := read(s.DockerFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := meanwhile(); err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{[]byte("{}"), nil} {
			if err := found.replace(text); !errors.Is(err, errChanged) {
				t.Errorf("got %v, want errChanged", err)
			}
		}
	}
	s.docker(`{"x": 1}`)
	s.apply(p, nil)
	s.logout()
	if got := content(t, s.DockerFile()); got != `{"x": 1}` {
		t.Errorf("got %s", got)
	}
}

func TestSomebodyWritesForEver(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker("{}")
	p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	writes := 0
	inner := p.steps[0].edit
	p.steps[0].edit = func(name string, text []byte, r *record) ([]byte, []Change, error) {
		writes++
		s.docker(fmt.Sprintf(`{"write": %d}`, writes))
		return inner(name, text, r)
	}
	if err := p.Apply(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	if got, want := content(t, file), fmt.Sprintf(`{"write": %d}`, writes); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestApplyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.docker("{}")
	p, err := PlanDockerLogin(s.Env, []string{reg}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Apply(ctx); !fault.Is(err, fault.Interrupted) {
		t.Errorf("got %v", err)
	}
	if got := content(t, file); got != "{}" {
		t.Errorf("got %s", got)
	}
}

// What a killed process left beside the file goes with the next change.
func TestTempFilesAreSwept(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.docker("{}")
	s.write(".docker/.config.json.123.tmp", canary)
	s.write(".docker/config.json.tmp", "not ours")
	s.login(reg)
	s.logout()
	want := map[string]string{".": "dir", "config.json": "{}", "config.json.tmp": "not ours"}
	if diff := cmp.Diff(want, tree(t, filepath.Join(s.Home, ".docker"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A diff shows the change and no secret; nor do journal and changes.
func TestDiffShowsNoSecret(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	before := strings.ReplaceAll(`{
	"HttpHeaders": {"X-Token": "CANARY"},
	"auths": {
		"https://user:CANARY@a.example.com/": {"auth": "CANARY", "n": 10.5},
		"registry.example.com": {
			"Auth": "CANARY",
			"identitytoken": "CANARY",
			"list": ["CANARY", true, null]
		}
	},
	"credsStore": "desktop",
	"proxies": {"default": {"httpProxy": "http://user:CANARY@proxy"}},
	"credHelpers": {
		"gcr.io": "gcloud"
	}
}
`, "CANARY", canary)
	file := s.docker(before)
	p := s.loginWith(Options{Default: true}, reg)
	want := strings.ReplaceAll(`--- FILE
+++ FILE
@@ -8,9 +8,10 @@
 			"list": ["[redacted]", true, null]
 		}
 	},
-	"credsStore": "desktop",
+	"credsStore": "svcconn",
 	"proxies": {"default": {"httpProxy": "[redacted]"}},
 	"credHelpers": {
-		"gcr.io": "gcloud"
+		"gcr.io": "gcloud",
+		"registry.example.com": "svcconn"
 	}
 }
`, "FILE", file)
	if diff := cmp.Diff(want, p.Diff()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	noCanary(t, "changes", fmt.Sprintf("%+v", p.Changes()))
	forget, err := PlanForgetPlainText(s.Env, Docker, file, []string{reg})
	if err != nil || forget.Empty() {
		t.Fatalf("forget: got %v, %v", forget.Changes(), err)
	}
	noCanary(t, "forget", forget.Diff(), fmt.Sprintf("%+v", forget.Changes()))
	for path, text := range tree(t, s.State) {
		noCanary(t, path, text)
	}
	if out := s.logout(); strings.Contains(out.Diff(), canary) || out.Empty() {
		t.Errorf("logout: %s", out.Diff())
	}
	if got := content(t, file); got != before {
		t.Errorf("after logout: %s", cmp.Diff(before, got))
	}
	oneLine := newSetup(t)
	oneLine.docker(`{"auths":{"a":{"auth":"` + canary + `"}}}`)
	if out := oneLine.login(reg).Diff(); strings.Contains(out, canary) || !strings.Contains(out, `{"auth":"[redacted]"}`) {
		t.Errorf("one line: %s", out)
	}
}

func TestDiffOfFilesThatComeAndGo(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	login := s.login(reg)
	want := "--- /dev/null\n+++ " + s.DockerFile() + "\n@@ -0,0 +1,5 @@\n+{\n+\t\"credHelpers\": {\n+\t\t\"registry.example.com\": \"svcconn\"\n+\t}\n+}\n"
	if diff := cmp.Diff(want, login.Diff()); diff != "" {
		t.Errorf("login (-want +got):\n%s", diff)
	}
	if out := s.logout().Diff(); !strings.Contains(out, "+++ /dev/null\n") {
		t.Errorf("logout:\n%s", out)
	}
}

// A plan alone changes nothing.
func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	s.installed["skopeo"] = true
	s.docker(tabbed)
	before := tree(t, filepath.Dir(s.Home))
	p, err := PlanDockerLogin(s.Env, []string{hubURL, hubBare}, Options{Default: true})
	if err != nil || p.Empty() {
		t.Fatalf("got %v, %v", p, err)
	}
	keys := []string{}
	for _, c := range p.Changes() {
		keys = append(keys, c.Tool+" "+c.Key)
	}
	if want := []string{"docker " + hubURL, "docker docker.io", "docker ", "containers docker.io"}; !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
	if diff := cmp.Diff(before, tree(t, filepath.Dir(s.Home))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
