package clientconfig

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

const kubeServer = "https://prod.example.com:6443"

// kubeLogin is a login to a cluster of a connector of the same name.
func kubeLogin(name string) KubeLogin {
	return KubeLogin{Name: name, Connector: name + "-connector", Command: "/opt/bin/" + KubePlugin, Endpoint: connector.KubernetesEndpoint{
		Cluster: name, Server: kubeServer, CertificateAuthority: "-----BEGIN CERTIFICATE-----\n", TLSServerName: "kubernetes",
	}}
}

func (s *setup) kube(text string) string { return s.write(".kube/config", text) }

func (s *setup) kubeLogin(use bool, names ...string) *Plan {
	s.t.Helper()
	var logins []KubeLogin
	for _, name := range names {
		logins = append(logins, kubeLogin(name))
	}
	p, err := PlanKubeLogin(s.Env, logins, use)
	return s.apply(p, err)
}

func (s *setup) kubeLogout(names ...string) *Plan {
	s.t.Helper()
	p, err := PlanKubeLogout(s.Env, names)
	return s.apply(p, err)
}

const kubectlStyle = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Zm9v
    server: https://dev.example.com
  name: dev
contexts:
- context:
    cluster: dev
    namespace: web
    user: dev
  name: dev
current-context: dev
kind: Config
preferences: {}
users:
- name: dev
  user:
    token: ` + canary + `
`

const handWritten = `# my clusters
---
kind: Config
apiVersion: v1   # what else

users:          # who
  # the admin
  - name: "dev"
    user: {token: 'it''s [x', client-key-data: Zm9v}

  - user: &shared
      token: |
        a
        # not a comment
    name: two
  # done

x-mine: [1, 2]
current-context:   'dev'  # mostly
contexts:
    - name: dev
      context: {cluster: dev, user: dev}
clusters:

# none yet
...
`

// kubeShapes are files that a login and a logout have to leave as they were.
var kubeShapes = map[string]string{
	"kubectl's own":      kubectlStyle,
	"by hand":            handWritten,
	"CRLF":               strings.ReplaceAll(kubectlStyle, "\n", "\r\n"),
	"no last line break": strings.TrimSuffix(kubectlStyle, "\n"),
	"fresh":              "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: null\n",
	"fresh, last null":   "apiVersion: v1\nclusters:   ~ # c\ncontexts: [ ]\nkind: Config\nusers: null",
	"users alone":        "users:\n- name: a\n  user: {}",
	"nothing at the end": "kind: Config\nclusters:",
	"empty":              "",
	"blank":              "  \n\n",
	"comments":           "# to be filled\n",
	"braces":             "{}",
	"JSON":               "{\n\t\"kind\": \"Config\", \"apiVersion\": \"v1\",\n\t\"clusters\": [],\n\t\"contexts\" : null,\n\t\"users\": [ {\"name\": \"a\", \"user\": {\"token\": \"" + canary + "\"}} ],\n\t\"current-context\" :  \"\"\n}",
	"JSON in a line":     `{"kind":"Config","apiVersion":"v1","clusters":[{"name":"a","cluster":{"server":"https://[::1]:1"}}],"contexts":[],"users":[],"current-context":"a"}`,
	"brackets":           "clusters: []\ncontexts: [{name: a, context: {cluster: a, user: a}}, {name: b, context: {cluster: a, user: a}}]\nusers: []\n",
	"indented":           "  kind: Config\n  users:\n    - name: a\n      user: {}\n",
	"byte order mark":    "\ufeffkind: Config\nusers:\n- name: a\n  user: {}\n",
	"odd line breaks":    "kind: Config # \u2028users:\n- name: \"é\u0085\"\n  user: {}\n",
}

// TestKubeLoginThenLogout: a login adds exactly our entries as kubectl reads them, a
// second one nothing, and a logout restores every byte.
func TestKubeLoginThenLogout(t *testing.T) {
	t.Parallel()
	for name, text := range kubeShapes {
		for _, use := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				checkKube(t, text, use)
			})
		}
	}
}

func checkKube(t *testing.T, text string, use bool) {
	t.Helper()
	s := newSetup(t)
	file := s.kube(text)
	before, err := clientcmd.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p := s.kubeLogin(use, "prod", "stage")
	noCanary(t, "the diff", p.Diff())
	if !strings.Contains(p.Diff(), "+    server: "+kubeServer) {
		t.Errorf("the diff does not show what is added:\n%s", p.Diff())
	}
	after, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatalf("%v:\n%s", err, content(t, file))
	}
	for _, name := range []string{"prod", "stage"} {
		for list, want := range kubeLogin(name).items() {
			if diff := cmp.Diff(&want, itemOf(after, list, name)); diff != "" {
				t.Errorf("%s: -want +got\n%s", list, diff)
			}
		}
	}
	wantContext := before.CurrentContext
	if use {
		wantContext = "prod"
	}
	if after.CurrentContext != wantContext {
		t.Errorf("the current context is %q, want %q", after.CurrentContext, wantContext)
	}
	logged := content(t, file)
	if p := s.kubeLogin(use, "prod", "stage"); !p.Empty() || content(t, file) != logged {
		t.Errorf("a second login changed %v", p.Changes())
	}
	s.kubeLogout("stage")
	s.kubeLogout("prod")
	if got := content(t, file); got != text {
		t.Errorf("after logout: -want +got\n%s\nlogged in:\n%s", cmp.Diff(text, got), logged)
	}
	s.noRecord()
}

// TestKubeFileIsMade: where there was no file there is none after logout, nor folder.
func TestKubeFileIsMade(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	if err := os.MkdirAll(s.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	s.kubeLogin(true, "prod")
	file := filepath.Join(s.Home, ".kube", "config")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v", info, err)
	}
	want := `apiVersion: v1
