//go:build !windows

package admin

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// The completion scripts, in the shells themselves: a line is typed, then the tab
// key, and the shell is made to write down what the line has become.
func TestShells(t *testing.T) {
	t.Parallel()
	const function = `args() { printf '[%s]' "$@" > result; printf '<%s>' done; }`
	for name, c := range map[string]struct{ argv, setUp []string }{
		"bash": {[]string{"bash", "--norc", "--noprofile", "-i"}, []string{function, "source <(svcconn completion bash)"}},
		"zsh":  {[]string{"zsh", "-f", "-i"}, []string{function, "bindkey -e; autoload -U compinit; compinit -u", "source <(svcconn completion zsh)"}},
		"fish": {[]string{"fish", "--no-config", "-i"}, []string{"function args; printf '[%s]' $argv > result; printf '<%s>' done; end", "svcconn completion fish | source"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(name); err != nil {
				missing(t, name)
			}
			s := startShell(t, c.argv)
			for _, line := range c.setUp {
				s.run(line + "; printf '<%s>' done")
			}
			for _, c := range completions(s.folder) {
				if got := s.complete("svcconn " + c.typed); got != "[svcconn]"+c.want {
					t.Errorf("%q became %s, want %s", c.typed, got, c.want)
				}
			}
		})
	}
}

// completions are what a line becomes, in every shell.
func completions(folder string) []struct{ typed, want string } {
	return []struct{ typed, want string }{
		{"list-t", "[list-types]"},
		{"describe-type d", "[describe-type][docker]"},
		{"list-types --resource-type b", "[list-types][--resource-type][bucket]"},
		{"list-types --resource-type=b", "[list-types][--resource-type=bucket]"},
		{"register x --type docker --set mo", "[register][x][--type][docker][--set][mode=]"},
		{"register x --type docker --set mode=f", "[register][x][--type][docker][--set][mode=fast]"},
		{"register x --type docker --set=mode=f", "[register][x][--type][docker][--set=mode=fast]"},
		{"register x --type docker --set password=e", "[register][x][--type][docker][--set][password=env:]"},
		{"register x -t docker --set password=@" + folder + "/nee", "[register][x][-t][docker][--set][password=@" + folder + "/needle.txt]"},
		{"update h", "[update][hub]"},
	}
}

// shell is a shell behind a terminal.
type shell struct {
	t      *testing.T
	tty    *os.File
	folder string // it is in it
	seen   strings.Builder
	past   int // how much of seen was waited for
}

func startShell(t *testing.T, argv []string) *shell {
	t.Helper()
	s := &shell{t: t, folder: t.TempDir()}
	writeFile(t, filepath.Join(s.folder, "needle.txt"), "x")
	config := t.TempDir()
	registerHub(t, config)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), "SVCCONN_CONFIG_DIR="+config, "HOME="+s.folder, "TERM=xterm", "PS1=> ", "HISTFILE=", "LC_ALL=C.UTF-8")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 500, Rows: 50})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tty.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s.tty = tty
	return s
}

// run runs a line that shows <done> at its end.
func (s *shell) run(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, line+"\r"); err != nil {
		s.t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for {
		if at := strings.Index(s.seen.String()[s.past:], "<done>"); at >= 0 {
			s.past += at + len("<done>")
			return
		}
		n, err := s.tty.Read(buffer)
		if err != nil {
			s.t.Fatalf("after %q: %v", s.seen.String(), err)
		}
		s.seen.Write(buffer[:n])
	}
}

// complete presses tab at the end of a line, and returns the words that it has then.
func (s *shell) complete(line string) string {
	s.t.Helper()
	const home, tab = "\x01", "\t"
	s.run(line + tab + home + "args ")
	words, err := os.ReadFile(filepath.Join(s.folder, "result"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(words)
}
