//go:build !windows

package prompt

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const canary = "Xq7-canary-pT2"

// person sits at the other end of a terminal.
type person struct {
	t    *testing.T
	end  *os.File
	tty  *os.File
	seen bytes.Buffer
	past int // how much of seen was waited for
}

func newPerson(t *testing.T) *person {
	t.Helper()
	end, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end.Close()
		tty.Close()
	})
	return &person{t: t, end: end, tty: tty}
}

// answers types each text after its question has appeared.
func (p *person) answers(questionsAndAnswers ...string) {
	for i := 0; i+1 < len(questionsAndAnswers); i += 2 {
		p.waitFor(questionsAndAnswers[i])
		if _, err := io.WriteString(p.end, questionsAndAnswers[i+1]); err != nil {
			p.t.Error(err)
		}
	}
}

// waitFor reads the screen until text appears behind what was waited for last.
func (p *person) waitFor(text string) {
	var buffer [512]byte
	for {
		if at := strings.Index(p.seen.String()[p.past:], text); at >= 0 {
			p.past += at + len(text)
			return
		}
		n, err := p.end.Read(buffer[:])
		if err != nil {
			p.t.Errorf("waiting for %q after %q: %v", text, p.seen.String(), err)
			return
		}
		p.seen.Write(buffer[:n])
	}
}

func (p *person) cooked() *term.State {
	p.t.Helper()
	var state *term.State
	err := control(p.tty, func(fd int) (err error) {
		state, err = term.GetState(fd)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return state
}

func ask[T any](t *testing.T, p *person, question func() (T, error), script ...string) (T, error) {
	t.Helper()
	before := p.cooked()
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		p.answers(script...)
	}()
	got, err := question()
	<-typed
	if after := p.cooked(); *after != *before {
		t.Errorf("the terminal is not as it was: %+v, was %+v", after, before)
	}
	return got, err
}

func TestSecret(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	got, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).Secret(t.Context(), Question{Label: "password"})
	}, "password: ", canary+"\r")
	if err != nil || got.Reveal() != canary {
		t.Fatalf("got %d characters, %v", got.Len(), err)
	}
	p.waitFor("\r\n")
	if strings.Contains(p.seen.String(), canary) {
		t.Error("the secret was shown")
	}
}

// The system's own line discipline would cut this secret in silence.
func TestLongSecret(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	long := strings.Repeat(canary, 2000)
	got, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).Secret(t.Context(), Question{Label: "key"})
	}, "key: ", long+"\r")
	if err != nil || got.Reveal() != long {
		t.Fatalf("got %d of %d characters, %v", got.Len(), len(long), err)
	}
}

func TestSecretLines(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	got, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).SecretLines(t.Context(), Question{Label: "private key"})
	}, "end with Ctrl-D", "-----BEGIN-----\r"+canary+"\r-----END-----\r\x04")
	if want := "-----BEGIN-----\n" + canary + "\n-----END-----"; err != nil || got.Reveal() != want {
		t.Fatalf("got %d characters, %v", got.Len(), err)
	}
	if strings.Contains(p.seen.String(), canary) {
		t.Error("the secret was shown")
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	got, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).NewSecret(t.Context(), Question{Label: "passphrase"})
	}, "passphrase: ", canary+"\r", "(again): ", "other\r", "try again", "", "passphrase: ", canary+"\r", "(again): ", canary+"\r")
	if err != nil || got.Reveal() != canary {
		t.Fatalf("got %d characters, %v", got.Len(), err)
	}
	_, err = ask(t, p, func() (secret.Text, error) {
		return On(p.tty).NewSecret(t.Context(), Question{Label: "word"})
	}, "word: ", "a\r", "(again): ", "b\r", "word: ", "a\r", "(again): ", "b\r", "word: ", "a\r", "(again): ", "b\r")
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("three differing answers: got %v", err)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"y\r": true, "YES\r": true, "\r": false, "n\r": false, "No\r": false} {
		p := newPerson(t)
		got, err := ask(t, p, func() (bool, error) {
			return On(p.tty).Confirm(t.Context(), Question{Label: "delete it?"})
		}, "delete it? [y/N]: ", typed)
		if err != nil || got != want {
			t.Errorf("%q: got %t, %v", typed, got, err)
		}
	}
	p := newPerson(t)
	_, err := ask(t, p, func() (bool, error) {
		return On(p.tty).Confirm(t.Context(), Question{Label: "sure?"})
	}, "sure? ", "maybe\r", "sure? ", "perhaps\r", "sure? ", "hm\r")
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("three unclear answers: got %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	for _, typed := range []string{"abc\x03", "\x04"} {
		_, err := ask(t, p, func() (secret.Text, error) {
			return On(p.tty).Secret(t.Context(), Question{Label: "password"})
		}, "password: ", typed)
		if !fault.Is(err, fault.Interrupted) {
			t.Errorf("%q: got %v", typed, err)
		}
	}
}

