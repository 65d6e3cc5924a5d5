package hop

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Answer runs a program of somebody else, in the home folder and without a shell, and
// returns what became of it, also where it failed. It has until ctx is done, and patience
// at most. Errors are named for the program; its arguments do not show in them, nor does
// anything of stdout, which is secret; the end of stderr does.
func Answer(ctx context.Context, host connector.Host, patience time.Duration, command connector.Command) (connector.Finished, error) {
	name := "program " + OneLine(filepath.Base(command.Program))
	if host.Run == nil {
		return connector.Finished{}, fault.New(fault.Failed, "%s cannot be run: no programs may be run here", name).Hint("leave the program out that a field or a file names")
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command.Dir = host.Home
	finished, err := host.Run(limited, command)
	said := saidBy(finished)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return finished, fault.New(fault.Interrupted, "%s: %w", name, context.Canceled)
	case limited.Err() != nil:
		return finished, fault.New(fault.Unavailable, "%s did not answer in time%s", name, said).
			Hint("run it by hand: it must end by itself, without asking anything")
	case err != nil:
		return finished, fault.New(fault.Failed, "%s cannot be run: %w", name, err).Hint("install it, or give its absolute path")
	case finished.Failure != "":
		return finished, fault.New(fault.Failed, "%s: %s%s", name, finished.Failure, said).
			Hint("run it by hand, without the environment of your shell: it gets none of that here")
	}
	return finished, nil
}

// saidLines is how many of the last lines of stderr are repeated.
const saidLines = 3

// tokenLike is what may be a token or a key: a long word that is no path.
var tokenLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_.~+=-]{32,}`) })

// saidBy is the end of what a program wrote to stderr, for an error. Lines that share a
// word with what it wrote to stdout are left out, and words that look like secrets.
func saidBy(finished connector.Finished) string {
	hidden := longWords(string(finished.Stdout))
	var lines []string
	for line := range strings.Lines(string(finished.Stderr)) {
		if line = strings.TrimSpace(line); line != "" && !sharesWord(line, hidden) {
			lines = append(lines, tokenLike().ReplaceAllString(line, secret.Redacted))
		}
	}
	text := OneLine(strings.Join(lines[max(0, len(lines)-saidLines):], "; "))
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
