package admin

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/svcconn/svcconn/pkg/fault"
)

// execute runs the command of a line through urfave/cli, which is given the line in
// a form that it can not misread, and may neither print help nor exit.
func (a *app) execute(ctx context.Context, l line) error {
	runner := &cli.App{
		Name:                      program,
		Reader:                    a.world.Stdin,
		Writer:                    a.stdout,
		ErrWriter:                 a.world.Stderr,
		HideHelp:                  true,
		HideHelpCommand:           true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageError,
		Commands:                  []*cli.Command{a.cliCommand(l.path[1:])},
	}
	return runner.RunContext(ctx, l.canonical())
}

// cliCommand is the first command of a path, with the rest of the path in it.
func (a *app) cliCommand(path []*command) *cli.Command {
	c := path[0]
	out := &cli.Command{Name: c.name, HideHelp: true, HideHelpCommand: true, OnUsageError: usageError}
	if len(path) > 1 {
		out.Subcommands = []*cli.Command{a.cliCommand(path[1:])}
		return out
	}
	for _, f := range c.flags {
		out.Flags = append(out.Flags, f.cliFlag())
	}
	out.Action = func(flags *cli.Context) error {
		return c.run(flags.Context, invocation{app: a, flags: flags, args: flags.Args().Slice()})
	}
	return out
}

func (f flag) cliFlag() cli.Flag {
	switch {
	case f.value == "":
		return &cli.BoolFlag{Name: f.name}
	case f.many:
		return &cli.StringSliceFlag{Name: f.name, KeepSpace: true}
	}
	return &cli.StringFlag{Name: f.name}
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return fault.New(fault.Invalid, "%w", err)
}
