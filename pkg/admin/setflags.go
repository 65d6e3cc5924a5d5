package admin

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/prompt"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/secrets"
)

// maxPlainFile is the largest file that a plain field is read from.
const maxPlainFile = 1 << 20

// setReader turns --set flags into the values of fields. A secret is taken from a
// file, from stdin, from the environment, from a command or from the person, and
// never from the command line itself, where every process can read it.
type setReader struct {
	fields field.Set
	where  string // whose fields they are, for errors

	stdin     io.Reader
	terminal  prompt.Terminal
	isAtStdin bool // stdin is a terminal: what is typed there is asked for hidden

	// resolve reads env: and cmd: values.
	resolve func(context.Context, secrets.Reference) (secret.Text, error)
	// reference keeps where secrets are instead of reading them.
	reference bool
	// missing names the required secrets to ask for when no flag sets them.
	missing []string
}

// setValues is what --set flags say.
type setValues struct {
	field.Values
	// References are the secret fields that stay references. They are not in Values.
	References map[string]string
}

// setting is one --set flag.
type setting struct {
	field field.Field
	value string
	given bool // there was an equals sign
}

// newSetReader reads for this process.
func (a *app) newSetReader(fields field.Set, where string) setReader {
	return setReader{
		fields: fields, where: where,
		stdin: a.world.Stdin, terminal: a.terminal, isAtStdin: prompt.IsTerminal(a.world.Stdin),
		resolve: func(ctx context.Context, r secrets.Reference) (secret.Text, error) {
			return secrets.Resolve(ctx, r, secrets.Sources{LookupEnv: a.lookupEnv, Env: a.world.Env})
		},
	}
}

func (a *app) lookupEnv(_ context.Context, name string) (secret.Text, bool, error) {
	value, ok := a.world.LookupEnv(name)
	return secret.New(value), ok, nil
}

// read reads FIELD=VALUE flags. All of them are looked at before anything is read,
// so that a mistake in the last does not cost an answer to the first.
func (r setReader) read(ctx context.Context, flags []string) (setValues, error) {
	settings, err := r.settings(flags)
	if err != nil {
		return setValues{}, err
	}
	out := setValues{References: map[string]string{}}
	for _, s := range settings {
		if err := r.take(ctx, s, &out); err != nil {
			return setValues{}, fault.Within(err, "field %s", s.field.Info().Name)
		}
	}
	return out, nil
}

// settings checks what can be checked without reading anything, and adds the
// secrets to ask for.
func (r setReader) settings(flags []string) ([]setting, error) {
	var settings []setting
	seen, stdin := map[string]bool{}, ""
	for _, text := range flags {
		s, err := r.parse(text)
		if err != nil {
			return nil, err
		}
		name := s.field.Info().Name
		if seen[name] {
			return nil, fault.New(fault.Invalid, "field %s is set twice", name).Hint("give --set %s once", name)
		}
		seen[name] = true
		if s.field.Info().Secret() && s.value == "-" {
			if stdin != "" {
				return nil, fault.New(fault.Invalid, "the fields %s and %s cannot both be read from stdin", stdin, name).
					Hint("read one of them from a file: --set %s=@FILE", name)
			}
			stdin = name
		}
		settings = append(settings, s)
	}
	for _, name := range r.missing {
		if f, ok := r.fields.Find(name); ok && !seen[name] {
			settings = append(settings, setting{field: f})
		}
	}
	return settings, nil
}

// parse reads one flag. What has no known field's name in front is not repeated in
// the error: it may be the secret.
func (r setReader) parse(text string) (setting, error) {
	name, value, given := strings.Cut(text, "=")
	f, ok := r.fields.Find(name)
	switch {
	case !ok && !given:
		return setting{}, fault.New(fault.Invalid, "--set takes FIELD=VALUE").Hint("the fields of %s are: %s", r.where, strings.Join(r.fields.Names(), ", "))
	case !ok:
		return setting{}, r.fields.Unknown(name, r.where)
	case !given && !f.Info().Secret():
		return setting{}, fault.New(fault.Invalid, "field %s has no value", f.Info().Name).Hint("give it as --set %s=VALUE", f.Info().Name)
	}
	s := setting{field: f, value: value, given: given}
	if f.Info().Secret() && given {
		return s, s.checkSource()
	}
	return s, nil
}

