package admin

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/svcconn/svcconn/pkg/proc"
)

func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		name, c := fullName(path), path[len(path)-1]
		for _, args := range [][]string{append(words(path), "--help"), append(words(path), "-h"), append([]string{"help"}, words(path)...)} {
			got := invoke(t, args...)
			if got.code != proc.Done || got.stderr != "" {
				t.Errorf("%q: exit code %d, stderr %q", args, got.code, got.stderr)
			}
			for _, part := range []string{name + " - ", "Usage:\n  " + usage(path), "-h, --help"} {
				if !strings.Contains(got.stdout, part) {
					t.Errorf("%q: the help lacks %q:\n%s", args, part, got.stdout)
				}
			}
		}
		if c.summary == "" || c.doc == "" || strings.HasSuffix(c.summary, ".") {
			t.Errorf("%s: summary %q and doc must be there, the one without a period", name, c.summary)
		}
		if len(c.commands) == 0 && (len(c.examples) == 0 || c.run == nil) {
			t.Errorf("%s has no example, or does nothing", name)
		}
		for _, f := range c.allFlags() {
			if f.usage == "" || strings.HasSuffix(f.usage, ".") {
				t.Errorf("%s: the usage of --%s is %q", name, f.name, f.usage)
			}
		}
	}
}

// Every example of the help is a command line that svcconn would take.
func TestExamplesAreRight(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		for _, e := range path[len(path)-1].examples {
			if !strings.HasPrefix(e.line, program+" ") {
				if !strings.Contains(e.line, program+" ") {
					t.Errorf("%s: the example %q does not run it", fullName(path), e.line)
				}
				continue
			}
			line, _, _ := strings.Cut(e.line, " | ")
			line, _, _ = strings.Cut(line, " > ")
			if _, err := readLine(tree(), strings.Fields(line)[1:]); err != nil {
				t.Errorf("%s: the example %q: %v", fullName(path), e.line, err)
			}
		}
	}
}

// Names of flags are what the documentation promises, and unambiguous.
func TestFlagsAreUnambiguous(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		seen := map[string]bool{}
		for _, f := range path[len(path)-1].allFlags() {
			for _, name := range append(f.names(), f.short) {
				if name != "" && (seen[name] || strings.ContainsAny(name, "_= ")) {
					t.Errorf("%s: flag name %q is taken or malformed", fullName(path), name)
				}
				seen[name] = true
			}
			if len(f.short) > 1 {
				t.Errorf("%s: short flag %q is not one letter", fullName(path), f.short)
			}
		}
	}
}

func TestHelpFitsTheWidth(t *testing.T) {
	t.Parallel()
	for _, path := range commandPaths(tree()) {
		for _, width := range []int{60, 80, 100} {
			before, _, _ := strings.Cut(helpText(path, width), "\nExamples:\n")
			for line := range strings.Lines(before) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && strings.HasPrefix(line, " ") && !strings.Contains(line, program+" ") {
					t.Errorf("%s at %d columns: a line of %d: %q", fullName(path), width, n, line)
				}
			}
		}
	}
}

func TestNoCommandIsHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		got := invoke(t, args...)
		if got.code != 0 || !strings.Contains(got.stdout, "list-types") || got.stderr != "" {
			t.Errorf("%q: %+v", args, got)
		}
		if strings.Contains(got.stdout, "__complete") {
			t.Error("the help shows what is for programs")
		}
	}
	if got := invoke(t, "config"); got.code != 0 || !strings.Contains(got.stdout, "show") {
		t.Errorf("a group alone: %+v", got)
	}
}
