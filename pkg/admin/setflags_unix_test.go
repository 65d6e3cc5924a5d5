//go:build !windows

package admin

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// openTerminal is a terminal and the end where the person sits.
func openTerminal(t *testing.T) (tty, person *os.File) {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		person.Close()
		tty.Close()
	})
	return tty, person
}

// answer types text once the terminal shows question, and returns all that was shown.
func answer(t *testing.T, person io.ReadWriter, question, text string) <-chan string {
	shown := make(chan string, 1)
	go func() {
		var seen strings.Builder
		buffer := make([]byte, 256)
		for !strings.Contains(seen.String(), question) {
			n, err := person.Read(buffer)
			if err != nil {
				t.Errorf("waiting for %q after %q: %v", question, seen.String(), err)
				break
			}
			seen.Write(buffer[:n])
		}
		if _, err := io.WriteString(person, text); err != nil {
			t.Error(err)
		}
		shown <- seen.String()
	}()
	return shown
}

// A required secret that no flag gives is asked for, hidden; one of several lines
// to Ctrl-D.
func TestSetAsksThePerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags, missing []string
		field, typed   string
		want           string
	}{
		"left out":          {nil, []string{"password"}, "password", canary + "\r", canary},
		"without value":     {[]string{"password"}, nil, "password", canary + "\r", canary},
		"lines":             {[]string{"private_key"}, nil, "private_key", "one\r" + canary + "\r\x04", "one\n" + canary},
		"given after all":   {[]string{"password=-"}, []string{"password"}, "password", canary + "\r", canary},
		"stdin is terminal": {[]string{"password=-"}, nil, "password", canary + "\r", canary},
	} {
		tty, person := openTerminal(t)
		r := testReader()
		r.terminal, r.missing, r.isAtStdin = prompt.On(tty), c.missing, true
		f, _ := r.fields.Find(c.field)
		shown := answer(t, person, f.Info().Title, c.typed)
		got, err := r.read(t.Context(), c.flags)
		if err != nil || got.Secrets()[c.field].Reveal() != c.want {
			t.Errorf("%s: got %d characters, %v", name, got.Secrets()[c.field].Len(), err)
		}
		if strings.Contains(<-shown, canary) {
			t.Errorf("%s: the secret was shown", name)
		}
	}
}

func TestLookupEnv(t *testing.T) {
	t.Parallel()
	a := &app{}
	a.world.Env = []string{"TOKEN=" + canary}
	r := a.newSetReader(testFields(), "auth method password")
	got, err := r.resolve(t.Context(), secrets.Reference{Scheme: secrets.FromEnv, Target: "TOKEN"})
	if err != nil || got.Reveal() != canary {
		t.Errorf("got %d characters, %v", got.Len(), err)
	}
}

// On a terminal there are icons, and the table is as wide as it.
func TestTableOnATerminal(t *testing.T) {
	t.Parallel()
	tty, person := openTerminal(t)
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 60, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args      []string
		env       []string
		has, none string
	}{
		{[]string{"list-types"}, []string{"TERM=xterm"}, "✅", ""},
		{[]string{"list-types", "--no-icons"}, []string{"TERM=xterm"}, "yes", "✅"},
		{[]string{"list-types"}, []string{"TERM=xterm", "NO_COLOR=1"}, "✅", "\x1b["},
	} {
		shown := answer(t, person, "┛", "")
		var errs strings.Builder
		a := newApp(worldWith(tty, &errs, append(c.env, "SVCCONN_CONFIG_DIR="+t.TempDir()), c.args...), testTypes(), prompt.Terminal{})
		if code := run(t.Context(), a); code != 0 {
			t.Fatalf("%q: exit code %d, %s", c.args, code, errs.String())
		}
		table := <-shown
		if !strings.Contains(table, c.has) || c.none != "" && strings.Contains(table, c.none) {
			t.Errorf("%q:\n%s", c.args, table)
		}
		first, _, _ := strings.Cut(table, "\r\n")
		if n := len([]rune(strings.TrimSpace(first))); n > 60 {
			t.Errorf("%q: the first line has %d characters", c.args, n)
		}
	}
}
