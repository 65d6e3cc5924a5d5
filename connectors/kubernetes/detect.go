package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/hop"
)

// The hints that steer auto-configuration.
var (
	hintContext = field.String{Name: "context"}
	hintConfig  = field.String{Name: "config"}
)

const everyContext = "*"

// detection is one run of auto-configuration.
type detection struct {
	host    connector.Host
	context string // "" is the current one
	config  string // the one file to look in; "" is the usual ones

	found []connector.Detected
	notes []string
}

// detect finds the logins of the kubeconfigs that kubectl uses on this machine.
func detect(_ context.Context, host connector.Host, hints map[string]string) ([]connector.Detected, error) {
	d := &detection{host: host}
	if err := d.take(hints); err != nil {
		return nil, err
	}
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	config, err := readConfigs(files)
	if err != nil {
		return nil, err
	}
	contexts, err := d.contexts(config, files)
	if err != nil {
		return nil, err
	}
	for _, name := range contexts {
		d.add(config, name)
	}
	return d.result(files)
}

// take checks the hints.
func (d *detection) take(hints map[string]string) error {
	known := field.Set{hintContext, hintConfig}
	for _, name := range slices.Sorted(maps.Keys(hints)) {
		f, ok := known.Find(name)
		if !ok {
			return known.Unknown(name, "auto-configuration of connector type "+typeName)
		}
		value, err := f.Parse(hints[name])
		if err != nil {
			return fault.Within(err, "field %s", name)
		}
		text, _ := value.(string)
		if f.Info().Name == hintContext.Name {
			d.context = text
		} else {
			d.config = text
		}
	}
	return nil
}

// files lists the files that there are, most important first, as kubectl has them.
func (d *detection) files() ([]string, error) {
	if d.config != "" {
		path := d.config
		if rest, ok := strings.CutPrefix(path, "~/"); ok {
			path = filepath.Join(d.host.Home, rest)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fault.New(fault.NotFound, "%w", err).Hint("give the path of a kubeconfig")
		}
		return []string{path}, nil
	}
	usual := []string{filepath.Join(d.host.Home, ".kube", "config")}
	if list := d.host.Getenv("KUBECONFIG"); list != "" {
		usual = filepath.SplitList(list)
	}
	var files []string
	for _, path := range usual {
		if _, err := os.Stat(path); path != "" && !errors.Is(err, fs.ErrNotExist) && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	return files, nil
}

// contexts lists the contexts to look at.
func (d *detection) contexts(config *kubeconfig, files []string) ([]string, error) {
	names := slices.Sorted(maps.Keys(config.contexts))
	name := d.context
	switch {
	case name == everyContext:
		return names, nil
	case name == "":
		name = config.current
	}
	if _, ok := config.contexts[name]; ok {
		return []string{name}, nil
	}
	switch {
	case len(names) == 0:
		return nil, d.nothing(files)
	case name == "":
		return nil, fault.New(fault.NotFound, "no context is the current one in %s", strings.Join(files, ", ")).
			Hint("choose one with --set context=NAME, or take all with --set context='*': %s", hop.OneLine(strings.Join(names, ", ")))
	}
	err := fault.New(fault.NotFound, "there is no context %q in %s", name, strings.Join(files, ", "))
	if near := field.Nearest(name, names); near != "" {
		return nil, err.Hint("did you mean %q?", near)
	}
	return nil, err.Hint("there are: %s", hop.OneLine(strings.Join(names, ", ")))
}

// add makes a connector of a context, or notes why it makes none.
func (d *detection) add(config *kubeconfig, name string) {
	candidate := candidate{host: d.host, context: name}
	found, err := candidate.connector(config)
	if err != nil {
		d.note("The context %s was left alone: %s.", name, err)
		return
	}
	same := func(other connector.Detected) bool { return sameLogin(other.Spec.Values, found.Spec.Values) }
	if i := slices.IndexFunc(d.found, same); i >= 0 {
		d.note("The context %s was left alone: it has the same login as %s.", name, d.found[i].Source.Description)
		return
	}
	for _, text := range candidate.notes {
		d.note("The context %s %s.", name, text)
	}
	d.found = append(d.found, found)
}

// sameLogin reports whether two connectors are one under two names.
func sameLogin(a, b field.Values) bool {
	if fmt.Sprint(a.Plain()) != fmt.Sprint(b.Plain()) {
		return false
	}
	left, right := a.Secrets(), b.Secrets()
	for name, text := range left {
		if !text.Equal(right[name]) {
			return false
		}
	}
	return len(left) == len(right)
}

func (d *detection) note(format string, args ...any) {
	d.notes = append(d.notes, hop.OneLine(fmt.Sprintf(format, args...)))
}

func (d *detection) result(files []string) ([]connector.Detected, error) {
	if len(d.found) == 0 {
		return nil, d.nothing(files)
	}
	d.found[0].Notes = d.notes // they are about all that was looked at
	return d.found, nil
}

func (d *detection) nothing(files []string) error {
	looked := "there is no kubeconfig"
	if len(files) > 0 {
		looked = "looked in " + strings.Join(files, ", ")
	}
	words := strings.TrimSuffix(strings.Join(append([]string{"no login to a cluster was found: " + looked + "."}, d.notes...), " "), ".")
	return fault.New(fault.NotFound, "%s", words).
		Hint("name a kubeconfig with --set config=PATH and a context with --set context=NAME, or register with the fields that `svcconn describe-type %s` lists", typeName)
}
