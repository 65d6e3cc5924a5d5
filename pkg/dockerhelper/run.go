// Package dockerhelper is docker-credential-svcconn: the Docker credential-helper
// protocol on one side, the wire to the agent on the other, bytes in between.
//
// The contract is that of github.com/docker/docker-credential-helpers: one
// argument, input on stdin, output and error text on stdout, exit 1 on failure.
// What a person should know beyond that goes to stderr. Its reader is not used: it
// fails on lines over 64 KiB, which identity tokens can exceed.
//
// It refuses to decide anything: which connector serves a registry, what may be
// stored and what is an echo is the agent's business. It links the standard library
// and the protocol's own small package only, because docker starts it for every
// registry of every command.
package dockerhelper

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/docker/docker-credential-helpers/credentials"

	"github.com/svcconn/svcconn/pkg/agentclient"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/proc"
	"github.com/svcconn/svcconn/pkg/secret"
	"github.com/svcconn/svcconn/pkg/wire"
)

// Name is the binary's name: docker finds it by the part after "docker-credential-".
const Name = "docker-credential-svcconn"

// maxInput bounds stdin: an identity token may be long, a file is a mistake.
const maxInput = 8 << 20

// maxServerURL is longer than any registry's address can be.
const maxServerURL = 8 << 10

const usage = `Usage: ` + Name + ` <store|get|erase|list|version|kubelet>

A Docker credential helper: docker and its like run it, with the registry on stdin.
To point docker at it:  svcconn login docker REGISTRY
As a credential provider of kubelet (kubelet) it takes an image on stdin.
`

// Run carries out one action of the protocol and returns the exit code.
func Run(ctx context.Context, w proc.World) int {
	if len(w.Args) != 1 {
		fmt.Fprint(w.Stdout, usage)
		return proc.Failed
	}
	if w.Args[0] == kubeletAction {
		return kubelet(ctx, w)
	}
	out, err := act(ctx, w, w.Args[0])
	if err != nil {
		return fail(w, err)
	}
	if _, err := io.WriteString(w.Stdout, out.Reveal()); err != nil {
		return proc.Failed
	}
	return proc.Done
}

// fail puts the error where the protocol wants it, on stdout, and for the person on
// stderr: docker pull shows only that, and goes on anonymously whatever the error. The
// protocol's own answers (nothing found, nothing given) are no news for a person.
func fail(w proc.World, err error) int {
	fmt.Fprintln(w.Stdout, oneLine(err.Error()))
	if !ofProtocol(err.Error()) {
		proc.PrintError(w.Stderr, Name, err)
	}
	return proc.Failed
}

func ofProtocol(text string) bool {
	return credentials.IsErrCredentialsNotFoundMessage(text) ||
		credentials.IsCredentialsMissingServerURLMessage(text) || credentials.IsCredentialsMissingUsernameMessage(text)
}

// oneLine keeps docker's own message readable: it quotes what we print.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func act(ctx context.Context, w proc.World, action string) (secret.Text, error) {
	switch action {
	case credentials.ActionGet:
		return get(ctx, w)
	case credentials.ActionStore:
		return store(ctx, w)
	case credentials.ActionErase:
		return erase(ctx, w)
	case credentials.ActionList:
		answer, err := call(ctx, w, wire.DockerList, secret.Text{})
		return answer.Body, err
	case credentials.ActionVersion, "--version", "-v":
		return secret.New(fmt.Sprintf("%s (github.com/svcconn/svcconn) %s %s\n", Name, wire.Release, runtime.Version())), nil
	case "--help", "-h", "help":
		return secret.New(usage), nil
	}
	// The reference implementation's words.
	return secret.Text{}, fault.New(fault.Invalid, "%s: unknown action: %s", Name, printable(action)).
		Hint("the actions are store, get, erase, list and version")
}

func get(ctx context.Context, w proc.World) (secret.Text, error) {
	server, err := readServerURL(w.Stdin)
	if err != nil {
		return secret.Text{}, err
	}
	answer, err := call(ctx, w, wire.DockerGet, server)
	if err == nil && answer.Absent {
		err = credentials.NewErrCredentialsNotFound()
	}
	return answer.Body, err
}

func store(ctx context.Context, w proc.World) (secret.Text, error) {
	input, err := readAll(w.Stdin)
	if err == nil {
		_, err = call(ctx, w, wire.DockerStore, input)
	}
	return secret.Text{}, err
}

func erase(ctx context.Context, w proc.World) (secret.Text, error) {
	server, err := readServerURL(w.Stdin)
	if err == nil {
		_, err = call(ctx, w, wire.DockerErase, server)
	}
	return secret.Text{}, err
}

func call(ctx context.Context, w proc.World, op string, body secret.Text) (agentclient.Answer, error) {
	client, err := agentclient.New(w, Name)
	if err != nil {
		return agentclient.Answer{}, err
	}
	client.Watch = func(reply wire.Reply) error {
		if reply.Event == wire.Notice {
			fmt.Fprintf(w.Stderr, "%s: %s\n", Name, reply.Text)
		}
		return nil
	}
	return client.Call(ctx, op, nil, body)
}

// readServerURL reads what get and erase take: a raw address, white space trimmed.
func readServerURL(r io.Reader) (secret.Text, error) {
	input, err := readAll(r)
	if err != nil {
		return secret.Text{}, err
	}
	server := strings.TrimSpace(input.Reveal())
	switch {
	case server == "":
		return secret.Text{}, credentials.NewErrCredentialsMissingServerURL()
	case len(server) > maxServerURL:
		return secret.Text{}, fault.New(fault.Invalid, "stdin has %d bytes: that is no registry address", len(server)).
			Hint("give the registry alone, as in: echo registry.example.com | %s get", Name)
	case !utf8.ValidString(server) || printable(server) != server:
		return secret.Text{}, fault.New(fault.Invalid, "stdin is not text: that is no registry address").
			Hint("give the registry alone, as in: echo registry.example.com | %s get", Name)
	}
	return secret.New(server), nil
}

func readAll(r io.Reader) (secret.Text, error) {
	input, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return secret.Text{}, fault.New(fault.Failed, "cannot read stdin: %w", err)
	}
	if len(input) > maxInput {
		return secret.Text{}, fault.New(fault.Invalid, "stdin has more than %d MiB", maxInput>>20)
	}
	return secret.New(string(input)), nil
}

// printable drops what could play tricks on a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
}
