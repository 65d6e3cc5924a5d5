package admin

import (
	"context"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/svcconn/svcconn/pkg/output"
	"github.com/svcconn/svcconn/pkg/wire"
)

func versionCommand() command {
	return command{
		name:     "version",
		group:    groupAbout,
		summary:  "show the version",
		doc:      "Shows the release, the protocol that svcconn and its front-ends speak with each other, and how it was built.",
		flags:    printing(),
		examples: []example{{"the release alone", "svcconn version -o name"}},
		run:      version,
	}
}

// build is the JSON of the version.
type build struct {
	Release  string `json:"release"`
	Protocol int    `json:"protocol"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"` // built from a tree with changes that are in no commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func thisBuild() build {
	b := build{Release: wire.Release, Protocol: wire.Protocol, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func version(_ context.Context, in invocation) error {
	p, err := in.printer()
	if err != nil {
		return err
	}
	b := thisBuild()
	commit := b.Commit
	if b.Modified {
		commit += " (modified)"
	}
	return p.Describe(output.Description{Name: b.Release, Value: b, View: output.Sheets{{
		Title: program,
		Properties: []output.Property{
			{Name: "RELEASE", Value: output.Line(b.Release)},
			{Name: "PROTOCOL", Value: output.Line(strconv.Itoa(b.Protocol))},
			{Name: "COMMIT", Value: output.Line(commit)},
			{Name: "GO", Value: output.Line(b.Go)},
			{Name: "OS/ARCH", Value: output.Line(b.OS + "/" + b.Arch)},
		},
	}}})
}
