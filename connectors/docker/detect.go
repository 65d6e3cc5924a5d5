package docker

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/field"
	"github.com/svcconn/svcconn/pkg/registryname"
	"github.com/svcconn/svcconn/pkg/secret"
)

// hintConfig is the hint that names a file; the other hints are fields.
const hintConfig = "config"

// login is a login to a registry that was found somewhere.
type login struct {
	registry registryname.Name
	username string
	password secret.Text
	source   connector.Source
}

// detection is one run of auto-configuration.
type detection struct {
	host   connector.Host
	config string            // the one file to look in; "" is the usual ones
	only   registryname.Name // the zero Name is any
	values field.Values      // that every connector found gets

	found   []login
	notes   []string
	problem error // the first of a helper's: it must not hide what others have
}

// detect finds the logins that docker, podman and skopeo have on this machine, each
// registry's once: what docker itself would use comes first.
func detect(ctx context.Context, host connector.Host, hints map[string]string) ([]connector.Detected, error) {
	d := &detection{host: host}
	if err := d.take(hints); err != nil {
		return nil, err
	}
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		file, err := readConfig(path)
		if err != nil {
			return nil, err
		}
		if err := d.collect(ctx, file); err != nil {
			return nil, err
		}
	}
	return d.result(files)
}

// take checks the hints.
func (d *detection) take(hints map[string]string) error {
	known := field.Set{registry, field.String{Name: hintConfig}, insecure, authority}
	for _, name := range sortedKeys(hints) {
		f, ok := known.Find(name)
		if !ok {
			return known.Unknown(name, "auto-configuration of connector type "+typeName)
		}
		value, err := f.Parse(hints[name])
		if err != nil {
			return fault.Within(err, "field %s", name)
		}
		switch name := f.Info().Name; name {
		case hintConfig:
			d.config, _ = value.(string)
		case registry.Name:
			d.only, err = registryname.Parse(hints[name])
		default:
			d.values.Set(name, value)
		}
		if err != nil {
			return err
		}
	}
	if !d.picky() && len(d.values.Plain()) > 0 {
		return fault.New(fault.Invalid, "insecure and certificate_authority are of one registry, and none was named").Hint("add --set registry=HOST")
	}
	return nil
}

// picky reports whether one registry alone was asked for.
func (d *detection) picky() bool { return d.only != registryname.Name{} }

// files lists the files that there are, most important first.
func (d *detection) files() ([]string, error) {
	if d.config == "" {
		return slices.DeleteFunc(d.usualFiles(), func(path string) bool {
			_, err := os.Stat(path)
			return errors.Is(err, fs.ErrNotExist)
		}), nil
	}
	path := d.config
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = filepath.Join(d.host.Home, rest)
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, "config.json")
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, fault.New(fault.NotFound, "%w", err).Hint("give the path of docker's config.json, or of podman's auth.json")
	}
	return []string{path}, nil
}

// usualFiles lists where docker, and podman, skopeo and buildah, look.
func (d *detection) usualFiles() []string {
	env := d.host.Getenv
	files := []string{filepath.Join(cmp.Or(env("DOCKER_CONFIG"), filepath.Join(d.host.Home, ".docker")), "config.json")}
	if file := env("REGISTRY_AUTH_FILE"); file != "" {
		return append(files, file)
	}
	if dir := env("XDG_RUNTIME_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	}
	config := cmp.Or(env("XDG_CONFIG_HOME"), filepath.Join(d.host.Home, ".config"))
	return append(files, filepath.Join(config, "containers", "auth.json"))
}

// collect gathers the logins of one file in docker's order: the helpers of single
// registries, the helper for all others, the file itself.
func (d *detection) collect(ctx context.Context, file *configFile) error {
	for _, key := range sortedKeys(file.CredHelpers) {
		if err := d.askHelper(ctx, file, file.CredHelpers[key], "credHelpers", key); err != nil {
			return err
		}
	}
	if file.CredsStore != "" {
		if err := d.askStore(ctx, file); err != nil {
			return err
		}
	}
	for _, key := range sortedKeys(file.Auths) {
		if err := d.readAuth(file, key); err != nil {
			return err
		}
	}
	return nil
}

// readAuth takes a login out of the file itself.
func (d *detection) readAuth(file *configFile, key string) error {
	entry := file.Auths[key]
	if entry.empty() { // docker leaves these behind as marks that a helper has the login
		return nil
	}
	name, ok := d.wants(file, key)
	if !ok {
		return nil
	}
	username, password, err := entry.login()
	if err != nil {
		return fault.Within(err, "%s: auths: %s", file.path, key)
	}
	d.add(login{name, username, password, connector.Source{Description: file.path + " (auths)", File: file.path, Key: key, PlainText: true}})
	return nil
}

// wants reports whether a key is a registry as a whole, and one that was asked for.
func (d *detection) wants(file *configFile, key string) (registryname.Name, bool) {
	name, err := registryname.Parse(key)
	if d.picky() && d.only != name || registryname.IsWebLogin(key) { // the latter are of no use to anyone but docker
		return name, false
	}
	if err != nil {
		d.note("%s has a login for %q, which is not a registry; it was left alone.", file.path, key)
		return name, false
	}
	if _, path, _ := registryname.Address(key); path != "" {
		d.note("%s has a login for %s alone; it was left alone, since connectors reach registries as a whole.", file.path, key)
		return name, false
	}
	return name, true
}

// add keeps a login, unless it is not whole or its registry has one already.
func (d *detection) add(l login) {
	if l.username == "" || l.password.IsEmpty() {
		d.note("%s has a login for %s without user name or password; it was left alone.", l.source.Description, l.registry)
		return
	}
	i := slices.IndexFunc(d.found, func(other login) bool { return other.registry == l.registry })
	if i < 0 {
		d.found = append(d.found, l)
		return
	}
	d.note("%s also has a login for %s, as %s; it was left alone, since that of %s comes first.", l.source.Description, l.registry, l.username, d.found[i].source.Description)
}

// result makes connectors of the logins, and says what there was if there are none.
func (d *detection) result(files []string) ([]connector.Detected, error) {
	if len(d.found) == 0 {
		return nil, d.nothing(files)
	}
	slices.SortFunc(d.found, func(a, b login) int { return strings.Compare(a.registry.String(), b.registry.String()) })
	out := make([]connector.Detected, len(d.found))
	for i, l := range d.found {
		values := d.values.Clone()
		values.Set(username.Name, l.username)
		values.Set(registry.Name, l.registry.String())
		values.SetSecret(password.Name, l.password)
		out[i] = connector.Detected{Spec: connector.Spec{Type: typeName, Method: methodName, Values: values}, Source: l.source}
	}
	if d.problem != nil {
		d.note("%s.", d.problem)
	}
	out[0].Notes = d.notes // they are about all that was looked at
	return out, nil
}

func (d *detection) nothing(files []string) error {
	if d.problem != nil {
		return d.problem
	}
	what := "no login to a registry was found"
	if d.picky() {
		what = "no login to " + d.only.String() + " was found"
	}
	looked := "there is no configuration of docker or podman"
	if len(files) > 0 {
		looked = "looked in " + strings.Join(files, ", ")
	}
	return fault.New(fault.NotFound, "%s", strings.Join(append([]string{what + ": " + looked}, d.notes...), "; ")).
		Hint("log in first with `docker login REGISTRY`, or register with --set registry=HOST --set username=NAME --set password=-")
}