// checkSource refuses a secret that stands on the command line.
func (s setting) checkSource() error {
	if s.value == "-" || strings.HasPrefix(s.value, "@") && !strings.HasPrefix(s.value, "@@") && len(s.value) > 1 {
		return nil
	}
	if isReference(s.value) {
		_, err := secrets.ParseReference(s.value)
		return fault.Within(err, "field %s", s.field.Info().Name)
	}
	_, err := s.field.Parse("") // refuses every text, with the advice
	return err
}

// isReference reports whether a value says where the secret is. A file is @PATH
// here, not file:PATH.
func isReference(value string) bool {
	return strings.HasPrefix(value, string(secrets.FromEnv)+":") || strings.HasPrefix(value, string(secrets.FromCommand)+":")
}

// take reads the value of a setting.
func (r setReader) take(ctx context.Context, s setting, out *setValues) error {
	info := s.field.Info()
	if !info.Secret() {
		text, err := plainText(s.value)
		if err == nil {
			var value any
			value, err = s.field.Parse(text)
			out.Set(info.Name, value)
		}
		return err
	}
	if r.reference {
		ref, err := s.reference()
		if err == nil {
			out.References[info.Name] = ref
		}
		return err
	}
	value, err := r.secret(ctx, s)
	if err == nil {
		out.SetSecret(info.Name, value)
	}
	return err
}

// reference is the setting as a reference, to be read at every mint.
func (s setting) reference() (string, error) {
	if isReference(s.value) {
		return s.value, nil
	}
	path, isFile := strings.CutPrefix(s.value, "@")
	if !isFile {
		return "", fault.New(fault.Invalid, "--reference keeps where a secret is, and nothing says where this one is").
			Hint("give it as @FILE, env:NAME or cmd:COMMAND, or leave --reference out")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fault.New(fault.Failed, "cannot tell the current folder: %w", err)
	}
	return secrets.Reference{Scheme: secrets.FromFile, Target: path}.String(), nil
}

// secret reads a secret from where the setting says.
func (r setReader) secret(ctx context.Context, s setting) (secret.Text, error) {
	path, isFile := strings.CutPrefix(s.value, "@")
	switch {
	case !s.given, s.value == "-" && r.isAtStdin:
		return r.ask(ctx, s.field)
	case s.value == "-":
		return r.readStdin(ctx)
	case isFile:
		value, err := secrets.ReadFile(ctx, path)
		return value, withTilde(err, path)
	}
	ref, err := secrets.ParseReference(s.value)
	if err != nil {
		return secret.Text{}, err
	}
	return r.resolve(ctx, ref)
}

// readStdin reads to the end of stdin or of ctx: a pipe may never end.
func (r setReader) readStdin(ctx context.Context) (secret.Text, error) {
	type answer struct {
		text secret.Text
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := secrets.ReadStream(r.stdin)
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return secret.Text{}, ctx.Err()
	}
}

// ask asks the person.
func (r setReader) ask(ctx context.Context, f field.Field) (secret.Text, error) {
	_, err := f.Parse("") // its hint says all the ways without a terminal
	q := prompt.Question{Label: f.Info().Title, Without: fault.HintOf(err)}
	if s, ok := f.(field.Secret); ok && s.Multiline {
		return r.terminal.SecretLines(ctx, q)
	}
	return r.terminal.Secret(ctx, q)
}

// plainText is the value of a field that is no secret: literal, or @PATH, where
// @@x stands for @x.
func plainText(value string) (string, error) {
	path, isFile := strings.CutPrefix(value, "@")
	switch {
	case !isFile:
		return value, nil
	case strings.HasPrefix(path, "@"):
		return path, nil
	}
	return readPlainFile(path)
}

func readPlainFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", withTilde(fault.New(fault.Failed, "cannot read %s: %w", path, reason(err)), path)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxPlainFile+1))
	if err != nil {
		return "", fault.New(fault.Failed, "cannot read %s: %w", path, reason(err))
	}
	if len(content) > maxPlainFile {
		return "", fault.New(fault.Invalid, "%s is larger than 1 MiB", path)
	}
	return string(content), nil
}

// reason drops the path that os puts into its errors: ours name it already.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// withTilde says what a shell does not do.
func withTilde(err error, path string) error {
	if !strings.HasPrefix(path, "~") {
		return err
	}
	return fault.WithHint(err, "no shell expands the ~ behind @; write the folder out, as in @$HOME/…")
}
