package clientconfig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// kubectl runs the real program on a kubeconfig; the test is skipped without it.
func (s *setup) kubectl(args ...string) (string, error) {
	cmd := exec.Command("kubectl", args...)
	cmd.Env = []string{"HOME=" + s.Home, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + s.vars["KUBECONFIG"]}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), err
}

func needKubectl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("kubectl is not installed")
		}
		t.Skip("kubectl is not installed")
	}
}

// TestKubectlReadsAndWritesWhatWeWrote: after a login kubectl sees what it is to see;
// it edits the file, and a logout leaves exactly the edits.
func TestKubectlReadsAndWritesWhatWeWrote(t *testing.T) {
	t.Parallel()
	needKubectl(t)
	for _, name := range []string{"kubectl's own", "by hand", "fresh", "empty", "JSON in a line"} {
		text := kubeShapes[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.kube(text)
			s.kubeLogin(true, "prod")
			for want, args := range map[string][]string{
				"prod":                   {"config", "current-context"},
				kubeServer:               {"config", "view", "-o", `jsonpath={.clusters[?(@.name=="prod")].cluster.server}`},
				"/opt/bin/" + KubePlugin: {"config", "view", "-o", `jsonpath={.users[?(@.name=="prod")].user.exec.command}`},
			} {
				if got, err := s.kubectl(args...); err != nil || strings.TrimSpace(got) != want {
					t.Errorf("%q: got %q, %v\n%s", args, got, err, content(t, file))
				}
			}
			if _, err := s.kubectl("config", "set-context", "mine", "--cluster=x"); err != nil {
				t.Fatal(err)
			}
			s.kubeLogout()
			if out, err := s.kubectl("config", "get-contexts", "-o", "name"); err != nil || !strings.Contains(out, "mine") || strings.Contains(out, "prod") {
				t.Errorf("after logout: %q, %v", out, err)
			}
			s.noRecord()
		})
	}
}

// TestConcurrentKubectl: kubectl and svcconn edit one file at the same time, and no
// change of kubectl's is lost. (Ours may be: kubectl reads before it takes its lock, and
// then removes what it has not seen. A login again mends that.)
func TestConcurrentKubectl(t *testing.T) {
	t.Parallel()
	needKubectl(t)
	const rounds = 8
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	login := func(i int) {
		p, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin(fmt.Sprintf("ours-%d", i))}, false)
		if err == nil {
			err = p.Apply(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() { // one after the other: two kubectls lose each other's changes
		for i := range rounds {
			s.kubectlAnyway("config", "set-cluster", fmt.Sprintf("theirs-%d", i), "--server=https://x")
		}
	})
	for i := range rounds {
		wait.Go(func() { login(i) })
	}
	wait.Wait()
	for i := range rounds {
		login(i)
	}
	got := content(t, file)
	for i := range rounds {
		for _, name := range []string{"theirs", "ours"} {
			if !strings.Contains(got, fmt.Sprintf("name: %s-%d\n", name, i)) {
				t.Errorf("%s-%d is lost", name, i)
			}
		}
	}
	if left, err := filepath.Glob(file + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// kubectlAnyway runs kubectl until the lock is free: it does not wait for it, but says
// that it is taken.
func (s *setup) kubectlAnyway(args ...string) {
	for {
		_, err := s.kubectl(args...)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), ".lock: file exists") {
			s.t.Error(err)
			return
		}
	}
}

func TestKubeCommand(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	cellar := s.write("cellar/1.0/bin/svcconn", "")
	plugin := s.write("cellar/1.0/bin/"+KubePlugin, "")
	linked := filepath.Join(s.Home, "bin", KubePlugin)
	other := s.write("other/"+KubePlugin, "")
	alone := s.write("go-build/svcconn", "")
	if err := errorsOf(os.MkdirAll(filepath.Dir(linked), 0o700), os.Symlink(plugin, linked), os.Symlink(cellar, filepath.Join(s.Home, "bin", "svcconn"))); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ self, inPath, want string }{
		"a stable link to the one beside it": {filepath.Join(s.Home, "bin", "svcconn"), linked, linked},
		"beside, not in PATH":                {filepath.Join(s.Home, "bin", "svcconn"), "", plugin},
		"beside, another in PATH":            {cellar, other, plugin},
		"in PATH alone":                      {alone, other, other},
		"nowhere":                            {alone, "", ""},
	} {
		env := s.Env
		env.LookPath = func(string) (string, error) {
			if tc.inPath == "" {
				return "", exec.ErrNotFound
			}
			return tc.inPath, nil
		}
		got, err := KubeCommand(env, tc.self)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, tc.want)
		}
	}
}
