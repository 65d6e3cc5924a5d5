package secrets

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/secret"
)

// Scheme is where a referred-to secret lives.
type Scheme string

// The schemes of references.
const (
	FromEnv     Scheme = "env"  // an environment variable of whoever asks for a credential
	FromFile    Scheme = "file" // a file, by its absolute path
	FromCommand Scheme = "cmd"  // the output of a shell command
)

// Reference says where a secret lives that svcconn does not keep. It is no secret
// itself.
type Reference struct {
	Scheme Scheme
	Target string // the name, path or command
}

// String returns the reference as ParseReference takes it.
func (r Reference) String() string { return string(r.Scheme) + ":" + r.Target }

// ParseReference reads "env:NAME", "file:PATH" (absolute) or "cmd:COMMAND". Anything
// else is fault.Invalid, in an error that does not repeat it: it may be a secret
// that somebody wrote in the wrong place.
func ParseReference(text string) (Reference, error) {
	scheme, target, _ := strings.Cut(text, ":")
	clean := !strings.Contains(target, "\x00")
	switch r := (Reference{Scheme(scheme), target}); r.Scheme {
	case FromEnv:
		return r.provided(clean && target != "" && !strings.ContainsAny(target, "= \t\r\n"), "NAME is the name of a variable")
	case FromFile:
		return r.provided(clean && filepath.IsAbs(target), "PATH is absolute: the agent runs in another folder")
	case FromCommand:
		return r.provided(clean && strings.TrimSpace(target) != "", "COMMAND is for the shell")
	}
	return Reference{}, errReference("")
}

func (r Reference) provided(ok bool, rule string) (Reference, error) {
	if !ok {
		return Reference{}, errReference(" (" + rule + ")")
	}
	return r, nil
}

func errReference(rule string) error {
	return fault.New(fault.Invalid, "this is not a reference to a secret%s", rule).
		Hint("a reference is env:NAME, file:PATH or cmd:COMMAND")
}

// DefaultCommandTimeout is how long the command of a reference may run, unless
// Sources says otherwise: long enough to touch a hardware key.
const DefaultCommandTimeout = 30 * time.Second

// Sources are where Resolve looks.
type Sources struct {
	// LookupEnv asks whoever wants the credential for a variable: the environment of
	// the agent must not decide. Nil is an environment without variables.
	LookupEnv func(ctx context.Context, name string) (value secret.Text, set bool, err error)
	// Env is the whole environment of commands, as "NAME=value".
	Env []string
	// CommandTimeout is how long a command may run; 0 is DefaultCommandTimeout.
	CommandTimeout time.Duration
}

// Resolve reads the secret that r refers to, but for one newline at the end of a file
// or of a command's output. The error names r and never has content; it is
// fault.NeedsPerson for a variable that is not set, fault.Unavailable for a command
// that takes too long, fault.Invalid for a secret that is empty or larger than 1 MiB,
// else fault.Failed; never fault.NotFound, which would let others try.
func Resolve(ctx context.Context, r Reference, from Sources) (secret.Text, error) {
	switch r.Scheme {
	case FromEnv:
		return lookup(ctx, r.Target, from)
	case FromFile:
		return ReadFile(ctx, r.Target)
	case FromCommand:
		return runCommand(ctx, r.Target, from)
	}
	return secret.Text{}, errReference("")
}

func lookup(ctx context.Context, name string, from Sources) (secret.Text, error) {
	var value secret.Text
	var set bool
	if from.LookupEnv != nil {
		var err error
		if value, set, err = from.LookupEnv(ctx, name); err != nil {
			return secret.Text{}, fault.Within(err, "the environment variable %s", name)
		}
	}
	switch {
	case !set:
		return secret.Text{}, fault.New(fault.NeedsPerson, "the environment variable %s, which the secret is read from, is not set", name).
			Hint("export %s where you run the command", name)
	case value.IsEmpty():
		return secret.Text{}, fault.New(fault.Invalid, "the environment variable %s, which the secret is read from, is empty", name)
	case value.Len() > maxSecretFile:
		return secret.Text{}, fault.New(fault.Invalid, "the environment variable %s is larger than 1 MiB", name)
	}
	return value, nil
}
