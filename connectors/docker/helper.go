package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

const (
	helperPrefix = "docker-credential-"
	ourHelper    = "svcconn"
	// helperPatience bounds one call of a helper: it may wait for a person to unlock a
	// keyring.
	helperPatience = 30 * time.Second
)

// askStore asks the helper that a file names for all registries what it has.
func (d *detection) askStore(ctx context.Context, file *configFile) error {
	if d.skips(file, file.CredsStore, "credsStore") {
		return nil
	}
	keys, err := d.list(ctx, file.CredsStore)
	if err != nil {
		return d.failed(ctx, file, "credsStore", err)
	}
	for _, key := range sortedKeys(keys) {
		if err := d.askHelper(ctx, file, file.CredsStore, "credsStore", key); err != nil {
			return err
		}
	}
	return nil
}

// askHelper asks a helper for the login of one registry.
func (d *detection) askHelper(ctx context.Context, file *configFile, helper, setting, key string) error {
	name, wanted := d.wants(file, key)
	if !wanted || d.skips(file, helper, setting) {
		return nil
	}
	found, err := d.get(ctx, helper, key)
	if err != nil {
		return d.failed(ctx, file, setting, err)
	}
	if found == nil {
		return nil
	}
	source := connector.Source{Description: fmt.Sprintf("%s%s (%s of %s)", helperPrefix, helper, setting, file.path), Key: key}
	d.add(login{name, found.Username, secret.New(found.Secret), source})
	return nil
}

// skips reports helpers that are not to be run: our own, which would ask ourselves,
// and what is no helper's name.
func (d *detection) skips(file *configFile, helper, setting string) bool {
	switch {
	case helper == ourHelper:
		d.note("%s (%s of %s) is svcconn itself; it was not asked.", helperPrefix+helper, setting, file.path)
	case helper == "" || strings.ContainsAny(helper, `/\`):
		d.note("%s has a %s that is no helper's name; it was not asked.", file.path, setting)
	case d.host.Run == nil:
		d.note("%s (%s of %s) was not asked: no programs may be run here.", helperPrefix+helper, setting, file.path)
	default:
		return false
	}
	return true
}

// note keeps a sentence for the person, once.
func (d *detection) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.notes, text) {
		d.notes = append(d.notes, text)
	}
}

// failed keeps the first problem with a helper; only a caller who has gone ends all.
func (d *detection) failed(ctx context.Context, file *configFile, setting string, err error) error {
	err = fault.Within(err, "%s of %s", setting, file.path)
	if ctx.Err() != nil {
		return err
	}
	if d.problem == nil {
		d.problem = err
	}
	return nil
}

func (d *detection) list(ctx context.Context, helper string) (map[string]string, error) {
	var keys map[string]string
	err := d.call(ctx, helper, func(program client.ProgramFunc) (err error) {
		keys, err = client.List(program)
		return err
	})
	return keys, err
}

// get returns nil where the helper has nothing.
func (d *detection) get(ctx context.Context, helper, key string) (*credentials.Credentials, error) {
	var found *credentials.Credentials
	err := d.call(ctx, helper, func(program client.ProgramFunc) (err error) {
		found, err = client.Get(program, key)
		return err
	})
	if credentials.IsErrCredentialsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// call runs a helper, with a time limit, and names it in errors.
func (d *detection) call(ctx context.Context, helper string, use func(client.ProgramFunc) error) error {
	within, cancel := context.WithTimeout(ctx, helperPatience)
	defer cancel()
	err := use(func(args ...string) client.Program {
		return &program{ctx: within, run: d.host.Run, name: helperPrefix + helper, args: args}
	})
	switch {
	case err == nil, credentials.IsErrCredentialsNotFound(err):
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return fault.New(fault.Interrupted, "credential helper %s: %w", helperPrefix+helper, context.Canceled)
	case within.Err() != nil:
		return fault.New(fault.Unavailable, "credential helper %s did not answer in time", helperPrefix+helper).
			Hint("unlock the keyring that it uses, if it waits for that, and try again")
	}
	return fault.New(fault.Failed, "credential helper %s: %w", helperPrefix+helper, err).
		Hint("see that `echo REGISTRY | %s get` works", helperPrefix+helper)
}

// program is a helper as docker-credential-helpers' client wants it. That interface
// knows no context, so this one holds it.
type program struct {
	ctx   context.Context
	run   func(context.Context, connector.Command) (connector.Finished, error)
	name  string
	args  []string
	input []byte
	err   error
}

var _ client.Program = (*program)(nil)

// Input implements client.Program.
func (p *program) Input(in io.Reader) { p.input, p.err = io.ReadAll(in) }

// Output implements client.Program. What a failing helper printed becomes part of an
// error, so that a credential among it is withheld.
func (p *program) Output() ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	finished, err := p.run(p.ctx, connector.Command{Program: p.name, Args: p.args, Stdin: p.input})
	if err == nil && finished.Failure != "" {
		err = errors.New(finished.Failure)
	}
	if err != nil && bytes.ContainsRune(finished.Stdout, '{') {
		finished.Stdout = nil
	}
	return finished.Stdout, err
}
