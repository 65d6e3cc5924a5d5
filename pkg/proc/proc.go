// Package proc is the border between a program and its process: arguments,
// environment, streams, clock, exit codes and the printing of errors. Programs
// take a World and return an exit code, so that a test can run any of them
// inside its own process.
//
// It links the standard library only and starts nothing, since the thin
// front-ends pay for all that it links.
package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/fault"
)

// World is everything a program may touch of the process that it runs in.
type World struct {
	Program string   // the name that the program was called by, without folder
	Args    []string // the arguments after it
	Env     []string // "NAME=value", as os.Environ gives it
	PID     int
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Now     func() time.Time
}

// Main runs a program in the real process and exits with its code. Signals keep
// their default effect: a shell sees 130 after Ctrl-C.
func Main(run func(context.Context, World) int) {
	os.Exit(run(context.Background(), Real()))
}

// Real is the World of this process.
func Real() World {
	w := World{Env: os.Environ(), PID: os.Getpid(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}
	if len(os.Args) > 0 {
		w.Program = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
		w.Args = os.Args[1:]
	}
	return w
}

// Getenv returns the value of an environment variable, or "".
func (w World) Getenv(name string) string {
	value, _ := w.LookupEnv(name)
	return value
}

// LookupEnv returns the value of an environment variable and whether it is set.
// As in the C library, the first of several settings counts.
func (w World) LookupEnv(name string) (string, bool) {
	for _, kv := range w.Env {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:], true
		}
	}
	return "", false
}

// The exit codes of cli.md.
const (
	Done        = 0
	Failed      = 1
	Usage       = 2
	NotFound    = 3
	Denied      = 4
	Unavailable = 5
	NeedsPerson = 6
	Ambiguous   = 7
	Interrupted = 130
)

// ExitCode maps an error to its exit code; nil is Done.
func ExitCode(err error) int {
	switch fault.KindOf(err) {
	case "":
		return Done
	case fault.Invalid:
		return Usage
	case fault.NotFound:
		return NotFound
	case fault.Denied:
		return Denied
	case fault.Unavailable:
		return Unavailable
	case fault.NeedsPerson:
		return NeedsPerson
	case fault.Ambiguous:
		return Ambiguous
	case fault.Interrupted:
		return Interrupted
	}
	return Failed
}

// PrintError writes an error for a person: what went wrong, then the hint.
func PrintError(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: error: %s\n", program, err)
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(w, "%s: hint: %s\n", program, strings.ReplaceAll(hint, "\n", "\n"+program+": hint: "))
	}
}

// PrintErrorJSON writes an error for a program, in the shape of cli.md.
func PrintErrorJSON(w io.Writer, err error) {
	type body struct {
		Kind    fault.Kind `json:"kind"`
		Message string     `json:"message"`
		Hint    string     `json:"hint"`
	}
	out, _ := json.Marshal(map[string]body{"error": {fault.KindOf(err), err.Error(), fault.HintOf(err)}})
	fmt.Fprintf(w, "%s\n", out)
}

// Scrub replaces the environment of the real process, for what libraries read of it.
func Scrub(env []string) {
	os.Clearenv()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		_ = os.Setenv(name, value)
	}
}
