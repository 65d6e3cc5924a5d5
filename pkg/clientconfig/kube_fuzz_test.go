package clientconfig

import (
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// FuzzKubeLoginThenLogout: every text is refused without a panic, or a login adds
// exactly our entries and a logout restores every byte.
func FuzzKubeLoginThenLogout(f *testing.F) {
	for _, text := range kubeShapes {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(checkKubeEdit)
}

// FuzzGeneratedKubeconfigs is the same for files made from the fuzzer's choices, all of
// which are accepted.
func FuzzGeneratedKubeconfigs(f *testing.F) {
	for i := range 200 {
		f.Add(strings.Repeat(strconv.Itoa(i*7919), 1+i%17), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, choices string, use bool) {
		g := generator(choices)
		text := g.kubeconfig()
		k, err := parseKube("f", []byte(text))
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if len(ownNames(k.config)) == 0 && foreign("f", k.config, kubeLogin("prod")) == nil {
			if _, _, err := leadKubectl([]KubeLogin{kubeLogin("prod")}, "")("f", []byte(text), &record{}); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
		}
		checkKubeEdit(t, text, use)
	})
}

func checkKubeEdit(t *testing.T, text string, use bool) {
	current := ""
	if use {
		current = "prod"
	}
	k, err := parseKube("f", []byte(text))
	if err != nil || len(ownNames(k.config)) > 0 || k.config.CurrentContext == current && use {
		return // refused, or partly ours already
	}
	r := &record{}
	logins := []KubeLogin{kubeLogin("prod"), kubeLogin("stage")}
	after, changes, err := leadKubectl(logins, current)("f", []byte(text), r)
	if err != nil {
		return // refused
	}
	if want := len(logins) + len(current)/len("prod"); len(changes) != want {
		t.Fatalf("login: %d changes, want %d", len(changes), want)
	}
	config, err := clientcmd.Load(after)
	if err != nil || len(config.AuthInfos) != len(k.config.AuthInfos)+2 || use && config.CurrentContext != current {
		t.Fatalf("kubectl reads %+v, %v:\n%s", config, err, after)
	}
	r = kept(t, r)
	back, _, err := releaseKubectl(func(string, string) bool { return true })("f", after, r)
	if err != nil || back == nil || string(back) != text || !r.empty() {
		t.Fatalf("logout: got %q, %v, record %+v; want %q; logged in:\n%s", back, err, r, text, after)
	}
}

// kubeconfig makes a kubeconfig in block style, with a flow style or a comment here
// and there.
func (g *generator) kubeconfig() string {
	newline := []string{"\n", "\r\n"}[g.choose(2)]
	var out strings.Builder
	for _, member := range []string{"apiVersion: v1", "kind: Config", "", memberClusters, memberContexts, memberUsers, memberCurrent, "preferences: {}", "x-mine: [ 'a' ]"} {
		out.WriteString([]string{"", "", "# it's [a comment", "\n", "  # {"}[g.choose(5)])
		if out.Len() > 0 && !strings.HasSuffix(out.String(), "\n") {
			out.WriteString("\n")
		}
		switch {
		case g.choose(4) == 0:
		case member == memberCurrent:
			out.WriteString(member + ":" + []string{" one", ` "one"`, " 'one'  # c", ` ""`, "", "   two words"}[g.choose(6)] + "\n")
		case !strings.HasSuffix(member, "s"):
			out.WriteString(member + "\n")
		default:
			out.WriteString(member + ":" + g.kubeList(strings.TrimSuffix(member, "s")))
		}
	}
	text := strings.ReplaceAll(strings.ReplaceAll(out.String(), "\r\n", "\n"), "\n", newline)
	return strings.TrimSuffix(text, []string{"", newline}[g.choose(2)])
}

func (g *generator) kubeList(kind string) string {
	indent := []string{"", "  "}[g.choose(2)]
	switch g.choose(6) {
	case 0:
		return []string{" null # c\n", " []\n", "\n", "   ~\n"}[g.choose(4)]
	case 1:
		return " [{name: one, " + kind + ": {}}, {\"name\":\"two\",\"" + kind + "\":{}} ]  # c\n"
	}
	out := "  # behind\n"
	for _, name := range []string{"one", `"two words"`, "'3'"}[:1+g.choose(3)] {
		out += []string{"", indent + "# before\n", "\n"}[g.choose(3)]
		if g.choose(2) == 0 {
			out += indent + "- name: " + name + "\n" + indent + "  " + kind + ": {}\n"
		} else {
			out += indent + "-\n" + indent + "  " + kind + ":\n" + indent + "    x: |\n" + indent + "      # text\n" + indent + "  name: " + name + "\n"
		}
	}
	return out
}
