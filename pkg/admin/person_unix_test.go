//go:build !windows

package admin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
)

const loginPage = "https://login.example.com/authorize?client_id=a&state=b"

func TestBrowsers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goos string
		env  []string
		want [][]string
		err  string
	}{
		"forbidden":   {"darwin", []string{"SVCCONN_NO_BROWSER=1", "BROWSER=x"}, nil, "SVCCONN_NO_BROWSER"},
		"not so":      {"darwin", []string{"SVCCONN_NO_BROWSER=0"}, [][]string{{"open", loginPage}}, ""},
		"macOS":       {"darwin", nil, [][]string{{"open", loginPage}}, ""},
		"Windows":     {"windows", nil, [][]string{{"rundll32", "url.dll,FileProtocolHandler", loginPage}}, ""},
		"no display":  {"linux", nil, nil, "no display"},
		"X":           {"linux", []string{"DISPLAY=:0"}, [][]string{{"xdg-open", loginPage}}, ""},
		"Wayland":     {"linux", []string{"WAYLAND_DISPLAY=wayland-0"}, [][]string{{"xdg-open", loginPage}}, ""},
		"BROWSER":     {"linux", []string{"BROWSER=firefox --new-tab %s:  :w3m"}, [][]string{{"firefox", "--new-tab", loginPage}, {"w3m", loginPage}}, ""},
		"with a path": {"windows", []string{`BROWSER=C:\b.exe --url=%s`}, [][]string{{`C:\b.exe`, "--url=" + loginPage}}, ""},
	} {
		got, err := person{world: proc.World{Env: c.env}, goos: c.goos}.browsers(loginPage)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
}

func TestOpenBrowser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	browser := filepath.Join(dir, "browser")
	if err := os.WriteFile(browser, []byte("#!/bin/sh\nprintf %s \"$1\" >"+seen+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := person{world: proc.World{Env: []string{"BROWSER=" + dir + "/none:/bin/false:" + browser}}, goos: "linux"}
	if err := p.OpenBrowser(loginPage); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(seen); err != nil || string(text) != loginPage {
		t.Errorf("it opened %q, %v", text, err)
	}
	p.world.Env = []string{"BROWSER=/bin/false"}
	if err := p.OpenBrowser(loginPage); err == nil || !strings.Contains(err.Error(), "false: exit status 1") {
		t.Errorf("a browser that fails: %v", err)
	}
	for _, page := range []string{"file:///etc/passwd", "-h", "javascript:alert(1)", "https:", ""} {
		if err := p.OpenBrowser(page); err == nil || !strings.Contains(err.Error(), "not the address") {
			t.Errorf("%q: %v", page, err)
		}
	}
}

// Nobody is there unless both stdin and stderr are terminals.
func TestPersonAt(t *testing.T) {
	t.Parallel()
	tty, _ := openTerminal(t)
	var buffer bytes.Buffer
	for _, c := range []struct {
		world proc.World
		want  bool
	}{
		{proc.World{Stdin: tty, Stderr: tty}, true},
		{proc.World{Stdin: &buffer, Stderr: tty}, false},
		{proc.World{Stdin: tty, Stderr: &buffer}, false},
		{proc.World{}, false},
	} {
		if got := personAt(c.world, prompt.Terminal{}); (got != nil) != c.want {
			t.Errorf("%+v: %v", c.world, got)
		}
	}
	person{world: proc.World{Stderr: &buffer}}.Tell("one\x1b[2J\ntwo")
	if got := buffer.String(); strings.ContainsRune(got, '\x1b') || !strings.HasPrefix(got, "svcconn: one") {
		t.Errorf("told %q", got)
	}
}
