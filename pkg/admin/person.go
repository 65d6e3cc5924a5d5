package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/secret"
)

// person is whoever sits at the terminal of this process. He is told things on stderr,
// since stdout is for what was asked for.
type person struct {
	world    proc.World
	goos     string
	terminal prompt.Terminal
}

// personAt returns the person at the terminal, or nil where nobody is there: a login
// that begins by itself in a script or a cron job would wait for nobody.
func personAt(w proc.World, terminal prompt.Terminal) connector.Person {
	if !prompt.IsTerminal(w.Stdin) || !prompt.IsTerminal(w.Stderr) {
		return nil
	}
	return person{world: w, goos: runtime.GOOS, terminal: terminal}
}

// Tell implements connector.Person.
func (p person) Tell(text string) {
	fmt.Fprintf(p.world.Stderr, "%s: %s\n", program, output.Visible(text))
}

// Ask implements connector.Person.
func (p person) Ask(ctx context.Context, question string) (secret.Text, error) {
	return p.terminal.Secret(ctx, prompt.Question{Label: output.Visible(question), Without: "run it at a terminal"})
}

// OpenBrowser implements connector.Person.
func (p person) OpenBrowser(page string) error {
	if u, err := url.Parse(page); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return errors.New("it is not the address of a page")
	}
	commands, err := p.browsers(page)
	if err != nil {
		return err
	}
	for _, command := range commands {
		if err = p.launch(command); err == nil {
			return nil
		}
	}
	return err
}

// browsers are the commands that open a page, best first. BROWSER has several of them,
// each with %s where the page goes, or at its end.
func (p person) browsers(page string) ([][]string, error) {
	get := p.world.Getenv
	if no := get("SVCCONN_NO_BROWSER"); no != "" && no != "0" {
		return nil, errors.New("SVCCONN_NO_BROWSER is set")
	}
	var commands [][]string
	separator := ":"
	if p.goos == "windows" {
		separator = ";"
	}
	for text := range strings.SplitSeq(get("BROWSER"), separator) {
		if command := withPage(strings.Fields(text), page); len(command) > 0 {
			commands = append(commands, command)
		}
	}
	switch {
	case len(commands) > 0:
		return commands, nil
	case p.goos == "windows":
		return [][]string{{"rundll32", "url.dll,FileProtocolHandler", page}}, nil
	case p.goos == "darwin":
		return [][]string{{"open", page}}, nil
	case get("DISPLAY") == "" && get("WAYLAND_DISPLAY") == "": // xdg-open would fill the terminal with a text browser
		return nil, errors.New("there is no display")
	}
	return [][]string{{"xdg-open", page}}, nil
}

func withPage(words []string, page string) []string {
	if len(words) == 0 {
		return nil
	}
	command, placed := []string{words[0]}, false
	for _, word := range words[1:] {
		placed = placed || strings.Contains(word, "%s")
		command = append(command, strings.ReplaceAll(word, "%s", page))
	}
	if !placed {
		command = append(command, page)
	}
	return command
}

// launchTime is how long a browser's starter may take to fail. One that is still at
// work then is the browser itself.
const launchTime = 2 * time.Second

func (p person) launch(command []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = p.world.Env
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(command[0]), err)
		}
	case <-time.After(launchTime):
	}
	return nil
}
