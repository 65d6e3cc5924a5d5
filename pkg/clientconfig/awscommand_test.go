package clientconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/fault"
)

func TestCommandLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		goos  string
		words []string
		want  string
	}{
		{"linux", []string{"/usr/bin/svcconn", "credential", "--resource-name", "s3://zenfiles"}, "/usr/bin/svcconn credential --resource-name s3://zenfiles"},
		{"linux", []string{"/opt/my tools/svcconn", "arn:aws:s3:::b"}, "'/opt/my tools/svcconn' arn:aws:s3:::b"},
		{"linux", []string{"/home/o'neil/svcconn", "$HOME", "a*", ""}, `'/home/o'\''neil/svcconn' '$HOME' 'a*' ''`},
		{"darwin", []string{"~/svcconn", `a\b`, "a#b"}, `'~/svcconn' 'a\b' 'a#b'`},
		{"windows", []string{`C:\PROGRA~1\svcconn.exe`, "s3://zenfiles"}, `C:\PROGRA~1\svcconn.exe s3://zenfiles`},
		{"windows", []string{`C:\Program Files\svcconn.exe`, "x"}, `"C:\Program Files\svcconn.exe" x`},
	} {
		got, err := commandLine(tc.goos, tc.words)
		if err != nil || got != tc.want {
			t.Errorf("%s %q: %s, %v; want %s", tc.goos, tc.words, got, err, tc.want)
		}
	}
	for goos, words := range map[string][]string{
		"linux":   {"a\nb", "a\x00b", "a #b", "a\t;b"},
		"windows": {"%PATH%", `a"b`, "a&b", "a^b", "a|b", "a<b", `C:\x\`, "a!b", "a #b"},
	} {
		for _, word := range words {
			if got, err := commandLine(goos, []string{"svcconn", word}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %q became %s, %v", goos, word, got, err)
			}
		}
	}
}

// FuzzCommandLine: what is accepted is read back as it was, by us and by a shell.
func FuzzCommandLine(f *testing.F) {
	for _, text := range []string{"/usr/bin/svcconn credential", "a'b c\"d", `\'`, `'\''`, "$(x) `y` ~ * ? [a] {b,c}", "ä ü", "-n", "#x"} {
		f.Add(text, "x")
		f.Add("x", text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		words := []string{a, b, "--format"}
		line, err := commandLine("linux", words)
		if err != nil {
			return
		}
		if strings.ContainsAny(line, "\n\r") {
			t.Fatalf("%q: more than a line: %q", words, line)
		}
		if got := wordsOf(line); !slices.Equal(got, nonEmpty(words)) && !slices.Contains(words, "") {
			t.Fatalf("%q became %s, which reads %q", words, line, got)
		}
	})
}

func nonEmpty(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
}

// What a shell, and Python's shlex as botocore uses it, make of a line are its words.
func TestShellsReadCommandLines(t *testing.T) {
	t.Parallel()
	words := []string{"printf", `%s\n`, "/home/o'neil/my tools/svcconn", "$HOME `x` $(y)", "a*", `back\slash`, `"quoted"`, "s3://zenfiles", "#x", "~", "a=b;c&d|e", "ümlaut"}
	line, err := commandLine("linux", words)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(words[2:], "\n") + "\n"
	out, err := exec.Command("sh", "-c", line).Output()
	if err != nil || string(out) != want {
		t.Errorf("sh: %v: %s", err, cmp.Diff(want, string(out)))
	}
	if python, err := exec.LookPath("python3"); err == nil {
		out, err := exec.Command(python, "-c", "import shlex, sys\nfor w in shlex.split(sys.argv[1])[2:]: print(w)", line).Output()
		if err != nil || string(out) != want {
			t.Errorf("shlex: %v: %s", err, cmp.Diff(want, string(out)))
		}
	}
}

func TestAWSCommandIsALinkThatStays(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	real := s.write("cellar/1.0/svcconn", "#!/bin/sh\n")
	link := filepath.Join(s.Home, "bin", "svcconn")
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if got, err := AWSCommand(s.Env, link); err != nil || got != real {
		t.Errorf("not in PATH: %s, %v", got, err)
	}
	s.LookPath = func(string) (string, error) { return link, nil }
	if got, err := AWSCommand(s.Env, real); err != nil || got != link {
		t.Errorf("a link in PATH: %s, %v", got, err)
	}
	s.LookPath = func(string) (string, error) { return s.write("other/svcconn", "#!/bin/sh\n"), nil }
	if got, err := AWSCommand(s.Env, real); err != nil || got != real {
		t.Errorf("another in PATH: %s, %v", got, err)
	}
}