kind: Config
current-context: prod
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    server: https://prod.example.com:6443
    tls-server-name: kubernetes
  name: prod
contexts:
- context:
    cluster: prod
    user: prod
  name: prod
users:
- name: prod
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - credential
      - --connector
      - prod-connector
      - --cluster
      - prod
      command: /opt/bin/kubectl-svcconn
      installHint: 'kubectl-svcconn is missing. It comes with svcconn, and belongs into the same folder: https://github.com/svcconn/svcconn'
      interactiveMode: Never
      provideClusterInfo: true
`
	if diff := cmp.Diff(want, content(t, file)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	s.kubeLogout()
	if left := tree(t, s.Home); len(left) != 1 {
		t.Errorf("logout leaves %v", left)
	}
	s.noRecord()
}

// TestKubectlRewroteTheFile: clientcmd encodes the whole file anew, as `kubectl config`
// does; logout then removes our entries, and a file that we made.
func TestKubectlRewroteTheFile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := filepath.Join(s.Home, ".kube", "config")
	rewrite := func() {
		t.Helper()
		config, err := clientcmd.LoadFromFile(file)
		if err == nil {
			err = clientcmd.WriteToFile(*config, file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.kubeLogin(true, "prod", "a", "z")
	rewrite()
	s.kubeLogout("a")
	rewrite()
	s.kubeLogout()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %s", content(t, file))
	}
	s.kube(kubectlStyle)
	s.kubeLogin(true, "prod", "a", "z")
	rewrite()
	s.kubeLogout("a")
	s.kubeLogout()
	want := strings.Replace(kubectlStyle, "preferences: {}\n", "", 1) // clientcmd drops them
	if got := content(t, file); got != want {
		t.Errorf("-want +got\n%s", cmp.Diff(want, got))
	}
	s.noRecord()
}

func TestKubeLoginUpdatesItsOwnEntries(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	s.kubeLogin(false, "prod")
	edited := strings.Replace(content(t, file), "    cluster: prod\n", "    cluster: prod\n    namespace: kept\n", 1)
	s.kube(edited)
	moved := kubeLogin("prod")
	moved.Endpoint.Server, moved.Connector = "https://elsewhere.example.com", "other"
	p, err := PlanKubeLogin(s.Env, []KubeLogin{moved}, false)
	s.apply(p, err)
	if want := []Change{{Kubectl, file, "prod", "connector prod-connector", "connector other"}}; !slices.Equal(p.Changes(), want) {
		t.Errorf("changes %v, want %v", p.Changes(), want)
	}
	if got := content(t, file); strings.Contains(got, kubeServer) || !strings.Contains(got, "namespace: kept") {
		t.Errorf("got\n%s", got)
	}
	s.kubeLogout()
	if got := content(t, file); got != kubectlStyle {
		t.Errorf("-want +got\n%s", cmp.Diff(kubectlStyle, got))
	}
}

// TestCurrentContext: --use twice, and taken back in any order.
func TestCurrentContext(t *testing.T) {
	t.Parallel()
	current := func(s *setup) string {
		k, err := openKube(s.KubeFiles()[0])
		if err != nil {
			s.t.Fatal(err)
		}
		return k.config.CurrentContext
	}
	for _, tc := range []struct {
		name  string
		steps func(*setup)
		want  string
	}{
		{"the last first", func(s *setup) { s.kubeLogout("b") }, "a"},
		{"the first first", func(s *setup) { s.kubeLogout("a"); s.kubeLogout("b") }, "dev"},
		{"both", func(s *setup) { s.kubeLogout() }, "dev"},
		{"named the other way round", func(s *setup) { s.kubeLogout("b", "a") }, "dev"},
		{"switched meanwhile", func(s *setup) {
			s.kube(strings.Replace(content(s.t, s.KubeFiles()[0]), "current-context: b", "current-context: mine", 1))
			s.kubeLogout()
		}, "mine"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.kube(kubectlStyle)
			s.kubeLogin(true, "a")
			s.kubeLogin(true, "b")
			tc.steps(s)
			if got := current(s); got != tc.want {
				t.Errorf("current context %q, want %q", got, tc.want)
			}
		})
	}
}

// TestDanglingContextIsSaid: a context that a person chose himself is not ours to undo.
func TestDanglingContextIsSaid(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	s.kubeLogin(false, "prod")
	s.kube(strings.Replace(content(t, file), "current-context: dev", "current-context: prod", 1))
	if p := s.kubeLogout(); len(p.Notices()) != 1 || !strings.Contains(p.Notices()[0], "kubectl config use-context") {
		t.Errorf("notices %q", p.Notices())
	}
	if want := strings.Replace(kubectlStyle, "current-context: dev", "current-context: prod", 1); content(t, file) != want {
		t.Errorf("-want +got\n%s", cmp.Diff(want, content(t, file)))
	}
}

func TestForeignEntriesAreNeverOverwritten(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"user":    "users:\n- name: prod\n  user: {token: " + canary + "}\n",
		"context": "contexts:\n- name: prod\n  context: {cluster: x, user: x}\n",
		"cluster": "clusters:\n- name: prod\n  cluster: {server: https://else.example.com}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			first := s.write("first", "kind: Config\n")
			second := s.write("second", text)
			s.vars["KUBECONFIG"] = first + string(filepath.ListSeparator) + second
			_, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin("prod")}, false)
			if !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), second+" has a "+name+` "prod" already`) || !strings.Contains(fault.HintOf(err), "--context") {
				t.Errorf("got %v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}

// TestWhichFile: a new entry goes where kubectl would put it, a change where it is.
func TestWhichFile(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	absent, second, third := filepath.Join(s.Home, "absent"), s.write("second", "kind: Config\n"), s.write("third", "kind: Config\n")
	s.vars["KUBECONFIG"] = strings.Join([]string{absent, second, "", third}, string(filepath.ListSeparator))
	s.kubeLogin(true, "prod")
	if !strings.Contains(content(t, second), "name: prod") || content(t, third) != "kind: Config\n" {
		t.Errorf("it is not in the first file that exists")
	}
	s.vars["KUBECONFIG"] = third + string(filepath.ListSeparator) + second
	if p := s.kubeLogin(false, "prod"); !p.Empty() {
		t.Errorf("an entry that is there was written again: %v", p.Changes())
	}
	s.vars["KUBECONFIG"] = absent // the journal knows where
	s.kubeLogout()
	if content(t, second) != "kind: Config\n" {
		t.Errorf("got %s", content(t, second))
	}
	s.vars["KUBECONFIG"] = absent + string(filepath.ListSeparator) + absent + "2"
	s.kubeLogin(false, "prod")
	if _, err := os.Stat(absent + "2"); err != nil {
		t.Errorf("where none exists the last is made: %v", err)
	}
}

func TestTwoClustersOfOneName(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	_, err := PlanKubeLogin(s.Env, []KubeLogin{kubeLogin("a"), kubeLogin("a")}, false)
	if !fault.Is(err, fault.Ambiguous) {
		t.Errorf("got %v", err)
	}
}

// TestContextsThatOthersNeed: a cluster that somebody's own context uses stays.
func TestContextsThatOthersNeed(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	s.kubeLogin(false, "prod")
	s.kube(strings.Replace(content(t, file), "contexts:\n", "contexts:\n- name: admin\n  context: {cluster: prod, user: dev}\n", 1))
	s.kubeLogout()
	got := content(t, file)
	if !strings.Contains(got, kubeServer) || strings.Contains(got, KubePlugin) {
		t.Errorf("got\n%s", got)
	}
	s.kubeLogin(false, "prod") // the cluster is as we would write it
	s.kubeLogout()
	if content(t, file) != got {
		t.Errorf("-want +got\n%s", cmp.Diff(got, content(t, file)))
	}
}
