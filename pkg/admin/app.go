package admin

import (
	"errors"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/paths"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/settings"
)

// app is what commands work with.
type app struct {
	world    proc.World
	types    connector.Types
	terminal prompt.Terminal
	stdout   *stdout
}

func newApp(w proc.World, types connector.Types, terminal prompt.Terminal) *app {
	return &app{world: w, types: types, terminal: terminal, stdout: &stdout{to: w.Stdout}}
}

// stdout notices when nobody reads it any more: `svcconn list | head -1` is no
// failure. Where stdout is the process's own, Unix ends it before we see that.
type stdout struct {
	to     io.Writer
	broken bool
}

func (s *stdout) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	if err != nil && (errors.Is(err, io.ErrClosedPipe) || errors.Is(err, noReader)) {
		s.broken = true
	}
	return n, err
}

// invocation is one run of a command: the app, and what the command line says.
type invocation struct {
	*app
	flags *cli.Context
	args  []string
}

// text returns the value of a flag, "" when it was not given.
func (in invocation) text(flag string) string { return in.flags.String(flag) }

// given reports whether a flag was given; one without value may be given as off.
func (in invocation) given(flag string) bool {
	on, isSwitch := in.flags.Value(flag).(bool)
	return in.flags.IsSet(flag) && (on || !isSwitch)
}

// dirs are the folders of this set-up.
func (a *app) dirs() (paths.Dirs, error) { return paths.Resolve(a.world.Getenv) }

// settings are those of config.toml and of the environment.
func (a *app) settings() (settings.Settings, error) {
	dirs, err := a.dirs()
	if err != nil {
		return settings.Settings{}, err
	}
	stored, err := settings.Load(dirs.Config)
	if err != nil {
		return settings.Settings{}, err
	}
	return stored.WithEnv(a.world.Getenv)
}

// printer prints as the flags, the environment and the settings ask for, in this
// order.
func (in invocation) printer() (output.Printer, error) {
	name := in.text(outputFlag.name)
	if name == "" {
		s, err := in.settings()
		if err != nil {
			return output.Printer{}, err
		}
		name = s.Output.Format
	}
	format, err := output.ParseFormat(name)
	return output.Printer{Out: in.stdout, Err: in.world.Stderr, Format: format, Style: in.style()}, err
}

func (in invocation) style() output.Style {
	screen := output.Screen{
		Terminal: prompt.IsTerminal(in.world.Stdout),
		Colours:  prompt.Colours(in.world.Stdout),
		Width:    prompt.Width(in.world.Stdout),
	}
	return output.NewStyle(screen, in.world.Getenv, in.given(noIconsFlag.name))
}

// screenWidth is how wide help is written.
func (a *app) screenWidth() int {
	const most = 100
	if w := prompt.Width(a.world.Stdout); w > 0 {
		return min(w, most)
	}
	return most
}

// jsonErrors reports whether errors are wanted as JSON too. It looks at the bare
// words, since the error may be that they could not be read.
func (a *app) jsonErrors() bool {
	format := a.world.Getenv("SVCCONN_OUTPUT")
	for i, word := range a.world.Args {
		if word == "--" {
			break
		}
		name, value, joined := strings.Cut(word, "=")
		switch {
		case (name == "--output" || name == "-o") && joined:
			format = value
		case (name == "--output" || name == "-o") && i+1 < len(a.world.Args):
			format = a.world.Args[i+1]
		case strings.HasPrefix(word, "-o"):
			format = word[len("-o"):]
		}
	}
	return format == string(output.JSON)
}
