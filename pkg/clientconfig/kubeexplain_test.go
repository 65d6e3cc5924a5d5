package clientconfig

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestKubePointersAndExplain(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	file := s.kube(kubectlStyle)
	s.kubeLogin(false, "prod")
	pointers, err := KubePointers(s.Env)
	if want := []KubePointer{{file, "prod", "prod-connector", "prod"}}; err != nil || !slices.Equal(pointers, want) {
		t.Errorf("pointers %v, %v", pointers, err)
	}
	for subject, want := range map[string]Finding{
		"prod":                            {Kubectl, file, "prod", false, "context prod: user prod runs /opt/bin/kubectl-svcconn, which is not there"},
		"https://PROD.example.com.:6443/": {Kubectl, file, "prod", false, "context prod: user prod runs /opt/bin/kubectl-svcconn, which is not there"},
		"dev":                             {Kubectl, file, "dev", false, "context dev: user dev has a token of its own"},
		"https://dev.example.com:443":     {Kubectl, file, "dev", false, "context dev: user dev has a token of its own"},
	} {
		x := ExplainKube(s.Env, subject)
		if x == nil || len(x.Findings) != 1 || x.Findings[0] != want {
			t.Errorf("%s: got %+v", subject, x)
		}
	}
	for _, subject := range []string{"nowhere", "https://prod.example.com", "http://prod.example.com:6443", "https://prod.example.com:6443/other", ""} {
		if x := ExplainKube(s.Env, subject); x != nil {
			t.Errorf("%q: got %+v", subject, x)
		}
	}
	broken := s.write("broken", "users: {")
	s.vars["KUBECONFIG"] = broken + string(filepath.ListSeparator) + file
	if pointers, err := KubePointers(s.Env); err == nil || len(pointers) != 1 {
		t.Errorf("with a broken file: %v, %v", pointers, err)
	}
	if x := ExplainKube(s.Env, "dev"); x == nil || len(x.Findings) != 2 || !strings.Contains(x.Findings[0].Reason, "not valid YAML") {
		t.Errorf("with a broken file: %+v", x)
	}
}

func TestExplainSaysWhatAContextHas(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	plugin := s.write("bin/"+KubePlugin, "")
	exec := func(command, more string) string {
		return "{" + more + "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + command + ", args: [credential, --connector=k]}}"
	}
	for user, want := range map[string]Finding{
		exec(plugin, ""):                           {Leads: true, Reason: "runs kubectl-svcconn for connector k"},
		exec(KubePlugin, ""):                       {Leads: true, Reason: "runs kubectl-svcconn for connector k"},
		exec(`'C:\bin\kubectl-svcconn.EXE'`, ""):   {Leads: true, Reason: "runs kubectl-svcconn for connector k"},
		exec(plugin, "token: x, "):                 {Reason: "has a credential of its own too"},
		exec("aws", ""):                            {Reason: "runs aws"},
		"{client-certificate: /x}":                 {Reason: "has a client certificate of its own"},
		"{username: x, password: z}":               {Reason: "has a password of its own"},
		"{auth-provider: {name: gcp, config: {}}}": {Reason: "has an auth provider"},
		"{}": {Reason: "has no credential"},
	} {
		s.kube("contexts:\n- name: c\n  context: {cluster: c, user: u}\nusers:\n- name: u\n  user: " + user + "\n")
		x := ExplainKube(s.Env, "c")
		if x == nil || len(x.Findings) != 1 || x.Findings[0].Leads != want.Leads || !strings.Contains(x.Findings[0].Reason, want.Reason) {
			t.Errorf("%s: got %+v", user, x)
		}
	}
	s.kube("contexts:\n- name: c\n  context: {cluster: c, user: u}\n")
	if x := ExplainKube(s.Env, "c"); x == nil || !strings.Contains(x.Findings[0].Reason, "does not exist") {
		t.Errorf("no user: %+v", x)
	}
}
