package admin

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/svcconn/svcconn/pkg/clientconfig"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
)

// The headings of the help for what works with connectors.
const (
	connectorsGroup = "Connectors"
	useGroup        = "Using them"
)

// The flags of several commands that work with connectors.
var (
	typeFlag         = flag{name: "type", short: "t", value: typeWord, usage: "the connector type"}
	resourceNameFlag = flag{name: "resource-name", short: "n", aliases: []string{"resource-id"}, value: "RESOURCE", usage: "one resource, in any of the forms that describe-type lists"}
	connectorFlag    = flag{name: "connector", short: "c", value: connectorWord, usage: "the connector to use"}
	accessFlag       = flag{name: "access", value: accessWord, usage: "read or write: what the credential may do, where its service can tell; write otherwise"}
	dryRunFlag       = flag{name: "dry-run", usage: "show what would change, and change nothing"}
)

// accessWord is the word for the kinds of access.
const accessWord = "ACCESS"

// credentialFormatWord is the word for the formats of a credential.
const credentialFormatWord = "FORMAT-OF-CREDENTIAL"

// texts returns the values of a flag that may be given several times.
func (in invocation) texts(flag string) []string { return in.flags.StringSlice(flag) }

// duration reads a flag that is a time span; 0 when it was not given.
func (in invocation) duration(flag string) (time.Duration, error) {
	if in.text(flag) == "" {
		return 0, nil
	}
	d, err := field.ParseDuration(in.text(flag))
	return d, fault.Within(err, "flag --%s", flag)
}

// timeLayouts are how --expires-at may be written; without a zone it is UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"}

// moment reads a flag that is a point in time; zero when it was not given.
func (in invocation) moment(flag string) (time.Time, error) {
	text := strings.TrimSpace(in.text(flag))
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "flag --%s: %q is not a point in time", flag, text).
		Hint("write it as 2030-01-31T12:00:00Z, or as 2030-01-31 12:00:00 in UTC")
}

// labels reads KEY=VALUE pairs; a value may have further equals signs.
func labels(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return nil, fault.New(fault.Invalid, "the label %q is not of the form KEY=VALUE", pair).Hint("--label team=payments")
		}
		out[strings.TrimSpace(key)] = value
	}
	return out, nil
}

// engine opens the set-up for a command.
func (in invocation) engine() (*engine, error) { return newEngine(in.world, in.types, in.terminal) }

// clientEnv is what decides where native tools keep their files: the person's own
// environment.
func (e *engine) clientEnv() clientconfig.Env {
	return clientconfig.Env{
		Getenv: e.world.Getenv, LookPath: exec.LookPath, Home: e.world.Getenv("HOME"),
		State: e.dirs.State, Config: e.dirs.Config, GOOS: runtime.GOOS, UID: os.Getuid(),
	}
}

// dockerKeys are the keys under which docker, and podman and its like, look a registry
// up.
func dockerKeys(registry string) []string {
	name, err := registryname.Parse(registry)
	if err != nil {
		return nil
	}
	if name.DockerKey() == name.String() {
		return []string{name.String()}
	}
	return []string{name.DockerKey(), name.String()}
}

// noticesOf passes what is worth telling on to the person, a line each.
func (in invocation) tell(ctx context.Context, lines ...string) {
	for _, line := range lines {
		if ctx.Err() == nil && line != "" {
			_, _ = in.world.Stderr.Write([]byte(line + "\n"))
		}
	}
}
