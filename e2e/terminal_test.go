//go:build e2e && linux

package e2e

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// answer is what a person types when a prompt appears.
type answer struct{ prompt, text string }

// onTerminal runs the command on a terminal and answers its prompts in their order.
// Prompts that do not come, and more of them than expected, fail the test.
func (c *call) onTerminal(answers ...answer) result {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), c.limit)
	defer cancel()
	cmd := c.command(ctx)
	cmd.SysProcAttr, cmd.Cancel = nil, nil
	start := time.Now()
	tty, err := pty.Start(cmd)
	must(c.w.t, err)
	defer tty.Close()
	screen := &screen{}
	read := make(chan struct{})
	go func() { screen.fill(tty); close(read) }()
	for _, a := range answers {
		c.awaitPrompt(ctx, screen, a.prompt, read)
		_, err := tty.WriteString(a.text + "\n")
		must(c.w.t, err)
	}
	cmd.Wait()
	<-read
	c.w.note(c, screen.String(), "")
	if ctx.Err() != nil {
		c.w.t.Fatalf("%s: still running after %v\n%s", c, c.limit, screen)
	}
	return result{t: c.w.t, line: c.String(), code: cmd.ProcessState.ExitCode(), stdout: screen.String(), took: time.Since(start)}
}

func (c *call) awaitPrompt(ctx context.Context, s *screen, prompt string, ended <-chan struct{}) {
	c.w.t.Helper()
	for !s.reached(prompt) {
		select {
		case <-ctx.Done():
			c.w.t.Fatalf("%s: never asked %q:\n%s", c, prompt, s)
		case <-ended:
			if !s.reached(prompt) {
				c.w.t.Fatalf("%s: ended without asking %q:\n%s", c, prompt, s)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.skip(prompt)
}

// screen is what a terminal has shown so far.
type screen struct {
	mu    sync.Mutex
	text  strings.Builder
	start int // after the last prompt that was answered
}

// fill reads until the terminal closes, which Linux reports as an I/O error.
func (s *screen) fill(tty *os.File) {
	buffer := make([]byte, 4096)
	for {
		n, err := tty.Read(buffer)
		s.mu.Lock()
		s.text.Write(buffer[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *screen) reached(prompt string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String()[s.start:], prompt)
}

func (s *screen) skip(prompt string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start += strings.Index(s.text.String()[s.start:], prompt) + len(prompt)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
