package clientconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestKubeFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"not YAML":       {"users:\n  - [" + canary, "line"},
		"a list":         {"- a\n", "there are no members"},
		"two documents":  {"kind: Config\n---\nkind: Config\n", "line 2: a second document"},
		"wrong type":     {"users: {a: " + canary + "}\n", "kubectl does not read it"},
		"a name twice":   {"users:\n- name: a\n  user: {token: " + canary + "}\n- name: a\n", "kubectl does not read it"},
		"a key twice":    {"kind: Config\nkind: Config\n", "line"},
		"another kind":   {"kind: Pod\napiVersion: v1\n", "kubectl does not read it"},
		"UTF-16":         {"\xff\xfek\x00", "UTF-8"},
		"marker alone":   {"---\n# nothing\n", "there are no members"},
		"an alias":       {"x: &c\n- name: a\n  cluster: {server: s}\nclusters: *c\n", "laid out"},
		"merged":         {"x: &c {kind: Config}\n<<: *c\n", "a key is there twice, or is none"},
		"explicit key":   {"? users\n: - name: a\n    user: {}\n", ""},
		"tagged nothing": {"users: !!null null\n", "laid out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			file := s.kube(tc.text)
			_, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin("prod")}, false)
			if tc.want == "" && err == nil {
				checkKube(t, tc.text, false)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("got %v", err)
			} else {
				noCanary(t, "the error", err.Error(), fault.HintOf(err))
			}
			if content(t, file) != tc.text {
				t.Error("the file was changed")
			}
		})
	}
}

func TestKubeSymlinkModeAndReadOnly(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	target := s.write("dotfiles/kube", kubectlStyle)
	link := filepath.Join(s.Home, ".kube", "config")
	if err := errorsOf(os.Chmod(target, 0o640), os.MkdirAll(filepath.Dir(link), 0o700), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	s.kubeLogin(false, "prod")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	s.kubeLogout()
	if content(t, target) != kubectlStyle {
		t.Error("logout did not restore the link's target")
	}
	if err := os.Chmod(target, 0o400); err != nil {
		t.Fatal(err)
	}
	p, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin("prod")}, false)
	if err == nil {
		err = p.Apply(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "read-only") || content(t, target) != kubectlStyle {
		t.Errorf("read-only: got %v", err)
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestKubectlsLockIsHonoured(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	release, err := lockLikeKubectl(t.Context(), file+".lock")
	if err != nil {
		t.Fatal(err)
	}
	p, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin("prod")}, false)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- p.Apply(t.Context()) }()
	s.kube(kubectlStyle + "x: 1\n") // kubectl writes in place, and then lets go
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); !strings.Contains(got, "x: 1") || !strings.Contains(got, "name: prod") {
		t.Errorf("one of the changes is lost:\n%s", got)
	}
	if _, err := os.Stat(file + ".lock"); !os.IsNotExist(err) {
		t.Errorf("our lock is still there")
	}
}
