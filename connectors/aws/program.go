package aws

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/hop"
)

// programPatience bounds one run of a program, as the AWS SDKs bound it.
const programPatience = time.Minute

// answerOf runs a program of somebody else, in the home folder and without a shell, and
// returns what it writes. words are the program and its arguments, of which only the
// program shows in errors; of what it writes to stderr the end does, and of stdout nothing.
func answerOf(ctx context.Context, host connector.Host, words []string) ([]byte, error) {
	name := "program " + hop.OneLine(filepath.Base(words[0]))
	if host.Run == nil {
		return nil, fault.New(fault.Failed, "%s cannot be run: no programs may be run here", name)
	}
	limited, cancel := context.WithTimeout(ctx, programPatience)
	defer cancel()
	finished, err := host.Run(limited, connector.Command{Program: words[0], Args: words[1:], Dir: host.Home})
	said := saidBy(finished)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, fault.New(fault.Interrupted, "%s: %w", name, context.Canceled)
	case limited.Err() != nil:
		return nil, fault.New(fault.Unavailable, "%s did not answer in time%s", name, said).
			Hint("run it by hand: it must end by itself, without asking anything")
	case err != nil:
		return nil, fault.New(fault.Failed, "%s cannot be run: %w", name, err).Hint("install it, or give its absolute path")
	case finished.Failure != "":
		return nil, fault.New(fault.Failed, "%s: %s%s", name, finished.Failure, said).
			Hint("run it by hand, without the environment of your shell: it gets none of that here")
	}
	return finished.Stdout, nil
}

// saidLines is how many of the last lines of stderr are repeated.
const saidLines = 3

// saidBy is the end of what a program wrote to stderr, for an error. Lines that share a
// word with what it wrote to stdout, which is secret, are left out.
func saidBy(finished connector.Finished) string {
	hidden := longWords(string(finished.Stdout))
	var lines []string
	for line := range strings.Lines(string(finished.Stderr)) {
		if line = strings.TrimSpace(line); line != "" && !sharesWord(line, hidden) {
			lines = append(lines, line)
		}
	}
	text := hop.OneLine(strings.Join(lines[max(0, len(lines)-saidLines):], "; "))
	if text == "" {
		return ""
	}
	return ": " + text
}

// shortestHidden is the length from which on a word can be a secret.
const shortestHidden = 8

func longWords(text string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"',:{}[]`, r) }) {
		if len(word) >= shortestHidden {
			out = append(out, word)
		}
	}
	return out
}

func sharesWord(line string, words []string) bool {
	for _, word := range words {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}
