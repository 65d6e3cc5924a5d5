package admin

import (
	"context"
	"embed"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// scripts have one file a shell, named after it.
//
//go:embed completion
var scripts embed.FS

// shells are those that there is a script for.
func shells() []string { return []string{"bash", "zsh", "fish", "pwsh"} }

func completionCommand() command {
	return command{
		name:    "completion",
		group:   groupAbout,
		summary: "print a script that completes command lines",
		doc:     "Prints a script for a shell, which then completes commands, flags, connector types, auth methods, resource types, fields and the names of connectors.",
		args:    []argument{{name: shellWord}},
		examples: []example{
			{"bash, for this session", "source <(svcconn completion bash)"},
			{"bash, for good", "svcconn completion bash > ~/.local/share/bash-completion/completions/svcconn"},
			{"zsh, into a folder of $fpath", `svcconn completion zsh > "${fpath[1]}/_svcconn"`},
			{"fish", "svcconn completion fish > ~/.config/fish/completions/svcconn.fish"},
			{"PowerShell, in $PROFILE", "svcconn completion pwsh | Out-String | Invoke-Expression"},
		},
		run: printScript,
	}
}

func printScript(_ context.Context, in invocation) error {
	shell := in.args[0]
	if !slices.Contains(shells(), shell) {
		return fault.New(fault.Invalid, "no completion for shell %q", shell).Hint("there is one for: %s", strings.Join(shells(), ", "))
	}
	script, err := scripts.ReadFile("completion/" + shell)
	if err != nil {
		return err
	}
	_, err = in.stdout.Write(script)
	return err
}
