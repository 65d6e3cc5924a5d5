package admin

import (
	"context"
	"io"
	"strings"

	"github.com/svcconn/svcconn/pkg/output"
)

// completeCommand is what the completion scripts call: the words of the command
// line, the last of them with "=" in front, since some shells lose empty words. It
// answers a candidate a line, with its meaning after a tab, then a line with a colon
// and what the shell shall do: "files", "nospace", or nothing.
func completeCommand() command {
	return command{
		name: "__complete", hidden: true, raw: true,
		summary: "complete a command line, for the scripts of `svcconn completion`",
		run:     printCompletion,
	}
}

func printCompletion(ctx context.Context, in invocation) error {
	if len(in.args) == 0 {
		return nil
	}
	last := len(in.args) - 1
	c := in.complete(ctx, in.args[:last], strings.TrimPrefix(in.args[last], "="))
	var out strings.Builder
	for _, w := range c.words {
		out.WriteString(output.Visible(w.word) + "\t" + output.Visible(w.meaning) + "\n")
	}
	out.WriteString(":" + c.directive() + "\n")
	_, err := io.WriteString(in.stdout, out.String())
	return err
}

func (c completion) directive() string {
	switch {
	case c.files:
		return "files"
	case c.noSpace:
		return "nospace"
	}
	return ""
}
