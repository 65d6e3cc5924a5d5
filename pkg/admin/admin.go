// Package admin is svcconn itself: the commands of the person who registers,
// inspects and uses connectors.
//
// A command is data: its name, arguments, flags, help and examples are declared
// once, in a file of its own, and from that come the reading of the command line,
// the help, the manual page and the completion of shells. It is the only package
// that uses urfave/cli. It refuses to do a command's work itself: that is in the
// packages below.
package admin

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/prompt"
)

// program is what svcconn calls itself.
const program = "svcconn"

// Program returns svcconn with the given connector types, for proc.Main.
func Program(types connector.Types) func(context.Context, proc.World) int {
	return func(ctx context.Context, w proc.World) int { return Run(ctx, w, types) }
}

// Run runs one command line and returns the exit code that cli.md has for it. It
// asks the person at the controlling terminal, if it has to. The first Ctrl-C ends
// what is being done, the second kills.
func Run(ctx context.Context, w proc.World, types connector.Types) int {
	ctx, stop := proc.Interruptible(ctx)
	defer stop()
	return run(ctx, newApp(w, types, prompt.Controlling()))
}

// run reads the command line, runs the command, and reports its error.
func run(ctx context.Context, a *app) int {
	return a.finish(ctx, a.dispatch(ctx, a.world.Args))
}

// finish reports what a command came to.
func (a *app) finish(ctx context.Context, err error) int {
	switch {
	case err == nil || a.stdout.broken:
		return proc.Done // a reader that has gone away has what it wanted
	case errors.Is(ctx.Err(), context.Canceled), fault.Is(err, fault.Interrupted):
		err = fault.New(fault.Interrupted, "interrupted")
	}
	err = visible(err)
	proc.PrintError(a.world.Stderr, program, err)
	if a.jsonErrors() {
		proc.PrintErrorJSON(a.world.Stderr, err)
	}
	return proc.ExitCode(err)
}

// visible is an error whose text can not steer the terminal: it may have the words
// of a service in it.
func visible(err error) error {
	var hint []string
	for text := range strings.SplitSeq(fault.HintOf(err), "\n") {
		hint = append(hint, output.Visible(text))
	}
	return fault.New(fault.KindOf(err), "%s", output.Visible(err.Error())).Hint("%s", strings.Join(hint, "\n"))
}

// dispatch does what a command line says.
func (a *app) dispatch(ctx context.Context, args []string) error {
	root := tree()
	l, err := readLine(root, args)
	switch {
	case err != nil:
		return err
	case l.help:
		_, err = io.WriteString(a.stdout, helpText(l.path, a.screenWidth()))
		return err
	}
	return a.execute(ctx, l)
}
