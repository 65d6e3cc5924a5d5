package admin

import (
	"context"
	"io"
)

func manCommand() command {
	return command{
		name:     "man",
		group:    groupAbout,
		summary:  "print the manual page",
		doc:      "Prints the manual page, in the language of man(1).",
		examples: []example{{"read it", "svcconn man | man -l -"}},
		run: func(_ context.Context, in invocation) error {
			_, err := io.WriteString(in.stdout, manual(tree()))
			return err
		},
	}
}