func TestEmptyAnswer(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	_, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).Secret(t.Context(), Question{Label: "password", Without: "use a file"})
	}, "password: ", "\r")
	if !fault.Is(err, fault.Invalid) || fault.HintOf(err) != "use a file" {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
}

// A cancelled ctx restores the terminal, and what is typed afterwards is the next
// question's.
func TestCancelled(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	ctx, cancel := context.WithCancel(t.Context())
	before := p.cooked()
	go func() {
		p.waitFor("password: ")
		cancel()
	}()
	if _, err := On(p.tty).Secret(ctx, Question{Label: "password"}); !fault.Is(err, fault.Interrupted) {
		t.Errorf("got %v", err)
	}
	if after := p.cooked(); *after != *before {
		t.Error("the terminal is not as it was")
	}
	got, err := ask(t, p, func() (secret.Text, error) {
		return On(p.tty).Secret(t.Context(), Question{Label: "password"})
	}, "password: ", canary+"\r")
	if err != nil || got.Reveal() != canary {
		t.Errorf("the next question got %d characters, %v", got.Len(), err)
	}
}

func TestHangUp(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	go func() {
		p.waitFor("password: ")
		p.end.Close()
	}()
	if _, err := On(p.tty).Secret(t.Context(), Question{Label: "password"}); !fault.Is(err, fault.NeedsPerson) {
		t.Errorf("got %v", err)
	}
}

func TestNobody(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	q := Question{Label: "password", Without: "use --set password=@FILE"}
	for name, terminal := range map[string]Terminal{"none": {}, "not a terminal": On(file)} {
		_, err := terminal.Secret(t.Context(), q)
		if !fault.Is(err, fault.NeedsPerson) || fault.HintOf(err) != q.Without {
			t.Errorf("%s: got %v (%s)", name, err, fault.HintOf(err))
		}
		if _, err := terminal.Confirm(t.Context(), q); !fault.Is(err, fault.NeedsPerson) {
			t.Errorf("%s: confirm got %v", name, err)
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	if err := pty.Setsize(p.tty, &pty.Winsize{Cols: 63, Rows: 20}); err != nil {
		t.Fatal(err)
	}
	if !IsTerminal(p.tty) || Width(p.tty) != 63 || !Colours(p.tty) {
		t.Errorf("a terminal of 63 columns: %t, %d, %t", IsTerminal(p.tty), Width(p.tty), Colours(p.tty))
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, stream := range []any{&bytes.Buffer{}, file, nil} {
		if IsTerminal(stream) || Width(stream) != 0 || Colours(stream) {
			t.Errorf("%T passes for a terminal", stream)
		}
	}
}

// TestControlling runs this test binary anew, as a session of its own: with a
// terminal that controls it and streams that are none, then without any terminal.
func TestControlling(t *testing.T) {
	if os.Getenv("PROMPT_TEST_CHILD") != "" {
		got, err := Controlling().Secret(t.Context(), Question{Label: "password"})
		if got.Reveal() == canary {
			os.Exit(10)
		}
		if fault.Is(err, fault.NeedsPerson) {
			os.Exit(11)
		}
		os.Exit(12)
	}
	t.Parallel()
	child := func(attr *syscall.SysProcAttr, extra ...*os.File) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestControlling$")
		cmd.Env = append(os.Environ(), "PROMPT_TEST_CHILD=1")
		cmd.SysProcAttr, cmd.ExtraFiles = attr, extra
		return cmd
	}
	p := newPerson(t)
	with := child(&syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}, p.tty)
	if err := with.Start(); err != nil {
		t.Fatal(err)
	}
	p.answers("password: ", canary+"\r")
	_ = with.Wait()
	if code := with.ProcessState.ExitCode(); code != 10 {
		t.Errorf("with a terminal: exit code %d", code)
	}
	without := child(&syscall.SysProcAttr{Setsid: true})
	_ = without.Run()
	if code := without.ProcessState.ExitCode(); code != 11 {
		t.Errorf("without a terminal: exit code %d", code)
	}
}
