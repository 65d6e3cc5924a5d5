package secrets

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"unicode"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/subprocess"
)

var errTooSlow = errors.New("it took too long")

// runCommand takes a secret from the standard output of a shell command. The command
// has no standard input and no terminal; it and what it starts are killed when it
// takes too long or ctx ends.
func runCommand(ctx context.Context, command string, from Sources) (secret.Text, error) {
	timeout := from.CommandTimeout
	if timeout <= 0 {
		timeout = DefaultCommandTimeout
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, errTooSlow)
	defer cancel()
	cmd := subprocess.Shell(limited, command)
	cmd.Env = from.Env
	out, err := subprocess.Run(cmd, maxSecretFile)
	if errors.Is(err, subprocess.ErrTooMuch) {
		return secret.Text{}, fault.New(fault.Invalid, "the output of the command %s is larger than 1 MiB", shorten(command))
	}
	if err != nil {
		return secret.Text{}, commandError(limited, command, err, whatItSaid(string(out.Stdout), string(out.Stderr)))
	}
	return fromBytes(out.Stdout, "output of the command "+shorten(command))
}

func commandError(ctx context.Context, command string, err error, said string) error {
	cause := context.Cause(ctx)
	switch {
	case cause == errTooSlow:
		return fault.New(fault.Unavailable, "the command %s did not end in time%s", shorten(command), said).
			Hint("run it by hand: it must end by itself, without a terminal")
	case cause != nil:
		return fault.New(fault.KindOf(cause), "the command %s was stopped: %w%s", shorten(command), cause, said)
	case errors.Is(err, exec.ErrWaitDelay):
		return fault.New(fault.Failed, "the command %s left something behind that holds its output open%s", shorten(command), said)
	}
	return fault.New(fault.Failed, "the command %s did not succeed: %w%s", shorten(command), err, said)
}

// shorten quotes a command for a message.
func shorten(command string) string {
	const most = 60
	line := printable(command)
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return "`" + line + "`"
}

// whatItSaid returns the last lines of a command's standard error for a message, or ""
// where one of them shares a line with the standard output: that is the secret.
func whatItSaid(stdout, stderr string) string {
	const most = 3
	said := lines(stderr)
	if len(said) > most {
		said = said[len(said)-most:]
	}
	secrets := lines(stdout)
	for _, line := range said {
		for _, hidden := range secrets {
			if strings.Contains(line, hidden) || strings.Contains(hidden, line) {
				return ""
			}
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + printable(strings.Join(said, "; "))
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// printable keeps a message from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
