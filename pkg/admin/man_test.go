package admin

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The page has every command with its flags, and nothing of it is taken for a
// request by accident.
func TestManual(t *testing.T) {
	t.Parallel()
	got := invoke(t, "man")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	request := regexp.MustCompile(`^\.(TH|SH|SS|TP|PP|nf|fi|RS|RE)( ".*")*$`)
	for line := range strings.Lines(got.stdout) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ".") && !request.MatchString(line) || strings.HasPrefix(line, "'") {
			t.Errorf("a line that roff would misread: %q", line)
		}
	}
	plain := strings.ReplaceAll(got.stdout, `\-`, "-")
	for _, path := range commandPaths(tree()) {
		c := path[len(path)-1]
		if len(c.commands) > 0 {
			continue
		}
		if !strings.Contains(plain, `.SS "`+strings.ReplaceAll(usage(path), "…", "...")) {
			t.Errorf("the page lacks %s", usage(path))
		}
		for _, f := range c.flags {
			if !strings.Contains(plain, "--"+f.name) {
				t.Errorf("the page lacks --%s of %s", f.name, fullName(path))
			}
		}
	}
	if strings.Contains(got.stdout, "__complete") {
		t.Error("the page shows what is for programs")
	}
}

// groff, where there is one, has nothing to warn of.
func TestManualForGroff(t *testing.T) {
	t.Parallel()
	groff, err := exec.LookPath("groff")
	if err != nil {
		missing(t, "groff")
	}
	cmd := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-K", "utf8")
	cmd.Stdin = strings.NewReader(manual(tree()))
	var warnings strings.Builder
	cmd.Stderr = &warnings
	page, err := cmd.Output()
	if err != nil || warnings.Len() > 0 {
		t.Errorf("%v: %s", err, warnings.String())
	}
	if !strings.Contains(string(page), "list-types") {
		t.Errorf("the page as read:\n%s", page)
	}
}

func TestEscapeRoff(t *testing.T) {
	t.Parallel()
	p := &manPage{}
	p.text(".TH x\n'y \\n -o `z`")
	if want := "\\&.TH x\n\\&\\(aqy \\en \\-o \\(gaz\\(ga\n"; p.out.String() != want {
		t.Errorf("got %q, want %q", p.out.String(), want)
	}
}
